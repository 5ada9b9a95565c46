"""Zip archives: members changed in their own format, and directories that lie about them."""

from __future__ import annotations

import functools
import io
import struct
import warnings
import zipfile
import zlib
from dataclasses import dataclass
from random import Random

from fuzz.mutate import INTEGERS, TEXTS, Mutation, mutated_bytes

_LOCAL, _CENTRAL, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_CENTRAL_FIELDS = {
    4: "H", 6: "H", 8: "H", 10: "H", 16: "I", 20: "I", 24: "I", 28: "H", 30: "H", 32: "H", 34: "H",
    38: "I", 42: "I",
}  # fmt: skip
"""Offset and width: versions, flags, method, checksum, sizes, lengths, disk, rights, place."""
_END_FIELDS = {4: "H", 6: "H", 8: "H", 10: "H", 12: "I", 16: "I", 20: "H"}
_LOCAL_FIELDS = {4: "H", 6: "H", 8: "H", 14: "I", 18: "I", 22: "I", 26: "H", 28: "H"}
_RECORDS = (
    (_CENTRAL, _CENTRAL_FIELDS), (_CENTRAL, _CENTRAL_FIELDS), (_LOCAL, _LOCAL_FIELDS), (_END, _END_FIELDS),
)  # fmt: skip
_METHODS = (0, 1, 6, 8, 9, 12, 14, 93, 99, 65535)
_MEBIBYTE = bytes(1 << 20)
_PLACE = b"a member to be replaced"


def mutated_zip(random: Random, data: bytes, member: Mutation) -> bytes:
    """An archive with a member, its directory or its bytes changed.

    Args:
        random: Where all choices come from.
        data: The archive.
        member: What changes a member's content.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [(name, archive.read(name)) for name in archive.namelist()]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, zlib.error):
        return mutated_bytes(random, data)
    if not members:
        return mutated_bytes(random, data)
    match random.choice(("member", "member", "member", "members", "directory", "bomb", "bytes")):
        case "member":
            for _ in range(random.choice((1, 1, 2))):
                index = random.randrange(len(members))
                members[index] = (members[index][0], member(random, members[index][1]))
            return zipped(members, random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)))
        case "members":
            return zipped(_other_members(random, members))
        case "directory":
            for _ in range(random.choice((1, 1, 2))):
                data = _with_field(random, data)
            return data
        case "bomb":
            name, content = random.choice(members)
            mebibytes = random.choice((40, 600, 1500, 3000, 5000))
            told = random.choice((mebibytes << 20, mebibytes << 20, 10, 2**32, len(content)))
            return with_bomb(
                members, name, Bomb(mebibytes, random.choice((b"", content[:128])), told)
            )
    return mutated_bytes(random, data)


def zipped(members: list[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    """An archive of these members, one name as often as it comes."""
    stream = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w", method) as archive:
        warnings.simplefilter("ignore", UserWarning)  # of a name that is there twice
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return stream.getvalue()


def deflated_zeros(count: int, header: int = -15) -> bytes:
    """A stream of so many zeros, made at hardly any cost: a flushed block can stand as often as wanted.

    Args:
        count: Of bytes unpacked.
        header: What zlib calls wbits: -15 for a deflate stream alone, 15 for zlib's.
    """
    start, block = _flushed(header)
    whole, rest = divmod(count, len(_MEBIBYTE))
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    last = packer.compress(bytes(rest)) + packer.flush(zlib.Z_FULL_FLUSH)
    # An empty last block; then zlib's checksum, of which zeros only move the second half.
    ending = b"\x03\x00" + (struct.pack(">HH", count % 65521, 1) if header > 0 else b"")
    return start + block * whole + last + ending


@functools.cache
def _flushed(header: int) -> tuple[bytes, bytes]:
    """The start of a stream, and a mebibyte of zeros that can follow it again and again."""
    packer = zlib.compressobj(9, zlib.DEFLATED, header)
    start = packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)
    return start, packer.compress(_MEBIBYTE) + packer.flush(zlib.Z_FULL_FLUSH)


@dataclass(frozen=True)
class Bomb:
    """A member that is far larger unpacked.

    Attributes:
        mebibytes: Of zeros.
        head: What comes before them.
        told: The size that the archive tells of it.
    """

    mebibytes: int
    head: bytes
    told: int


def with_bomb(members: list[tuple[str, bytes]], name: str, bomb: Bomb) -> bytes:
    """An archive of which a member is replaced by a bomb, its checksum left as it was.

    The archive is made with a small member in its place, and then grown there.
    """
    data = zipped([(n, _PLACE if n == name else content) for n, content in members])
    stored = b"\x00" + struct.pack("<HH", len(bomb.head), len(bomb.head) ^ 0xFFFF) + bomb.head
    packed = stored + deflated_zeros(bomb.mebibytes << 20)
    facts = struct.pack("<II", len(packed), min(bomb.told, 2**32 - 2))
    at = data.index(_PLACE)
    result = bytearray(data[:at] + packed + data[at + len(_PLACE) :])
    local = data.rfind(_LOCAL, 0, at)
    result[local + 8 : local + 10] = struct.pack("<H", zipfile.ZIP_DEFLATED)
    result[local + 18 : local + 26] = facts
    place = result.find(_CENTRAL, at + len(packed))
    while place >= 0:
        offset = int.from_bytes(result[place + 42 : place + 46], "little")
        if offset == local:
            result[place + 10 : place + 12] = struct.pack("<H", zipfile.ZIP_DEFLATED)
            result[place + 20 : place + 28] = facts
        elif offset > local:
            _add(result, place + 42, len(packed) - len(_PLACE))
        place = result.find(_CENTRAL, place + 4)
    _add(result, result.rfind(_END) + 16, len(packed) - len(_PLACE))
    return bytes(result)


def _add(data: bytearray, at: int, more: int) -> None:
    number = int.from_bytes(data[at : at + 4], "little") + more
    data[at : at + 4] = number.to_bytes(4, "little")


def _other_members(random: Random, members: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """Members missing, twice, under other names, exchanged, or very many."""
    index = random.randrange(len(members))
    name, content = members[index]
    other = random.choice(members)
    match random.choice(("drop", "twice", "name", "exchange", "more", "many", "empty", "none")):
        case "drop":
            return members[:index] + members[index + 1 :]
        case "twice":
            return [*members, (name, other[1])]
        case "name":
            text = random.choice(TEXTS).encode("utf-8", "replace").decode()[:60_000]
            return [*members[:index], (text, content), *members[index + 1 :]]
        case "exchange":
            return [(name, other[1]) if pair[0] == name else pair for pair in members]
        case "more":
            return [*members, (random.choice(("../out.npy", "/x", "more.npy")), content)]
        case "many":
            return [*members, *((f"{number}.npy", b"") for number in range(30_000))]
        case "empty":
            return [*members[:index], (name, b""), *members[index + 1 :]]
    return []


def _with_field(random: Random, data: bytes) -> bytes:
    """One number of the directory, or of a member's own header, replaced."""
    magic, fields = random.choice(_RECORDS)
    starts = [at for at in range(len(data) - 3) if data[at : at + 4] == magic]
    if not starts:
        return mutated_bytes(random, data)
    offset, width = random.choice(list(fields.items()))
    at, size = random.choice(starts) + offset, struct.calcsize(width)
    old = int.from_bytes(data[at : at + size], "little")
    number = random.choice((*INTEGERS, old + 1, old - 1, old * 2, old ^ 1, old ^ 8, old ^ 32))
    if (magic, offset) in ((_CENTRAL, 10), (_LOCAL, 8)):
        number = random.choice(_METHODS)
    return data[:at] + (number % (1 << 8 * size)).to_bytes(size, "little") + data[at + size :]
