"""Bytes changed at random, and the values that readers are least ready for.

A mutation takes all its choices from the random numbers that it is given, so that their seed gives
the same bytes again.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TypeAlias

Mutation: TypeAlias = Callable[[Random, bytes], bytes]

_HEADER = 64
"""Bytes in which most formats keep their sizes."""
_LONGEST_PIECE = 64
_SMALL = 2000
"""Bytes of a part that may stand thousands of times."""

INTEGERS = (
    0, 1, 2, 7, 8, 127, 128, 255, 256, 32767, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**32,
    2**53, 2**63 - 1, 2**63, 2**64 - 1, -1, -2, -128, -(2**31), -(2**63),
)  # fmt: skip
"""Around the borders of the types that sizes are kept in."""

TEXTS = (
    "", "x", " ", ".", "..", "/", "../../secret", "/etc/passwd", "/dev/zero", "C:\\secret", "~root",
    "~nobody-at-all/x", "a\nb", "a\r\x1b]0;title\x07\x1b[2J", "\x00", "\x9b31m", "\u202egnp.exe",
    "\ud800", "nan", "-1", "1e999", "%s%n{0}", "con", "manifest.json", "critters", "ab" * 150,
    "long " * 50_000,
)  # fmt: skip
"""Names, paths, terminal commands, what cannot be encoded, what has no end."""


def mutated_bytes(random: Random, data: bytes) -> bytes:
    """One to four changes of bytes that know nothing of the format; never empty."""
    changed = bytearray(data) or bytearray(b"\x80")
    for _ in range(random.randint(1, 4)):
        _change(random, changed)
        changed = changed or bytearray(b"\x80")
    return bytes(changed)


def cut(random: Random, data: bytes) -> bytes:
    """The file as a broken copy leaves it."""
    return data[: random.randrange(len(data) + 1)]


def grown(random: Random, data: bytes) -> bytes:
    """The file with something behind its end, or before its beginning."""
    more = random.choice((b"\x00" * 4096, data, random.randbytes(100)))
    return data + more if random.random() < 0.8 else more + data


def times(random: Random, size: int) -> int:
    """How often to repeat a part of so many bytes: a large one not very often."""
    return random.choice((1, 2, 3, 3000 if size < _SMALL else 3))


def _change(random: Random, data: bytearray) -> None:
    # Half of the changes go where the sizes are: in all of a file they are seldom met.
    reach = min(len(data), _HEADER) if random.random() < 0.5 else len(data)
    at = random.randrange(reach)
    piece = random.randint(1, _LONGEST_PIECE)
    match random.choice(("flip", "flip", "insert", "delete", "repeat", "number", "number", "copy")):
        case "flip":
            data[at] ^= random.randint(1, 255)
        case "insert":
            data[at:at] = random.randbytes(random.randint(1, 9))
        case "delete":
            del data[at : at + piece]
        case "repeat":
            data[at:at] = data[at : at + piece]
        case "number":
            size = random.choice((1, 2, 4, 8))
            number = random.choice(INTEGERS) % (1 << 8 * size)
            data[at : at + size] = number.to_bytes(size, random.choice(("little", "big")))
        case "copy":
            start = random.randrange(len(data))
            copied = data[start : start + piece]
            data[at : at + len(copied)] = copied
