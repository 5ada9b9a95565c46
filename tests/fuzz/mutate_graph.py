"""ONNX graphs as their file format, protobuf: any field changed, its enclosing lengths made right."""

from __future__ import annotations

import math
import struct
from random import Random
from typing import TypeAlias

from fuzz.mutate import INTEGERS, TEXTS, mutated_bytes, times

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_WIDTHS = {_FIXED64: 8, _FIXED32: 4}
_DEEPEST = 12

Field: TypeAlias = "tuple[int, int, int | bytes | Message]"
"""Number, wire type, value."""
Message: TypeAlias = "list[Field]"

_NAMES = (
    *TEXTS, "location", "offset", "length", "weights.bin", "../weights.bin", "manifest.json", "/dev/zero",
    "w_plus", "image", "features", "z", "w", "ai.onnx", "ai.onnx.ml", "com.microsoft", "evil.domain",
    # Operators that take a graph along, make much of little, or do something else than they say.
    "If", "Loop", "Scan", "SequenceMap", "Constant", "ConstantOfShape", "Expand", "Tile", "Resize", "Range",
    "Pad", "Conv", "ConvTranspose", "MatMul", "Gemm", "Reshape", "Gather", "Slice", "Split", "Concat",
    "Einsum", "StringNormalizer", "RandomNormal", "OneHot", "Cast", "Identity", "Where", "ReduceSum", "Mul",
    "group", "strides", "pads", "dilations", "kernel_shape", "axis", "axes", "perm", "mode", "to", "equation",
)  # fmt: skip


def mutated_graph(random: Random, data: bytes) -> bytes:
    """One to three fields changed; what is no protobuf is changed as bytes."""
    message = parsed(data)
    if message is None or random.random() < 0.1:
        return mutated_bytes(random, data)
    if random.random() < 0.65:
        _change_a_little(random, message)
    else:
        for _ in range(random.randint(1, 3)):
            _change(random, message)
    return packed(message)


def parsed(data: bytes, depth: int = 0) -> Message | None:
    """The fields of a message, of inner ones too; None for what is none."""
    fields: Message = []
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if number == 0 or at < 0:
            return None
        if kind == _VARINT:
            value, at = _varint(data, at)
            if at < 0:
                return None
            fields.append((number, kind, value))
            continue
        length = _WIDTHS.get(kind, 0)
        if kind == _BYTES:
            length, at = _varint(data, at)
        elif not length:
            return None
        content = data[at : at + length]
        if at < 0 or len(content) < length:
            return None
        at += length
        # A text may look like a message too; either way its bytes come out as they were.
        inner = None
        if kind == _BYTES and length > 1 and depth < _DEEPEST and not content.isalnum():
            inner = parsed(content, depth + 1)
        fields.append((number, kind, content if inner is None else inner))
    return fields


def packed(message: Message) -> bytes:
    """The bytes of a message."""
    parts = []
    for number, kind, value in message:
        parts.append(_as_varint(number << 3 | kind))
        if isinstance(value, int):
            parts.append(_as_varint(value))
            continue
        content = packed(value) if isinstance(value, list) else value
        if kind == _BYTES:
            parts.append(_as_varint(len(content)))
        parts.append(content)
    return b"".join(parts)


def _change(random: Random, message: Message) -> None:
    places = list(_places(message))
    if not places:
        return
    holder, index = random.choice(places)
    number, kind, value = holder[index]
    match random.choice(
        ("value", "value", "value", "drop", "repeat", "exchange", "number", "move")
    ):
        case "value":
            holder[index] = (number, kind, _strange(random, value, kind))
        case "drop":
            del holder[index]
        case "repeat":
            size = len(packed([holder[index]]))
            holder[index:index] = [holder[index]] * times(random, size)
        case "exchange":
            other, place = random.choice(places)
            if place < len(other) and other[place][1] == kind:
                holder[index] = (number, kind, _copied(other[place][2]))
        case "number":
            holder[index] = (random.choice((1, 2, 3, 4, 5, 7, 8, 20, 2**29 - 1)), kind, value)
        case "move":
            other, place = random.choice(places)
            other.insert(place, (number, kind, _copied(value)))


def _change_a_little(random: Random, message: Message) -> None:
    """One change after which most of it still makes sense: a check of form alone lets it pass."""
    places = list(_places(message))
    holder, index = random.choice(places)
    number, kind, value = holder[index]
    alike = [h[i][2] for h, i in places if h[i][:2] == (number, kind)]
    if isinstance(value, list) or random.random() < 0.4:
        match random.choice(("alike", "alike", "drop", "repeat", "later")):
            case "alike":
                holder[index] = (number, kind, _copied(random.choice(alike)))
            case "drop":
                del holder[index]
            case "repeat":
                holder.insert(index, holder[index])
            case "later":
                holder.append(holder.pop(index))
    elif isinstance(value, int):
        near = (0, 1, 2, 3, 7, value + 1, value - 1, value * 2, -1, 1000, 100_000)
        holder[index] = (number, kind, random.choice(near) % 2**64)
    elif kind in _WIDTHS:
        numbers = (0.0, -1.0, 0.5, 1e30, math.nan, math.inf)
        packed_number = struct.pack("<f" if kind == _FIXED32 else "<d", random.choice(numbers))
        holder[index] = (number, kind, packed_number)
    elif len(value) >= 8 and not value.isascii():
        at = random.randrange(len(value) // 8) * 8
        item = struct.pack("<q", random.choice((0, 1, -1, 2, 3, 64, 100_000)))
        holder[index] = (number, kind, value[:at] + item + value[at + 8 :])
    else:
        holder[index] = (number, kind, _copied(random.choice(alike)))


def _strange(random: Random, value: int | bytes | Message, kind: int) -> int | bytes:
    if isinstance(value, int):
        return random.choice((*INTEGERS, value + 1, value - 1, value * 2)) % 2**64
    if kind in _WIDTHS:
        return random.randbytes(_WIDTHS[kind])
    content = packed(value) if isinstance(value, list) else value
    if random.random() < 0.5:
        return random.choice(_NAMES).encode("utf-8", "surrogatepass")
    if len(content) % 8 == 0 and content and random.random() < 0.5:  # shapes are kept as numbers
        at = random.randrange(len(content) // 8) * 8
        number = (random.choice(INTEGERS) % 2**64).to_bytes(8, "little")
        return content[:at] + number + content[at + 8 :]
    return mutated_bytes(random, content)


def _copied(value: int | bytes | Message) -> int | bytes | Message:
    return parsed(packed(value)) or b"" if isinstance(value, list) else value


def _places(message: Message, depth: int = 0) -> list[tuple[Message, int]]:
    found = []
    for index, (_, _, value) in enumerate(message):
        found.append((message, index))
        if isinstance(value, list):
            found += _places(value, depth + 1)
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at a place and where it ends; -1 where it does not."""
    value = shift = 0
    while 0 <= at < len(data) and shift < 70:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
    return 0, -1


def _as_varint(value: int) -> bytes:
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    parts.append(value)
    return bytes(parts)
