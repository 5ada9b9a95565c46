"""Values that came from outside, checked for type and range; each refusal names the field.

A message begins with the field's name, so that `within` can put before it where the field lies:
`start.seed must be a whole number from 0 to 4294967295, not 1.5`.
"""

from __future__ import annotations

import contextlib
import math
import numbers
import operator
import reprlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from dragonnx.errors import InputError

T = TypeVar("T")

_LARGEST_PLAIN = 2**63 - 1
_LONGEST_LINE = 1000
_LONGEST_SHOWN = 200
"""Characters of a value in a message: lists in lists may take many."""
_MOST_BITS = 128
"""Of a whole number that a message shows: Python itself writes no very long ones."""


@contextlib.contextmanager
def within(place: str) -> Iterator[None]:
    """Say where the fields lie that are checked in the block: `start`, `pairs[2]`.

    Raises:
        InputError: What was raised in the block, with the place before it.
    """
    try:
        yield
    except InputError as error:
        raise InputError(f"{place}.{error}") from error


def whole(value: object, name: str, least: int, most: int) -> int:
    """A whole number in a range. NumPy's are taken too; True, False and 1.0 are none.

    Raises:
        InputError: It is another thing, or out of range.
    """
    if not isinstance(value, bool):
        with contextlib.suppress(TypeError):
            found = operator.index(value)  # type: ignore[arg-type]
            if least <= found <= most:
                return found
    raise InputError(f"{name} must be a whole number from {least} to {most}, not {shown(value)}")


def number(value: object, name: str, least: float, most: float) -> float:
    """A finite number in a range, as a float. NumPy's are taken too; True and False are none.

    Raises:
        InputError: It is another thing, or out of range.
    """
    if (found := _finite(value)) is not None and least <= found <= most:
        return found
    raise InputError(f"{name} must be a number from {least:g} to {most:g}, not {shown(value)}")


def positive(value: object, name: str, most: float) -> float:
    """A number above 0, otherwise as `number`.

    Raises:
        InputError: It is another thing, or out of range.
    """
    if (found := _finite(value)) is not None and 0 < found <= most:
        return found
    raise InputError(f"{name} must be a positive number, at most {most:g}, not {shown(value)}")


def flag(value: object, name: str) -> bool:
    """True or False.

    Raises:
        InputError: It is another thing.
    """
    if isinstance(value, bool):
        return value
    raise InputError(f"{name} must be true or false, not {shown(value)}")


def text(value: object, name: str, longest: int) -> str:
    """A text of so many characters at most, without a zero among them.

    Halves of characters are taken as far as Python has them in names of files.

    Raises:
        InputError: It is another thing, too long, or can be neither written nor shown.
    """
    if not isinstance(value, str):
        raise InputError(f"{name} must be a text, not {shown(value)}")
    if len(value) > longest:
        raise InputError(f"{name} must have at most {longest} characters, not {len(value)}")
    try:
        value.encode("utf-8", sys.getfilesystemencodeerrors())
    except UnicodeEncodeError:
        pass
    else:
        if "\0" not in value:
            return value
    raise InputError(f"{name} holds a character that is none: {shown(value)}")


def one_of(value: object, name: str, choices: Sequence[str]) -> str:
    """One of a few words.

    Raises:
        InputError: It is none of them.
    """
    if isinstance(value, str) and value in choices:
        return value
    words = " or ".join((", ".join(choices[:-1]), choices[-1])) if choices[1:] else choices[0]
    raise InputError(f"{name} must be {words}, not {shown(value)}")


def point(value: object, name: str, farthest: float) -> tuple[float, float]:
    """A point (x, y): a list, tuple or array of two numbers.

    Args:
        value: The point.
        name: What messages call it.
        farthest: Each number is at most this, and at least this below 0.

    Raises:
        InputError: It is another thing, or out of range.
    """
    found = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(found, list | tuple) and len(found) == 2:
        x, y = map(_finite, found)
        if x is not None and y is not None and max(abs(x), abs(y)) <= farthest:
            return x, y
    raise InputError(
        f"{name} must be a point (x, y) of numbers from {-farthest:g} to {farthest:g}, "
        f"not {shown(value)}"
    )


def items(value: object, name: str, most: int) -> Sequence[Any]:
    """A list or tuple of bounded length.

    Raises:
        InputError: It is another thing, or too long.
    """
    if not isinstance(value, list | tuple):
        raise InputError(f"{name} must be a list, not {shown(value)}")
    if len(value) > most:
        raise InputError(f"{name} must have at most {most} entries, not {len(value)}")
    return value


def record(value: object, name: str, most: int = 1000) -> Mapping[str, Any]:
    """Values by name: what JSON calls an object.

    Raises:
        InputError: It is another thing, has too many entries, or one whose name is no text.
    """
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise InputError(f"{name} must hold values by name, not {shown(value)}")
    if len(value) > most:
        raise InputError(f"{name} must have at most {most} entries, not {len(value)}")
    return value


def plain(value: object, name: str) -> bool | int | float | str | None:
    """A value of plain data: nothing, true or false, a number, or a text of a line.

    Raises:
        InputError: It is another thing, or too large.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return text(value, name, _LONGEST_LINE)
    if isinstance(value, numbers.Integral):
        return whole(value, name, -_LARGEST_PLAIN, _LARGEST_PLAIN)
    return number(value, name, -sys.float_info.max, sys.float_info.max)


def instance(value: object, name: str, kind: type[T]) -> T:
    """A value of that class.

    Raises:
        InputError: It is of another.
    """
    if not isinstance(value, kind):
        raise InputError(f"{name} must be a {kind.__name__}, not {shown(value)}")
    return value


def function(value: object, name: str) -> None:
    """Refuse what cannot be called; None stands for no function.

    Raises:
        InputError: It is something else.
    """
    if value is not None and not callable(value):
        raise InputError(f"{name} must be a function, not {shown(value)}")


def size(value: object, name: str, largest: int) -> tuple[int, int]:
    """A size (height, width) in pixels: a list or tuple of two whole numbers.

    Raises:
        InputError: It is another thing, or out of range.
    """
    with contextlib.suppress(InputError):
        if isinstance(value, list | tuple) and len(value) == 2:
            height, width = (whole(each, name, 1, largest) for each in value)
            return height, width
    raise InputError(
        f"{name} must be (height, width), whole numbers from 1 to {largest}, not {shown(value)}"
    )


def entry(facts: Mapping[str, Any], name: str) -> Any:
    """The value of that name.

    Raises:
        InputError: There is none.
    """
    if name not in facts:
        raise InputError(f"{name} is missing")
    return facts[name]


def set_fields(instance: object, **fields: object) -> None:
    """Give a frozen dataclass the checked values of its fields: plain ones, where NumPy's came."""
    for name, value in fields.items():
        object.__setattr__(instance, name, value)


def shown(value: object) -> str:
    """A value in a message, cut where it is long."""
    if isinstance(value, numbers.Number) and hasattr(value, "item"):
        value = value.item()  # NumPy's show their type
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        return "a number of more than 38 digits"
    try:
        found = reprlib.repr(value)
    except ValueError:  # such a number within a list
        return f"a {type(value).__name__}"
    return found if len(found) <= _LONGEST_SHOWN else f"{found[:_LONGEST_SHOWN]}..."


def _finite(value: object) -> float | None:
    """A number as a float; None where it is no number, or beyond the range of floats."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None
