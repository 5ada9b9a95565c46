"""What a file is, by its content: a name's suffix says what somebody meant, and is often wrong."""

from __future__ import annotations

import enum
import os
from typing import BinaryIO

from dragonnx.reading.pickles.safe_pickle import is_pickle
from dragonnx.reading.pickles.torch_file import LEGACY_MAGIC
from dragonnx.reading.pickles.zip_members import ZIP_MAGIC
from dragonnx.reading.regular_file import CHUNK, opened_file

_NPY_MAGIC = b"\x93NUMPY"
_DOCUMENT = b"document.json"
_TORCH = b"/data.pkl"
_TORCH_WITHOUT_FOLDER = b"data.pkl"
_LOOKED_AT = 1024
"""Bytes of the beginning that are looked at; the first member of an archive has its name there."""


class FileKind(enum.Enum):
    """What holds numbers or a document; a picture, and whatever else, is OTHER."""

    NPY = enum.auto()
    NPZ = enum.auto()
    TORCH = enum.auto()
    PICKLE = enum.auto()
    DOCUMENT = enum.auto()
    OTHER = enum.auto()


def file_kind(path: str | os.PathLike[str], largest: int) -> FileKind:
    """The kind of a file.

    Args:
        path: The file.
        largest: Bytes that it may have.

    Raises:
        InputError: It cannot be read, or is too large.
    """
    with opened_file(path, largest) as file:
        return kind_of(*_ends(file))


def kind_of(beginning: bytes, end: bytes) -> FileKind:
    """The kind of a file with that beginning and that end, which may overlap.

    Args:
        beginning: Its first bytes, a thousand or more.
        end: Its last bytes, where an archive keeps its directory.
    """
    if beginning.startswith(_NPY_MAGIC):
        return FileKind.NPY
    if beginning.startswith(LEGACY_MAGIC):
        return FileKind.TORCH
    if beginning.startswith(ZIP_MAGIC):
        for name, kind in (
            (_TORCH, FileKind.TORCH),
            (_DOCUMENT, FileKind.DOCUMENT),
            (_TORCH_WITHOUT_FOLDER, FileKind.TORCH),
        ):
            if name in beginning[:_LOOKED_AT] or name in end:
                return kind
        return FileKind.NPZ
    return FileKind.PICKLE if is_pickle(beginning, end) else FileKind.OTHER


def _ends(file: BinaryIO) -> tuple[bytes, bytes]:
    beginning = file.read(_LOOKED_AT)
    file.seek(max(file.seek(0, os.SEEK_END) - CHUNK, 0))
    return beginning, file.read(CHUNK)
