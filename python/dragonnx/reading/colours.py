"""A picture of any kind as people see it: upright, eight bits, its colours in sRGB.

Large photos come here, so each step either works in place or frees what it was made of: at most two
pictures of four bytes a pixel are held at a time. A picture that is passed on is not held as well.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageCms

from dragonnx.errors import InputError
from dragonnx.log import logger
from dragonnx.reading.pictures import PictureSource, Size, name_of, read_picture, refusing

_SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N")
_STRIP = 2**17
"""Pixels that are converted at a time."""
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""By EXIF's number of the orientation."""
_OF_PROFILE = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}
"""Pillow's mode by what a profile's colours are made of."""


class Colours(NamedTuple):
    """A picture's colours and its transparency, which are two pictures here.

    Attributes:
        picture: RGB; what is transparent has the colour that is stored there.
        opacity: "L" of the same size, 0 where it is transparent; None where it is so nowhere.
    """

    picture: Image.Image
    opacity: Image.Image | None


def read_colours(
    source: PictureSource,
    what: str,
    fits: Callable[[Size], None] = lambda _: None,
    formats: Sequence[str] = (),
) -> Colours:
    """A picture, of an animation the first frame; one that Pillow has gives what its file gives.

    Args:
        source: Where it is. A picture that Pillow has stays as it is.
        what: What messages call it: "the mask".
        fits: Raises InputError for a size (width, height) before EXIF turns the picture, and before
            it takes memory.
        formats: Of `FORMATS`, those that are read; empty is all.

    Raises:
        InputError: As `read_picture`, or its numbers are of an unknown range.
    """
    with refusing(source, what):
        return _colours(read_picture(source, what, fits, formats), name_of(source, what))


def _colours(picture: Image.Image, name: str) -> Colours:
    picture = _upright(picture, name)
    profile = picture.info.get("icc_profile")
    opacity = None
    if picture.mode in (*_SIXTEEN_BITS, "I", "F"):
        picture, opacity = _eight_bits(picture, name)
    elif _is_transparent(picture):
        if picture.mode == "La":
            picture = picture.convert("LA")
        elif picture.mode not in ("LA", "RGBA"):
            picture = picture.convert("RGBA")
        *bands, opacity = picture.split()
        del picture
        picture = bands[0] if len(bands) == 1 else Image.merge("RGB", bands)
        del bands
    if opacity is not None and opacity.getextrema()[0] == 255:
        opacity = None
    picture = _in_srgb(picture, profile, name)
    # A program that saves it would write all that was said of the file, which is no longer true.
    picture.info = {}
    return Colours(picture, opacity)


def _upright(picture: Image.Image, name: str) -> Image.Image:
    """A copy, turned as EXIF says."""
    try:
        orientation = picture.getexif().get(_ORIENTATION)
    except (
        Exception
    ) as error:  # cameras and editors leave EXIF broken in many ways, and it is no pixel
        logger.warning("the EXIF data of %s is not usable and was ignored (%s)", name, error)
        orientation = None
    turn = _TURNS.get(orientation) if isinstance(orientation, int) else None
    return picture.copy() if turn is None else picture.transpose(turn)


def _is_transparent(picture: Image.Image) -> bool:
    """Whether a picture has transparency. What says so in a way that means nothing is removed."""
    said = picture.info.get("transparency")
    if picture.mode == "RGB":
        means = isinstance(said, tuple) and len(said) == 3
        if isinstance(said, tuple) and max(said, default=0) > 255:
            # Of 16 bits a channel; the pixels have the upper eight.
            picture.info["transparency"] = tuple(value >> 8 for value in said)
    elif picture.mode == "P":
        means = isinstance(said, int | bytes)
    else:
        means = isinstance(said, int) and picture.mode in ("1", "L")
    if not means:
        picture.info.pop("transparency", None)  # a PNG may have a text of that name
    return picture.has_transparency_data


def _eight_bits(picture: Image.Image, name: str) -> Colours:
    """A grey picture of 16 and more bits, as "L", strip by strip. Pillow would cut its values off.

    Raises:
        InputError: Its values are not those of 16 bits, or of numbers from 0 to 1.
    """
    largest = 1 if picture.mode == "F" else 65535
    clear = picture.info.get("transparency")
    eight = Image.new("L", picture.size)
    opacity = Image.new("L", picture.size) if isinstance(clear, int) else None
    rows = max(1, _STRIP // picture.width)
    for top in range(0, picture.height, rows):
        strip = np.asarray(picture.crop((0, top, picture.width, min(top + rows, picture.height))))
        if not (strip.min() >= 0 and strip.max() <= largest):  # NaN is neither
            raise InputError(
                f"{name} holds grey values from {strip.min():g} to {strip.max():g}, and 0 to {largest} "
                "are read: save it with 8 or 16 bits"
            )
        scaled = np.rint(strip.astype(np.float32) * np.float32(255 / largest))
        eight.paste(Image.fromarray(scaled.astype(np.uint8)), (0, top))
        if opacity is not None:
            opacity.paste(Image.fromarray((strip != clear).astype(np.uint8) * 255), (0, top))
    return Colours(eight, opacity)


def _in_srgb(picture: Image.Image, profile: object, name: str) -> Image.Image:
    """A picture without transparency as RGB, its colours as its profile means them."""
    if isinstance(profile, bytes):  # a PNG may have a text of that name
        try:
            given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            mode = _OF_PROFILE.get(given.profile.xcolor_space.strip())
            if mode == "RGB" and picture.mode not in ("CMYK", "LAB"):
                picture = picture.convert("RGB") if picture.mode != "RGB" else picture
            elif mode == "L" and picture.mode == "1":
                picture = picture.convert("L")
            if mode != picture.mode:
                raise ImageCms.PyCMSError(f"it is for {mode or 'other'} and not {picture.mode}")
            in_place = mode == "RGB"
            converted = ImageCms.profileToProfile(
                picture, given, ImageCms.createProfile("sRGB"), outputMode="RGB", inPlace=in_place
            )
            return picture if converted is None else converted
        except (ImageCms.PyCMSError, OSError) as error:
            logger.warning(
                "the colour profile of %s is not usable and was ignored (%s)", name, error
            )
    return picture if picture.mode == "RGB" else picture.convert("RGB")
