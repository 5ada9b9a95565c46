"""A window of a picture, resized; it may reach beyond the picture.

Where much lies beyond, one axis after the other, and only as much of it as resampling looks at: a
panorama of 30000 x 500 pixels that is padded to a square would else take 900 million.
"""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

from PIL import Image

Box: TypeAlias = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels."""
Border: TypeAlias = Literal["goes on", "black"]
"""What lies beyond a picture: its border pixels again, or nothing."""

_MOST_OF_ALL = 2
"""Times the picture's part: a window of so many pixels is taken whole."""
_REACH = 5
"""Pixels of the result, or of the picture where that is enlarged: so far beyond the picture, one of
the result no longer sees it. The widest kernel, Lanczos', reaches 3, from the middle of a pixel."""


def is_within(window: Box, size: tuple[int, int]) -> bool:
    """Whether a window lies on a picture of that size (width, height)."""
    left, top, right, bottom = window
    return left >= 0 and top >= 0 and right <= size[0] and bottom <= size[1]


def resized(
    picture: Image.Image,
    window: Box,
    size: tuple[int, int],
    resample: Image.Resampling,
    *,
    border: Border,
) -> Image.Image:
    """A window of a picture at another size. What lies on the picture beside it plays no part.

    Args:
        picture: One band, "L".
        window: What to take; it touches the picture.
        size: Width and height of the result.
        resample: How.
        border: What lies beyond the picture.
    """
    left, top = max(window[0], 0), max(window[1], 0)
    right, bottom = min(window[2], picture.width), min(window[3], picture.height)
    if (left, top, right, bottom) != (0, 0, *picture.size):
        picture = picture.crop((left, top, right, bottom))
    spans = ((window[0] - left, window[2] - left), (window[1] - top, window[3] - top))
    if math.prod(stop - start for start, stop in spans) <= _MOST_OF_ALL * math.prod(picture.size):
        for axis in (0, 1):
            picture = _extended(picture, axis, spans[axis], border)
        return picture.resize(size, resample)
    # First the axis along which less lies beyond, since that makes the other one's rows shorter.
    for axis in sorted(
        (0, 1), key=lambda axis: spans[axis][1] - spans[axis][0] - picture.size[axis]
    ):
        picture = _along(picture, axis, spans[axis], size[axis], resample, border)
    return picture


def _along(
    picture: Image.Image,
    axis: int,
    span: tuple[int, int],
    count: int,
    resample: Image.Resampling,
    border: Border,
) -> Image.Image:
    """From and to where along one axis, of 0 (columns) and 1, as so many columns or rows."""
    length = span[1] - span[0]
    reach = math.ceil(_REACH * max(length / count, 1))
    seen = max(span[0], -reach), min(span[1], picture.size[axis] + reach)
    first = -((span[0] - seen[0]) * count // length)  # rounded up
    last = (seen[1] - span[0]) * count // length
    start, stop = (span[0] + number * length / count - seen[0] for number in (first, last))
    part = _extended(picture, axis, seen, border)
    result = part.resize(
        _with(picture.size, axis, last - first), resample, box=_box(part.size, axis, start, stop)
    )
    return _extended(result, axis, (-first, count - first), border)


def _extended(
    picture: Image.Image, axis: int, span: tuple[int, int], border: Border
) -> Image.Image:
    """All of a picture, along one axis with what lies beyond it from and to where."""
    start, stop = span
    length = picture.size[axis]
    if span == (0, length):
        return picture
    extended = picture.crop(_box(picture.size, axis, start, stop))  # black beyond
    if border == "goes on":
        for edge, from_, to in ((0, start, 0), (length - 1, length, stop)):
            if from_ < to:
                line = picture.crop(_box(picture.size, axis, edge, edge + 1))
                size = _with(picture.size, axis, to - from_)
                where = (from_ - start, 0) if axis == 0 else (0, from_ - start)
                extended.paste(line.resize(size, Image.Resampling.NEAREST), where)
    return extended


def _with(size: tuple[int, int], axis: int, length: int) -> tuple[int, int]:
    return (length, size[1]) if axis == 0 else (size[0], length)


def _box(
    size: tuple[int, int], axis: int, start: float, stop: float
) -> tuple[float, float, float, float]:
    return (start, 0, stop, size[1]) if axis == 0 else (0, start, size[0], stop)
