"""The mask: which pixels may move. True may move, as the paper's M; False stays fixed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from dragonnx.errors import InputError
from dragonnx.model.facts import LARGEST_SIDE
from dragonnx.reading.array_values import as_array
from dragonnx.reading.values import size as checked_size
from dragonnx.types import Mask

if TYPE_CHECKING:
    from dragonnx.reading.pictures import PictureSource

_WHITE_FROM = 128
_NEARLY_BLACK, _NEARLY_WHITE = 24, 231
_LOOKED_AT = 1024
"""Pixels of the longer side: so many rows and columns tell whether a picture is drawn as a mask."""
_MASK_SHARE = 0.9
"""Of the pixels of a drawn mask; the rest are soft edges."""


def checked_mask(mask: ArrayLike | None, image_size: tuple[int, int]) -> Mask | None:
    """A mask as bool [H, W], or None where it would fix nothing.

    Raises:
        InputError: It is not boolean, not of the image's size, or lets nothing move.
    """
    if mask is None:
        return None
    try:
        array = as_array(mask, "the mask")
    except InputError as error:
        raise InputError("the mask must be a boolean array [height, width]") from error
    if array.dtype != np.bool_:
        raise InputError(f"the mask must be boolean, True where pixels may move, not {array.dtype}")
    if array.shape != image_size:
        raise InputError(
            f"the mask must have the image's size, [{image_size[0]}, {image_size[1]}] (height, "
            f"width), not {list(array.shape)}"
        )
    if array.all():
        return None
    if not array.any():
        raise InputError("the mask lets nothing move: paint white what may move")
    return np.ascontiguousarray(array)


def is_mask(source: PictureSource) -> bool:
    """Whether a picture looks drawn as a mask: nearly all of it black or white, without colours."""
    from PIL import Image, ImageChops

    from dragonnx.reading.colours import read_colours
    from dragonnx.reading.pictures import read_picture

    try:
        stored = read_picture(source, "")
        if (times := max(stored.size) / _LOOKED_AT) > 1:
            # Seconds else for a large photo, of which every so many-th pixel tells the same.
            width, height = (max(round(side / times), 1) for side in stored.size)
            stored = stored.resize((width, height), Image.Resampling.NEAREST)
        picture = read_colours(stored, "").picture
    except InputError:
        return False
    # Of each pixel the largest and the smallest of red, green and blue, a band at a time.
    largest = smallest = picture.getchannel(0)
    for number in (1, 2):
        band = picture.getchannel(number)
        largest, smallest = ImageChops.lighter(largest, band), ImageChops.darker(smallest, band)
    extreme = sum(largest.histogram()[: _NEARLY_BLACK + 1]) + sum(
        smallest.histogram()[_NEARLY_WHITE:]
    )
    return extreme >= _MASK_SHARE * math.prod(picture.size)


def load_mask(source: PictureSource, image_size: tuple[int, int]) -> Mask:
    """A mask [H, W] from a picture: white may move, black stays fixed.

    Args:
        source: A file, or a picture that Pillow has.
        image_size: (height, width) of the image that it is for.

    Raises:
        InputError: It cannot be read as a picture, or is not of the image's size.
    """
    from dragonnx.reading.pictures import name_of

    height, width = image_size = checked_size(image_size, "image_size", LARGEST_SIDE)
    name = name_of(source, "the mask")

    def check(size: tuple[int, int]) -> None:
        if size != (width, height):
            raise InputError(
                f"{name} is {size[0]} x {size[1]} pixels, but the image is {width} x {height}: it "
                "must be drawn at the image's size"
            )

    def may_fit(size: tuple[int, int]) -> None:
        if size != image_size:  # EXIF may turn it
            check(size)

    mask = _painted(source, may_fit)
    check(mask.shape[::-1])
    return mask


def mask_of_png(content: bytes) -> Mask:
    """A mask [H, W] of any size from a PNG, likewise.

    Raises:
        InputError: It cannot be read, or is larger than images are.
    """

    def check(size: tuple[int, int]) -> None:
        if max(size) > LARGEST_SIDE:
            raise InputError(
                f"the mask is {size[0]} x {size[1]} pixels, and no image is larger than "
                f"{LARGEST_SIDE} x {LARGEST_SIDE}"
            )

    return _painted(content, check, "PNG")


def _painted(
    source: PictureSource, check: Callable[[tuple[int, int]], None], *formats: str
) -> Mask:
    from dragonnx.reading.colours import read_colours

    grey = read_colours(source, "the mask", check, formats).picture.convert("L")
    return np.asarray(grey) >= _WHITE_FROM
