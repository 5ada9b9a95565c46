"""The members of a zip archive in memory, within bounds that are checked before unpacking."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator

from dragonnx.errors import InputError

ZIP_MAGIC = b"PK\x03\x04"
_MAX_MEMBERS = 10_000
_ENTRY_MAGIC = b"PK\x01\x02"
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_ENCRYPTED = 1

_ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,  # an encrypted member
    ValueError,
)


class ZipMembers:
    """The members by name; each is unpacked when it is asked for."""

    def __init__(self, data: bytes, max_bytes: int) -> None:
        """Read the directory of members.

        Args:
            data: The archive.
            max_bytes: How many bytes all members may unpack to.

        Raises:
            InputError: The archive is damaged, has a name twice, or unpacks to more.
        """
        if data.count(_ENTRY_MAGIC) > _MAX_MEMBERS:
            raise InputError(f"it is a zip of more than {_MAX_MEMBERS} members, too many to be one")
        self._data = data
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                members = archive.infolist()
        except _ZIP_ERRORS as error:
            raise _damaged() from error
        self._members = {member.filename: member for member in members}
        if len(self._members) != len(members):
            raise InputError("it is a zip with two members of one name; make it again")
        unpacked = sum(member.file_size for member in members)
        if unpacked > max_bytes:
            raise InputError(
                f"it is a zip that unpacks to {unpacked} bytes, more than the {max_bytes} "
                "that a file of its size can hold"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The members' names, in the archive's order."""
        return tuple(self._members)

    def read(self, name: str) -> memoryview:
        """The member's contents: a view into the archive where it is not compressed.

        Raises:
            InputError: There is no such member, or it is damaged.
        """
        if name not in self._members:
            raise InputError("it is a zip that lacks a part of itself; fetch it again")
        try:
            return self._unpacked(self._members[name])
        except _ZIP_ERRORS as error:
            raise _damaged() from error

    def _unpacked(self, member: zipfile.ZipInfo) -> memoryview:
        """Stops at the stated size, which keeps a bomb from unpacking past it."""
        view = memoryview(self._data)
        if member.flag_bits & _ENCRYPTED:
            raise RuntimeError(member.filename)
        header = view[member.header_offset :][: _LOCAL_HEADER.size]
        magic, name_length, extra_length = _LOCAL_HEADER.unpack(header)
        start = member.header_offset + _LOCAL_HEADER.size + name_length + extra_length
        packed = view[start : start + member.compress_size]
        if magic != ZIP_MAGIC or len(packed) != member.compress_size:
            raise EOFError(member.filename)
        contents = packed
        if member.compress_type == zipfile.ZIP_DEFLATED:
            unpack = zlib.decompressobj(-zlib.MAX_WBITS)
            # One byte more than promised tells a member that is longer; 0 would mean no bound.
            contents = memoryview(unpack.decompress(packed, member.file_size + 1))
        elif member.compress_type != zipfile.ZIP_STORED:
            raise NotImplementedError(member.compress_type)
        if len(contents) != member.file_size or zlib.crc32(contents) != member.CRC:
            raise EOFError(member.filename)
        return contents


def zip_members(data: bytes, max_bytes: int) -> Iterator[tuple[str, memoryview]]:
    """Name and contents of each member, unpacked one by one.

    Raises:
        InputError: The archive or a member is damaged, or all unpack to more than
            `max_bytes`.
    """
    members = ZipMembers(data, max_bytes)
    for name in members.names:
        yield name, members.read(name)


def _damaged() -> InputError:
    return InputError("it is a zip that is truncated or damaged; fetch it again")
