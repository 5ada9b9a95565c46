"""What a Python program passes: of the kind that is asked for, or refused in one sentence."""

from __future__ import annotations

from typing import TypeVar

from dragonnx.errors import InputError
from dragonnx.reading.values import shown

Kind = TypeVar("Kind")


def instance(value: object, name: str, kind: type[Kind]) -> Kind:
    """An object of a class.

    Raises:
        InputError: It is another thing.
    """
    if isinstance(value, kind):
        return value
    raise InputError(f"{name} must be a {kind.__name__}, not {shown(value)}")


def function(value: object, name: str) -> None:
    """Refuse what cannot be called; None stands for no function.

    Raises:
        InputError: It is something else.
    """
    if value is not None and not callable(value):
        raise InputError(f"{name} must be a function, not {shown(value)}")
