"""Pictures: PNG, JPEG and WebP by their parts, with checksums and lengths that are right."""

from __future__ import annotations

import struct
import zlib
from random import Random

from fuzz.mutate import INTEGERS, TEXTS, mutated_bytes, times
from fuzz.mutate_json import mutated_json
from fuzz.mutate_zip import deflated_zeros

PNG = b"\x89PNG\r\n\x1a\n"
_SIDES = (0, 1, 31, 32, 1000, 8192, 13_000, 20_000, 65_535, 100_000, 2**31 - 1, 2**31, 2**32 - 1)
_COLOUR_TYPES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Colour type and how many values a pixel has."""
_CHUNKS = (
    b"zTXt", b"iTXt", b"tEXt", b"iCCP", b"eXIf", b"tRNS", b"PLTE", b"gAMA", b"cHRM", b"sRGB", b"pHYs",
    b"acTL", b"fcTL", b"fdAT", b"IDAT", b"IHDR", b"IEND", b"ABCD", b"abcd", b"\x00\x01\x02\x03",
)  # fmt: skip
_RECIPE = b"dragonnx\x00"
_MAIN = b"http://ns.adobe.com/xap/1.0/\x00"
_SCAN = 0xDA

Chunk = tuple[bytes, bytes]


def mutated_picture(random: Random, data: bytes) -> bytes:
    """A picture changed in what its format allows, or as bytes."""
    if data.startswith(PNG) and random.random() < 0.8:
        chunks = _chunks(data)
        if chunks:
            for _ in range(random.choice((1, 1, 2))):
                chunks = _changed_chunks(random, chunks)
            return png(chunks)
    if data.startswith(b"\xff\xd8") and random.random() < 0.6:
        return random.choice((_jpeg_of_other_size, _other_segments))(random, data)
    if data.startswith(b"RIFF") and random.random() < 0.6:
        return _other_riff_chunks(random, data)
    return mutated_bytes(random, data)


def png(chunks: list[Chunk]) -> bytes:
    """A PNG of these chunks, each with its checksum."""
    return PNG + b"".join(
        struct.pack(">I", len(content) & 0xFFFFFFFF)
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )


def _chunks(data: bytes) -> list[Chunk]:
    found, at = [], len(PNG)
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        found.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def _changed_chunks(random: Random, chunks: list[Chunk]) -> list[Chunk]:
    index = random.randrange(len(chunks))
    kind, content = chunks[index]
    before, after = chunks[:index], chunks[index + 1 :]
    match random.choice(
        (
            "header",
            "large",
            "content",
            "content",
            "drop",
            "repeat",
            "move",
            "more",
            "bomb",
            "recipe",
        )
    ):
        case "header":
            return [(b"IHDR", _strange_header(random, chunks[0][1])), *chunks[1:]]
        case "large":
            return _large(random, chunks)
        case "content" if content:
            return [*before, (kind, mutated_bytes(random, content)), *after]
        case "drop":
            return before + after or chunks
        case "repeat":
            return [*before, *[(kind, content)] * times(random, len(content)), *after]
        case "move":
            return [chunks[0], *random.sample(chunks[1:], len(chunks) - 1)]
        case "more":
            more = (random.choice(_CHUNKS), random.choice((b"", random.randbytes(40), content)))
            return [*before, more, (kind, content), *after]
        case "bomb":
            return [chunks[0], _bomb(random), *chunks[1:]]
        case "recipe":
            return _with_recipe(random, chunks)
    return chunks


def _strange_header(random: Random, header: bytes) -> bytes:
    fields = [*struct.unpack(">IIBBBBB", header.ljust(13, b"\0")[:13])]
    at = random.choice((0, 1, 0, 1, 2, 3, 4, 5, 6))
    fields[at] = random.choice(_SIDES) if at < 2 else random.choice((0, 1, 2, 3, 4, 6, 8, 16, 255))
    return struct.pack(">IIBBBBB", *fields)


def _large(random: Random, chunks: list[Chunk]) -> list[Chunk]:
    """A small file of a large picture: all black, valid but for a missing end sometimes."""
    colour = random.choice(list(_COLOUR_TYPES))
    depth = random.choice((8, 8 if colour == 3 else 16))
    width, height = (random.choice((300, 4000, 13_000, 20_000, 60_000)) for _ in "xy")
    size = (1 + width * _COLOUR_TYPES[colour] * depth // 8) * height
    there = random.choice((size, size, size // 2, 1))
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, random.choice((0, 0, 1)))
    palette = [(b"PLTE", bytes(range(48)))] if colour == 3 else []
    rest = [c for c in chunks if c[0] in (b"iTXt", b"eXIf")]
    pixels = deflated_zeros(min(there, 3 << 30), 15)
    return [(b"IHDR", header), *palette, *rest, (b"IDAT", pixels), (b"IEND", b"")]


def _bomb(random: Random) -> Chunk:
    """Text or a profile that is packed a thousandfold."""
    packed = deflated_zeros(random.choice((2, 70, 1500)) << 20, 15)
    key = random.choice((_RECIPE, b"Comment\x00", b"Raw profile type exif\x00"))
    return random.choice(
        (
            (b"zTXt", key + b"\x00" + packed),
            (b"iTXt", key + b"\x01\x00\x00\x00" + packed),
            (b"iCCP", b"profile\x00\x00" + packed),
            (b"tEXt", key + b"[" * 100_000),
            (b"iTXt", key + b"\x00\x00\x00\x00" + b"[" * 100_000),
        )
    )


def _with_recipe(random: Random, chunks: list[Chunk]) -> list[Chunk]:
    """The recipe of a saved picture changed as JSON, or replaced by text of no sense."""
    start = _RECIPE + b"\x00\x00\x00\x00"
    for index, (kind, content) in enumerate(chunks):
        if kind == b"iTXt" and content.startswith(start):
            text = mutated_json(random, content[len(start) :])
            return [*chunks[:index], (kind, start + text), *chunks[index + 1 :]]
    text = random.choice(TEXTS).encode("utf-8", "surrogatepass")
    return [*chunks[:-1], (b"iTXt", start + text), *chunks[-1:]]


def _jpeg_of_other_size(random: Random, data: bytes) -> bytes:
    """A JPEG whose frame claims another height, width, depth or number of colours."""
    for marker in (b"\xff\xc0", b"\xff\xc2"):
        at = data.find(marker)
        if at >= 0:
            where, size = random.choice(((5, 2), (7, 2), (4, 1), (9, 1)))
            number = random.choice((*_SIDES, *INTEGERS)) % (1 << 8 * size)
            start = at + where
            return data[:start] + number.to_bytes(size, "big") + data[start + size :]
    return mutated_bytes(random, data)


def _other_segments(random: Random, data: bytes) -> bytes:
    """A JPEG whose segments before the pixels are changed, such as those of XMP."""
    segments, at = [], 2
    while data[at : at + 1] == b"\xff" and data[at + 1] != _SCAN and at + 4 < len(data):
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        segments.append((data[at : at + 2], data[at + 4 : end]))
        at = end
    changed = _other_parts(random, [*segments, (b"\xff\xe1", _MAIN + _xmp(random))])
    return data[:2] + b"".join(map(_segment, changed)) + data[at:]


def _segment(part: Chunk) -> bytes:
    marker, content = part
    return marker + min(len(content) + 2, 65_535).to_bytes(2, "big") + content


def _other_riff_chunks(random: Random, data: bytes) -> bytes:
    """A WebP whose chunks are changed, such as that of XMP."""
    chunks, at = [], 12
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        chunks.append((data[at : at + 4], data[at + 8 : at + 8 + length]))
        at += 8 + length + length % 2
    content = b"WEBP"
    for kind, part in _other_parts(random, [*chunks, (b"XMP ", _xmp(random))]):
        content += kind + len(part).to_bytes(4, "little") + part + b"\0" * (len(part) % 2)
    return b"RIFF" + len(content).to_bytes(4, "little") + content


def _other_parts(random: Random, parts: list[Chunk]) -> list[Chunk]:
    """Parts with one changed, left out, repeated, or in another place; the last is one to add."""
    *parts, more = parts
    index = random.randrange(len(parts)) if parts else 0
    kind, content = parts[index] if parts else more
    others = parts[:index] + parts[index + 1 :]
    return random.choice(
        (
            lambda: [*parts[:index], (kind, mutated_bytes(random, content)), *parts[index + 1 :]],
            lambda: [*parts[:index], (kind, _other_recipe(random, content)), *parts[index + 1 :]],
            lambda: others,
            lambda: [*parts[:index], *[(kind, content)] * times(random, len(content)), *others],
            lambda: random.sample(parts, len(parts)),
            lambda: [*parts[:1], more, *parts[1:]],
            lambda: [*others[:1], more, *others[1:]],
        )
    )()


def _other_recipe(random: Random, content: bytes) -> bytes:
    """The recipe in a packet of XMP changed as JSON."""
    before, mark, rest = content.partition(b"<dragonnx:recipe>")
    text, end, after = rest.partition(b"</dragonnx:recipe>")
    if not mark:
        return mutated_bytes(random, content)
    return before + mark + mutated_json(random, text) + end + after


def _xmp(random: Random) -> bytes:
    """A packet of XMP that means harm to who reads it as XML, or as marks and what is between."""
    many = random.choice((1, 30, 900))
    entities = b"".join(
        b'<!ENTITY e%d "%s">' % (n + 1, b"&e%d;" % n * 10) for n in range(min(many, 30))
    )
    return random.choice(
        (
            b'<!DOCTYPE x [<!ENTITY e0 "{}">' + entities + b"]><dragonnx:recipe>&e9;</x>",
            b"<dragonnx:recipe>" * many,
            b'<a dragonnx:recipe="' * many,
            b"<dragonnx:recipe>" + b"[" * 50 * many + b"</dragonnx:recipe>",
            b"<dragonnx:recipe>" + b"&quot;" * 9 * many + b"</dragonnx:recipe>",
            b"<xmpNote:HasExtendedXMP>" + b"A" * 32,
            b"<a>" * many,
        )
    )
