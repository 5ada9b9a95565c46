"""Zip archives that others made: what they hold is known and bounded before a member is read.

The sizes are those that the archive's directory says, and no member gives more than its own.
"""

from __future__ import annotations

import contextlib
import os
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO, cast

from dragonnx.errors import InputError
from dragonnx.reading.regular_file import CHUNK, MEBIBYTE, opened_file, read_into
from dragonnx.reading.values import shown

MOST_MEMBERS = 64
_LONGEST_NAME = 100
"""Characters: messages show the names of members."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Those that NumPy and dragonnx write. Others need much more time or memory for a small file."""
_ENCRYPTED = 0x1
_MOST_SAVED = 256 * MEBIBYTE
"""Bytes by which an archive may hold more than it has. dragonnx packs nothing, and numbers hardly
shrink; what others packed, such as a latent of one w in all layers, is far smaller than this."""
_DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, RuntimeError, EOFError, OverflowError)
"""What `zipfile` raises for a damaged archive, or for one of a kind that it does not know."""


class Archive:
    """The members of an open archive.

    Args:
        file: The archive, with nothing in it that `opened_archive` refuses.
    """

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._file = file
        self._members = {member.filename: member for member in file.infolist()}

    @property
    def names(self) -> tuple[str, ...]:
        """The members' names."""
        return tuple(self._members)

    def size(self, name: str) -> int:
        """Bytes of a member.

        Raises:
            InputError: There is none of that name.
        """
        if name not in self._members:
            raise InputError(f"{name} is missing")
        return self._members[name].file_size

    @contextlib.contextmanager
    def opened(self, name: str) -> Iterator[BinaryIO]:
        """A member, open for reading; damage that is met in the block is told.

        Raises:
            InputError: There is none of that name, or it is damaged.
        """
        self.size(name)
        try:
            member = self._file.open(self._members[name])
        except (*_DAMAGE, ValueError) as error:
            raise InputError(f"{name} is damaged") from error
        try:
            with member:
                yield cast(BinaryIO, member)
        except _DAMAGE as error:
            raise InputError(f"{name} is damaged") from error

    def read(self, name: str, largest: int) -> bytes:
        """The content of a member.

        Args:
            name: Which.
            largest: Bytes that it may have.

        Raises:
            InputError: There is none of that name, it is too large, or damaged.
        """
        size = self.size(name)
        if size > largest:
            raise InputError(f"{name} is too large: at most {largest} bytes of it are read")
        content = bytearray(size)
        with self.opened(name) as member:
            if read_into(member, memoryview(content)) < size:
                raise InputError(f"{name} is cut short")
        return bytes(content)


@contextlib.contextmanager
def opened_archive(path: str | os.PathLike[str], largest: int, refusal: str) -> Iterator[Archive]:
    """A zip archive of a few members, each stored or deflated, with a name of its own.

    What is refused in the block is told with the file's path before it.

    Args:
        path: The file.
        largest: Bytes that it may have, and that its members may have together.
        refusal: What is said of a file that is no archive, after its path: "is no .npz file".

    Raises:
        InputError: The file cannot be read or is no archive, or it has too many or too large
            members, or some that are encrypted, packed in another way, or of one name.
    """
    with opened_file(path, largest) as file:
        try:
            archive = zipfile.ZipFile(cast(BinaryIO, _Piecemeal(file)))
        except (*_DAMAGE, ValueError) as error:
            raise InputError(f"{path} {refusal}") from error
        try:
            with archive:
                _check(archive.infolist(), os.fstat(file.fileno()).st_size, largest)
                yield Archive(archive)
        except InputError as error:
            raise InputError(f"{path}: {error}") from error


class _Piecemeal:
    """A file that gives no more than a piece at once.

    An archive says itself how long its directory is, and `zipfile` reads that in one go; a longer
    one is then cut short, and refused. It has some thousand members at most.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        """At most so many bytes."""
        return self._file.read(CHUNK if size < 0 else min(size, CHUNK))


def _check(members: list[zipfile.ZipInfo], packed: int, largest: int) -> None:
    """Refuse members that are not to be read."""
    if len(members) > MOST_MEMBERS:
        raise InputError(f"it has {len(members)} members, and at most {MOST_MEMBERS} are read")
    for name, count in Counter(member.filename for member in members).items():
        if len(name) > _LONGEST_NAME:
            raise InputError(f"it has a member with a name of {len(name)} characters")
        if count > 1:
            raise InputError(f"it has {count} members of the name {shown(name)}")
    for member in members:
        if member.flag_bits & _ENCRYPTED:
            raise InputError(f"{shown(member.filename)} in it is encrypted")
        if member.compress_type not in _METHODS:
            raise InputError(f"{shown(member.filename)} in it is packed in a way that is not read")
    held = sum(member.file_size for member in members)
    if held > min(largest, packed + _MOST_SAVED):
        raise InputError(
            f"it holds {held / MEBIBYTE:.1f} MiB in {packed / MEBIBYTE:.1f} MiB, which is too much"
        )
