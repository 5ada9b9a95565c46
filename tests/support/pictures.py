"""Files of pictures for tests: made of parts, so that each part can be wrong."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
import PIL
from PIL import Image

PNG_START = b"\x89PNG\r\n\x1a\n"
Chunk = tuple[bytes, bytes]
TIFF_MODES = {
    "1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "LAB", "I;16", "I;16B", "I", "F",
} | ({"YCbCr"} if int(PIL.__version__.split(".")[0]) >= 13 else set())  # fmt: skip
"""Of pictures that Pillow writes as TIFF and reads again; before 13 it took its own YCbCr for cut off."""


def photograph(width: int = 80, height: int = 60) -> Image.Image:
    """Red grows to the right, green downwards, blue both ways."""
    x, y = np.meshgrid(np.linspace(20, 230, width), np.linspace(20, 230, height))
    return Image.fromarray(np.stack([x, y, (x + y) / 2], 2).astype(np.uint8))


def file_of(picture: Image.Image, kind: str, **options: Any) -> bytes:
    """A picture's file in a format that Pillow writes."""
    file = BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def png(
    width: int,
    height: int,
    *,
    bits: int = 8,
    colour: int = 2,
    pixels: bytes | None = None,
    before: Sequence[Chunk] = (),
    after: Sequence[Chunk] = (),
) -> bytes:
    """A PNG of these chunks before and after its pixels, which are nearly none where none are given."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    image = zlib.compress(b"\0" if pixels is None else pixels)
    chunks = [(b"IHDR", header), *before, (b"IDAT", image), *after, (b"IEND", b"")]
    return PNG_START + b"".join(_chunk(*chunk) for chunk in chunks)


def png_rows(rows: np.ndarray) -> bytes:
    """Pixels for `png` from an array [height, width, channels] of 8 or 16 bits."""
    rows = rows.astype(rows.dtype.newbyteorder(">"))
    return b"".join(b"\0" + row.tobytes() for row in rows)


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def tiff(tags: dict[int, tuple[int, ...]], data: bytes = b"", *, declared: int = 0) -> bytes:
    """A TIFF of these tags, each a list of 32-bit numbers, and data at byte 8.

    Args:
        tags: Numbers by tag.
        data: What the strips say is there.
        declared: How long the list of strips says it is, where it lies.
    """
    data += b"\0" * (len(data) % 2)
    where = 8 + len(data)
    entries, beyond = b"", b""
    behind = where + 2 + 12 * len(tags) + 4
    for tag, values in sorted(tags.items()):
        count = declared if declared and tag == 273 else len(values)
        content = struct.pack(f"<{len(values)}I", *values)
        if len(values) > 1:
            beyond, content = beyond + content, struct.pack("<I", behind + len(beyond))
        entries += struct.pack("<HHI", tag, 4, count) + content
    directory = struct.pack("<H", len(tags)) + entries + b"\0" * 4
    return struct.pack("<2sHI", b"II", 42, where) + data + directory + beyond


def jpeg_of_scans(side: int, scans: int) -> bytes:
    """A grey progressive JPEG whose every scan after the first says of all blocks: nothing new."""

    def segment(marker: int, content: bytes) -> bytes:
        return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content

    blocks = (side // 8) ** 2
    runs = "".join("0" + "1" * 14 for _ in range(blocks // 32767 + 1))  # of as many blocks each
    runs += "1" * (-len(runs) % 8)
    nothing = int(runs, 2).to_bytes(len(runs) // 8, "big").replace(b"\xff", b"\xff\0")
    return b"".join(
        [
            b"\xff\xd8",
            segment(0xDB, b"\0" + b"\1" * 64),
            segment(0xC2, b"\x08" + struct.pack(">HH", side, side) + b"\x01\x01\x11\x00"),
            segment(0xC4, b"\x00" + bytes([1, *[0] * 15]) + b"\x00"),
            segment(0xC4, b"\x10" + bytes([1, *[0] * 15]) + b"\xe0"),
            segment(0xDA, b"\x01\x01\x00\x00\x00\x00") + b"\0" * (blocks // 8 + 1),
            (segment(0xDA, b"\x01\x01\x00\x01\x3f\x00") + nothing) * (scans - 1),
            b"\xff\xd9",
        ]
    )
