"""The mask: which pixels may move. True may move, as the paper's M; False stays fixed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from dragonnx.errors import InputError
from dragonnx.log import logger
from dragonnx.model.facts import LARGEST_SIDE
from dragonnx.reading.array_values import as_array
from dragonnx.reading.values import size as checked_size
from dragonnx.types import Mask, Points

if TYPE_CHECKING:
    from PIL import Image

    from dragonnx.reading.pictures import PictureSource

_WHITE_FROM = 128
_NEARLY_BLACK, _NEARLY_WHITE = 24, 231
_LOOKED_AT = 1024
"""Pixels of the longer side: so many rows and columns tell whether a picture is drawn as a mask."""
_MASK_SHARE = 0.9
"""Of the pixels of a drawn mask; the rest are soft edges."""
_MOST_NAMED = 4
"""Points in a sentence."""

End: TypeAlias = Literal["handle", "target"]
_ENDS: tuple[End, End] = ("handle", "target")
FixedPoint: TypeAlias = tuple[End, int]
"""A point that the mask keeps fixed: which end of a pair, and the pair's number from 0."""


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
    if array.dtype.kind in "US":
        raise InputError(
            "the mask must be a boolean array [height, width], not a text: load_mask reads one from a picture"
        )
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


def fixed_points(mask: Mask, handles: Points, targets: Points) -> list[FixedPoint]:
    """Points that are to move, or to be moved to, where the mask lets nothing move.

    A pair whose handle is its target is to stay there, as the mask has it.

    Args:
        mask: [H, W], True may move.
        handles: [n, 2], (x, y) in pixels.
        targets: Likewise.
    """
    height, width = mask.shape
    found: list[FixedPoint] = []
    for number, ends in enumerate(zip(np.asarray(handles), np.asarray(targets), strict=True)):
        if np.array_equal(*ends):
            continue
        pixels = np.clip(np.rint(ends).astype(int), 0, (width - 1, height - 1))
        may_move = mask[pixels[:, 1], pixels[:, 0]]
        found += [(end, number) for end, may in zip(_ENDS, may_move, strict=True) if not may]
    return found


def fixed_points_note(found: Sequence[FixedPoint], count: int) -> str:
    """What a user should know of such points, and what to do: a sentence without its capital and dot.

    Args:
        found: At least one.
        count: Of all pairs.
    """
    names = [f"the {end}" if count == 1 else f"{end} {number + 1}" for end, number in found]
    if len(names) > _MOST_NAMED:
        names[_MOST_NAMED - 1 :] = ["others"]
    who = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    return (
        f"{who} {'lies' if len(names) == 1 else 'lie'} on what the mask keeps fixed, which works against "
        "the drag: let that move too"
    )


def is_mask(source: PictureSource) -> bool:
    """Whether a picture looks drawn as a mask: nearly all of it black or white, without colours."""
    from PIL import Image

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
    return _looks_drawn(picture)


def _looks_drawn(picture: Image.Image) -> bool:
    from PIL import ImageChops

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
    """A mask [H, W] from a picture: white may move, black stays fixed, as does what is transparent.

    The logger "dragonnx" warns where the picture does not look drawn as a mask.

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

    picture = _read(source, may_fit)
    check(picture.size)
    if not _looks_drawn(picture):
        logger.warning(
            "%s is more than black and white: what is lighter than middle grey counts as white",
            name,
        )
    return _painted(picture)


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

    return _painted(_read(content, check, "PNG"))


def _read(
    source: PictureSource, check: Callable[[tuple[int, int]], None], *formats: str
) -> Image.Image:
    from PIL import Image

    from dragonnx.reading.colours import read_colours

    picture, opacity = read_colours(source, "the mask", check, formats)
    if opacity is None:
        return picture
    # What is transparent was not painted, whatever colour lies unseen in it.
    return Image.composite(picture, Image.new("RGB", picture.size), opacity)


def _painted(picture: Image.Image) -> Mask:
    return np.asarray(picture.convert("L")) >= _WHITE_FROM
