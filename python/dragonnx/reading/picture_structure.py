"""What a picture's file holds beside pixels, looked through before a decoder is given it.

A decoder's memory and time are bounded by a picture's size, but for these: what Pillow keeps of a
PNG from behind its pixels and of a WebP from anywhere, the lists of a TIFF, which become Python's
numbers of 36 bytes each, and how often a JPEG goes over all of its pixels.
"""

from __future__ import annotations

import os
import re
import struct
from typing import BinaryIO

from dragonnx.errors import InputError

_PNG_START = 8
_PNG_PIXELS = (b"IDAT", b"fdAT")
_RIFF_START = 12
_WEBP_PIXELS = (b"VP8 ", b"VP8L", b"ALPH", b"ANMF")
_CHUNK_COST = 64
"""Bytes that a chunk counts for beside its content."""
_PIECES, _PIECE = 100_000, 512
"""So many pieces of pixels may be smaller than that many bytes; encoders write thousands in each."""

_TIFF_TEXTS = (1, 2, 7)
"""Types of a TIFF's values that stay the bytes they are: profiles, names."""
_MOST_ENTRIES = 2**16
_LONGEST_LIST = 2**18
"""Of a TIFF. Its longest say where each strip or tile is; a colour map has three times 2^16."""

_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
"""Between a scan's bytes 0xFF is followed by 0 or by the number of a restart."""
_BLOCK = 16_384
_END, _SCAN, _COMMON_FRAMES = 0xD9, 0xDA, (0xC0, 0xC1)
_NO_FRAMES = (0xC4, 0xC8, 0xCC)
_WITHOUT_CONTENT = (0x01, 0xD8)
_MOST_MARKERS = 5000
_MOST_SCANS = 100
"""Encoders write 10 or so. Each goes over all pixels, and may be a few bytes long."""


def check_png(file: BinaryIO, size: int, name: str, most: int) -> None:
    """Look through the chunks of a PNG.

    Args:
        file: It, open.
        size: Its bytes.
        name: What messages call it.
        most: Bytes of all that are no pixels.

    Raises:
        InputError: There is more, or the pixels are in too small pieces.
    """
    file.seek(_PNG_START)
    beside = pieces = 0
    while len(start := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", start)
        if kind == b"IEND":
            break
        if kind in _PNG_PIXELS:
            pieces += 1
        else:
            beside += length + _CHUNK_COST
        if beside > most or pieces > _PIECES + size // _PIECE:
            raise InputError(
                f"{name} holds more beside its pixels than a picture needs, or in too small "
                "pieces: save it anew without metadata"
            )
        file.seek(length + 4, os.SEEK_CUR)  # a checksum follows


def check_webp(file: BinaryIO, name: str, most: int) -> None:
    """Look through the chunks of a WebP, of which Pillow keeps profile, EXIF and XMP.

    Args:
        file: It, open.
        name: What messages call it.
        most: Bytes of all that are no pixels.

    Raises:
        InputError: There is more.
    """
    file.seek(_RIFF_START)
    beside = 0
    while len(start := file.read(8)) == 8:
        kind, length = struct.unpack("<4sI", start)
        if kind not in _WEBP_PIXELS:
            beside += length + _CHUNK_COST
        if beside > most:
            raise InputError(
                f"{name} holds more beside its pixels than a picture needs: save it anew without "
                "metadata"
            )
        file.seek(length + length % 2, os.SEEK_CUR)


def check_tiff(file: BinaryIO, name: str) -> None:
    """Look through the first directory of a TIFF.

    Raises:
        InputError: A list in it is too long.
    """
    file.seek(0)
    start = file.read(16)
    order = "<" if start.startswith(b"II") else ">"
    if b"\x2b" in start[2:4]:  # BigTIFF
        entry, count, (where,) = f"{order}HHQ8x", f"{order}Q", struct.unpack(f"{order}8xQ", start)
    else:
        entry, count, (where,) = f"{order}HHL4x", f"{order}H", struct.unpack(f"{order}4xL8x", start)
    file.seek(where)
    (entries,) = struct.unpack(count, file.read(struct.calcsize(count)))
    size = struct.calcsize(entry)
    # Pillow too ends at the first entry that is cut off.
    content = file.read(size * min(entries, _MOST_ENTRIES))
    for _, kind, length in struct.iter_unpack(entry, content[: len(content) // size * size]):
        if kind not in _TIFF_TEXTS and length > _LONGEST_LIST:
            raise InputError(
                f"{name} is a TIFF with a list of {length} numbers, and at most {_LONGEST_LIST} are "
                "read: save it anew in larger strips"
            )
    if entries > _MOST_ENTRIES:
        raise InputError(f"{name} is a TIFF of {entries} tags: save it anew without metadata")


def jpeg_scans(file: BinaryIO, name: str) -> int:
    """How often a JPEG goes over its pixels; a file that is cut off may have had more.

    Raises:
        InputError: More often than any encoder writes.
    """
    file.seek(0)
    scans = components = 0
    common = True
    for _ in range(_MOST_MARKERS):
        marker = _next_marker(file)
        if marker is None or marker == _END:
            return scans
        if marker in _WITHOUT_CONTENT:
            continue
        length = int.from_bytes(file.read(2), "big") - 2
        content = file.read(length if length < 256 else 0)
        file.seek(max(length, 0) - len(content), os.SEEK_CUR)
        if marker == _SCAN:
            scans += 1
            if common and components and content[:1] == bytes([components]):
                return scans  # all of it in one scan: what follows is no part of the picture
            if scans > _MOST_SCANS:
                break
        elif 0xC0 <= marker <= 0xCF and marker not in _NO_FRAMES:
            common, components = marker in _COMMON_FRAMES, content[5] if len(content) > 5 else 0
    raise InputError(
        f"{name} is a JPEG of more than {_MOST_SCANS} scans, which takes long to read: save it anew"
    )


def _next_marker(file: BinaryIO) -> int | None:
    """Go behind the next marker of a JPEG, and say which it is; None at the end of the file."""
    before = b""
    while block := file.read(_BLOCK):
        block = before + block
        if found := _MARKER.search(block):
            file.seek(found.end() - len(block), os.SEEK_CUR)
            return block[found.end() - 1]
        before = block[-1:] if block.endswith(b"\xff") else b""
    return None
