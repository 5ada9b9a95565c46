"""Arrays in NumPy's format, `.npy`: the header is checked before memory is taken for the data.

Nothing in them can run: an array of Python objects is refused.
"""

from __future__ import annotations

import math
import sys
from typing import BinaryIO

import numpy as np

from dragonnx.errors import InputError
from dragonnx.reading.regular_file import read_into
from dragonnx.reading.zip_archive import Archive
from dragonnx.types import Array

FLOATS = "f"
NUMBERS = "fiu"
TEXT = "U"
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
"""By version; 3.0 is for fields that have names."""
_MOST_AXES = 8
_MOST_VALUES = 2**32
_LARGEST_NUMBER = 8
"""Bytes of a number: longer ones are of another form on each system."""


def read_npy(file: BinaryIO, size: int, name: str, kinds: str = FLOATS) -> Array:
    """The array of an open file, in the byte order of this machine.

    Args:
        file: It, at its beginning.
        size: Bytes that it has.
        name: What messages call it.
        kinds: Letters of the types that its values may have, as `numpy.dtype.kind` has them.

    Raises:
        InputError: It is no such array, or its data has not the size that its shape takes.
    """
    shape, is_fortran, dtype = _header(file, name)
    if dtype.kind not in kinds or (dtype.kind != TEXT and dtype.itemsize > _LARGEST_NUMBER):
        raise InputError(f"{name} holds values of a type that cannot be used, {str(dtype)[:40]}")
    if not _is_usable(shape):
        raise InputError(f"{name} has a shape that cannot be used")
    if math.prod(shape) * dtype.itemsize != size - file.tell():
        cut = ": it is cut short" * (math.prod(shape) * dtype.itemsize > size - file.tell())
        raise InputError(f"{name} has another size than its shape takes{cut}")
    data = np.empty(size - file.tell(), np.uint8)
    if read_into(file, data.data) < len(data):
        raise InputError(f"{name} is cut short")
    values = np.ndarray(shape, dtype, data, order="F" if is_fortran else "C")
    return values.astype(dtype.newbyteorder("="), copy=False)


def _is_usable(shape: tuple[int, ...]) -> bool:
    return (
        len(shape) <= _MOST_AXES
        and bool not in map(type, shape)  # which NumPy lets pass
        and min(shape, default=0) >= 0
        and math.prod(max(length, 1) for length in shape) <= _MOST_VALUES
    )


def member_array(archive: Archive, name: str, kinds: str = FLOATS) -> Array:
    """The array of a member, as `read_npy` reads it.

    Raises:
        InputError: There is no such member, or it is no such array.
    """
    with archive.opened(name) as file:
        return read_npy(file, archive.size(name), name, kinds)


def npy_header(file: BinaryIO, name: str) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
    """Shape and type of the array of an open file, at its beginning; the file is then at its data.

    Raises:
        InputError: It is no array, or one of a shape that cannot be used.
    """
    shape, _, dtype = _header(file, name)
    if not _is_usable(shape):
        raise InputError(f"{name} has a shape that cannot be used")
    return shape, dtype


def text_of(array: Array, name: str) -> str:
    """The text of an array that holds one.

    Raises:
        InputError: It holds several, or characters that are none.
    """
    if array.shape != () or array.dtype.kind != TEXT:
        raise InputError(f"{name} must hold one text")
    try:  # NumPy itself lets any four bytes pass for a character
        return array.tobytes().decode(f"utf-32-{sys.byteorder[0]}e").rstrip("\0")
    except UnicodeDecodeError as error:
        raise InputError(f"{name} holds characters that are none") from error


def _header(file: BinaryIO, name: str) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    """Shape, whether in Fortran's order, and type."""
    try:
        return _HEADERS[np.lib.format.read_magic(file)](file)
    except Exception as error:  # a literal of Python of bounded length: it fails in a dozen ways
        raise InputError(f"{name} is no array that can be read") from error
