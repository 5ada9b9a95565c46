"""How large a picture may be: in pixels, and in the memory that its decoder takes for them."""

from __future__ import annotations

import math
import os
from typing import Any

from PIL import Image, ImageFile

from dragonnx.errors import InputError
from dragonnx.reading.values import positive

LIMIT = "DRAGONNX_MAX_MEGAPIXELS"
"""The environment's variable that raises the limit: alike for commands, the editor and Python."""
MEGAPIXELS = 200.0
"""What is read where it is not set: as many as the largest sensors have, in 1.6 GB."""
BYTES_A_PIXEL = 8
"""Of memory while a picture is read. Pillow keeps four for most, and turning one makes another."""
STORED = 4
"""Of these, what Pillow keeps."""
_LONGEST_SIDE = 1_000_000
"""Pixels. Each row has costs of its own, and so has each column where it is resized."""
_WIDTH, _HEIGHT, _BITS, _SAMPLES, _ROWS = 256, 257, 258, 277, 278
_TILE_WIDTH, _TILE_HEIGHT, _KIND = 322, 323, 254
"""Tags of TIFF."""
_PREVIEW = 1


def limit() -> float:
    """How many pixels are read; a decoder that takes more memory than others reads fewer.

    Raises:
        InputError: The environment's variable is no number of megapixels.
    """
    chosen = os.environ.get(LIMIT)
    if not chosen:
        return MEGAPIXELS * 1e6
    try:
        number = float(chosen)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{LIMIT} must be a number of megapixels, such as 400, not {chosen!r}")
    return positive(number, LIMIT, 1e6) * 1e6


def check_memory(picture: Image.Image, memory: float, name: str) -> None:
    """Refuse a picture that is too large, or whose decoder would take too many bytes.

    Raises:
        InputError: It is.
    """
    width, height = picture.size
    if max(width, height) > _LONGEST_SIDE:
        raise InputError(
            f"{name} is {width} x {height} pixels; at most {_LONGEST_SIDE} are read of a side"
        )
    most = limit()
    needed = math.ceil(max(memory / BYTES_A_PIXEL, width * height) / 1e6)
    advice = (
        f"make it smaller first, or set {LIMIT}={needed} where it may take "
        f"{needed * BYTES_A_PIXEL / 1000:.1f} GB of memory"
    )
    if width * height > most:
        than = "any camera's" if most >= MEGAPIXELS * 1e6 else f"{LIMIT} allows"
        raise InputError(f"{name} has more pixels than {than}, {width} x {height}: {advice}")
    if memory > most * BYTES_A_PIXEL:
        raise InputError(
            f"{name} takes more memory to read than others of {width} x {height} pixels, as it is "
            f"stored ({picture.format}): save it as PNG, {advice}"
        )


def check_whole(picture: Image.Image, name: str) -> None:
    """Refuse a TIFF whose first picture is a preview of what Pillow does not read.

    Raises:
        InputError: It is.
    """
    if getattr(picture, "tag_v2", {}).get(_KIND) == _PREVIEW:
        raise InputError(
            f"{name} is a camera's raw file, of which only a small preview can be read: save it as "
            "JPEG or TIFF"
        )


def stored_size(picture: ImageFile.ImageFile) -> tuple[int, int]:
    """Width and height of a TIFF before EXIF turns it."""
    tags = _tags(picture)
    return tags[_WIDTH], tags[_HEIGHT]


def memory_of_tiff(picture: ImageFile.ImageFile, file_size: int) -> float:
    """Bytes that decoding a TIFF takes at its peak: it says itself how much is decoded at once.

    Raises:
        ValueError: It does not.
    """
    memory = math.prod(picture.size) * STORED
    if picture.tile[0][0] != "libtiff":  # a strip is read whole, where it is not the only one
        return memory + (file_size if len(picture.tile) > 1 else 0)
    tags = _tags(picture)
    bits = tags.get(_BITS, (1,))
    depth = sum(bits) if len(bits) > 1 else bits[0] * tags.get(_SAMPLES, 1)
    if _TILE_WIDTH in tags:
        block = tags[_TILE_WIDTH], tags.get(_TILE_HEIGHT)
    else:
        block = tags[_WIDTH], min(tags.get(_ROWS, tags[_HEIGHT]), tags[_HEIGHT])
    if not all(isinstance(number, int) for number in (depth, *block)):
        raise ValueError("its strips or tiles have no size")
    # The library has the block as it is stored and as colours, and maps the file into memory.
    decoded: float = math.prod(block) * (max(depth / 8, 1) + STORED)
    return memory + decoded + file_size


def memory_of_jpeg(picture: ImageFile.ImageFile, scans: int) -> float:
    """Bytes that decoding a JPEG takes: all coefficients are kept where there are several scans."""
    kept = 2 * len(picture.getbands()) if scans > 1 else 0
    return math.prod(picture.size) * (STORED + kept)


def _tags(picture: ImageFile.ImageFile) -> Any:
    return picture.tag_v2  # type: ignore[attr-defined]
