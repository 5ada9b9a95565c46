"""The mask: which pixels may move. True may move, as the paper's M; False stays fixed."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import ArrayLike

from dragonnx.errors import InputError
from dragonnx.types import Mask

_WHITE_FROM = 128
_NEARLY_BLACK, _NEARLY_WHITE = 24, 231
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
        array = np.asarray(mask)
    except (TypeError, ValueError) as error:
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


def is_mask(path: str | os.PathLike[str]) -> bool:
    """Whether a picture looks drawn as a mask: nearly all of it black or white, without colours."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            colours = np.asarray(picture.convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return False
    extreme = (colours <= _NEARLY_BLACK).all(-1) | (colours >= _NEARLY_WHITE).all(-1)
    return bool(extreme.mean() >= _MASK_SHARE)


def load_mask(path: str | os.PathLike[str], image_size: tuple[int, int]) -> Mask:
    """A mask [H, W] from a picture: white may move, black stays fixed.

    Raises:
        InputError: The file is no picture, or not of the image's size.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            if picture.size != (image_size[1], image_size[0]):
                raise InputError(
                    f"the mask {path} is {picture.width} x {picture.height} pixels, but the image "
                    f"is {image_size[1]} x {image_size[0]}: it must be drawn at the image's size"
                )
            grey = np.asarray(picture.convert("L"))
    except UnidentifiedImageError as error:
        raise InputError(f"the mask {path} is no picture that can be read") from error
    except OSError as error:
        raise InputError(f"the mask {path} cannot be read ({error.strerror or error})") from error
    return np.asarray(grey >= _WHITE_FROM)
