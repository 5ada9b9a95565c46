"""Points as users type them."""

from __future__ import annotations

from dragonnx.errors import InputError
from dragonnx.types import Point


def pair(text: str) -> tuple[Point, Point]:
    """`x,y:x,y` as a handle point and a target point.

    Raises:
        InputError: It is another thing.
    """
    try:
        handle, target = (tuple(map(float, part.split(","))) for part in text.split(":"))
        (x, y), (target_x, target_y) = handle, target
    except ValueError as error:
        raise InputError(
            f"a point is given as HANDLE:TARGET, each x,y in pixels, such as 60,80:75,80, "
            f"not {text!r}"
        ) from error
    return (x, y), (target_x, target_y)


def shift(text: str) -> Point:
    """`x,y` as how far to move something.

    Raises:
        InputError: It is another thing.
    """
    try:
        x, y = map(float, text.split(","))
    except ValueError as error:
        raise InputError(
            f"a translation is given as x,y in pixels, such as 12,-4, not {text!r}"
        ) from error
    return x, y
