"""The members of a zip archive in memory, within bounds that are checked before unpacking."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator

from dragonnx_export.checkpoints.checkpoint import CheckpointError

ZIP_MAGIC = b"PK\x03\x04"
_MAX_MEMBERS = 10_000
_ENTRY_MAGIC = b"PK\x01\x02"

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


def zip_members(data: bytes, max_bytes: int) -> Iterator[tuple[str, bytes]]:
    """Name and contents of each member, unpacked one by one.

    Args:
        data: The archive.
        max_bytes: How many bytes all members may unpack to.

    Raises:
        CheckpointError: The archive is damaged, has a name twice, or unpacks to more.
    """
    if data.count(_ENTRY_MAGIC) > _MAX_MEMBERS:
        raise CheckpointError(
            f"it is a zip of more than {_MAX_MEMBERS} members, too many to be one"
        )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if len({member.filename for member in members}) != len(members):
                raise CheckpointError("it is a zip with two members of one name; make it again")
            unpacked = sum(member.file_size for member in members)
            if unpacked > max_bytes:
                raise CheckpointError(
                    f"it is a zip that unpacks to {unpacked} bytes, more than the {max_bytes} "
                    "that a checkpoint of its size can hold"
                )
            for member in members:
                yield member.filename, _unpacked(archive, member)
    except _ZIP_ERRORS as error:
        raise CheckpointError("it is a zip that is truncated or damaged; fetch it again") from error


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """The member's contents; asking for their size keeps a bomb from unpacking past it."""
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise NotImplementedError(member.compress_type)
    with archive.open(member) as stream:
        contents = stream.read(member.file_size)
    if len(contents) != member.file_size:
        raise EOFError(member.filename)
    return contents
