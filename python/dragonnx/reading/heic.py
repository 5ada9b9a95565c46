"""HEIC, as telephones store photos: read by pillow-heif where that is installed, an extra.

Its plugin is not registered with Pillow, whose formats are those of the program dragonnx runs in.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import BinaryIO

from PIL import ImageFile

START = 64
"""Bytes of a file in which it says that it is one."""
FOUND = "a HEIC photo, which takes pip install 'dragonnx[heic]'"
_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs")
_CONTAINERS = (b"mif1", b"msf1")
"""Of AVIF too: what is in them is said by the brands that follow."""
_BRAND = 4


def is_heic(start: bytes) -> bool:
    """Whether a file that begins so is one."""
    if start[4:8] != b"ftyp":
        return False
    first, end = start[8:12], min(int.from_bytes(start[:4], "big"), START)
    if first not in _CONTAINERS:
        return first in _BRANDS
    others = [start[at : at + _BRAND] for at in range(16, end, _BRAND)]
    return any(brand in _BRANDS for brand in others)


def heic_reader() -> Callable[[BinaryIO, str], ImageFile.ImageFile] | None:
    """What opens one, in the way of Pillow's classes; None where it is not installed.

    Loading the library takes a while, so it is asked for where there is such a file alone.
    """
    try:
        plugin = importlib.import_module("pillow_heif.as_plugin")
    except ImportError:
        return None
    reader: Callable[[BinaryIO, str], ImageFile.ImageFile] = plugin.HeifImageFile
    return reader
