"""Opening a file that a user names: a regular file of bounded size, without ever waiting for it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from dragonnx.errors import InputError
from dragonnx.paths import address_in, as_path

MEBIBYTE = 2**20
CHUNK = MEBIBYTE // 4
"""Bytes that are read at once where more are wanted."""
ANY_SIZE = 2**62
"""Bytes: more than any file has."""
_WITHOUT_WAITING = getattr(os, "O_NONBLOCK", 0)
"""A pipe would otherwise be waited for until somebody writes to it."""


@contextlib.contextmanager
def opened_file(path: str | os.PathLike[str], largest: int, what: str = "") -> Iterator[BinaryIO]:
    """A regular file, open for reading bytes. Reading it in the block may fail: that is told too.

    Args:
        path: The file, or a link to it.
        largest: Bytes that it may have.
        what: What messages call it before its path: "the mask".

    Raises:
        InputError: It is missing, cannot be read, is too large, or is a folder, a pipe, a device.
    """
    path = as_path(path)
    if address := address_in(path):
        raise InputError(
            f"{f'{what} {address}'.lstrip()} is an address, and nothing is fetched from one: download "
            "it and give the file"
        )
    name = f"{what} {path}".lstrip()
    try:
        # Opening alone starts something at some devices, and wakes who writes to a pipe: look first.
        _check(_facts(path), name, largest)
        with open(path, "rb", opener=_opener) as file:  # Path.open takes no opener
            _check(os.fstat(file.fileno()), name, largest)  # it may have been replaced meanwhile
            yield file
    except OSError as error:
        raise InputError(f"{name} cannot be read ({error.strerror or error})") from error


def read_bytes(path: str | os.PathLike[str], largest: int, what: str = "") -> bytes:
    """The content of a regular file, as `opened_file` opens it.

    Raises:
        InputError: As `opened_file`.
    """
    with opened_file(path, largest, what) as file:
        # No more than was looked at: some files of the system have no end, and say they are empty.
        return file.read(os.fstat(file.fileno()).st_size)


def read_into(file: BinaryIO, target: memoryview) -> int:
    """Fill bytes [n] from a file, piece by piece; how many it had."""
    filled = 0
    while filled < len(target):
        count = file.readinto(target[filled : filled + CHUNK])  # type: ignore[attr-defined]
        if not count:
            break
        filled += count
    return filled


def sha256_of(file: BinaryIO, size: int | None = None) -> str:
    """The SHA-256 of an open file from where it stands, in hexadecimal, read piece by piece.

    Args:
        file: It.
        size: How many bytes count at most; None for those that it has when it is asked.
    """
    digest, left = hashlib.sha256(), os.fstat(file.fileno()).st_size if size is None else size
    while left and (piece := file.read(min(left, CHUNK))):
        digest.update(piece)
        left -= len(piece)
    return digest.hexdigest()


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags | _WITHOUT_WAITING)


def _facts(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except ValueError as error:  # a zero in it, or characters that no name has
        raise InputError(f"{str(path)!r} cannot be the name of a file") from error


def _check(facts: os.stat_result, name: str, largest: int) -> None:
    if stat.S_ISDIR(facts.st_mode):
        raise InputError(f"{name} cannot be read: it is a folder")
    if not stat.S_ISREG(facts.st_mode):
        raise InputError(f"{name} cannot be read: it is no file but a pipe, a device or the like")
    if facts.st_size > largest:
        raise InputError(
            f"{name} is too large: it has {facts.st_size / MEBIBYTE:.1f} MiB, and at most "
            f"{largest / MEBIBYTE:g} MiB are read"
        )
