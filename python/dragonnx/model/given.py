"""Checks that what a program passes is a generator."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from dragonnx.errors import InputError
from dragonnx.model.manifest import Manifest
from dragonnx.reading.values import shown

if TYPE_CHECKING:
    from dragonnx.model.generator import Generator


def checked_generator(generator: object) -> Generator:
    """A generator, or what computes as one.

    Raises:
        InputError: It is another thing.
    """
    if isinstance(getattr(generator, "manifest", None), Manifest):
        return cast("Generator", generator)
    raise InputError(
        f"generator must be one that Generator.open has opened, not {shown(generator)}"
    )
