"""A pickle's bytes, taken in order: numbers, text, names, and the lines of protocols 0 and 1."""

from __future__ import annotations

import re
import struct
from typing import Any

from dragonnx.errors import InputError
from dragonnx.reading.pickles.vocabulary import DAMAGED

_LONGEST_NUMBER = 160
"""Characters: as long as the whole numbers of later protocols may be."""
_LONGEST_NAME = 256
_SHORT_LINE = 64
"""Bytes in which the end of a line is looked for first."""
_ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|[nrt\\'\"]|.|$)", re.DOTALL)
_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"\\": b"\\", b"'": b"'", b'"': b'"'}
"""What Python 2 escapes in a string, beside characters by their number."""
_WHOLE = re.compile(rb"\s*[+-]?\d+L?\s*")


class OldText(str):
    """A string of Python 2, which may be text or bytes; as text each character stands for a byte.

    Attributes:
        raw: The bytes.
    """

    raw: memoryview

    def __new__(cls, raw: bytes | memoryview) -> OldText:
        """The string of these bytes."""
        text = super().__new__(cls, bytes(raw), "latin-1")
        text.raw = memoryview(raw).toreadonly()
        return text


def whole_number(line: bytes) -> int:
    """A number, or one of the constants True and False, which are spelt 01 and 00.

    Raises:
        InputError: It is none, or longer than any.
    """
    if line in (b"00", b"01"):
        return line == b"01"
    if len(line) > _LONGEST_NUMBER or not _WHOLE.fullmatch(line):
        raise InputError(DAMAGED)
    return int(line.strip().rstrip(b"L"))


def fraction(line: bytes) -> float:
    """A number with a fraction.

    Raises:
        InputError: It is none.
    """
    try:
        return float(line[:_LONGEST_NUMBER])
    except ValueError as error:
        raise InputError(DAMAGED) from error


def quoted_text(line: bytes) -> OldText:
    """A string of Python 2, quoted and escaped.

    Raises:
        InputError: The quotes or the escapes are damaged.
    """
    line = line.rstrip(b"\r")
    if len(line) < 2 or line[:1] not in (b"'", b'"') or line[-1:] != line[:1]:
        raise InputError(DAMAGED)
    return OldText(_ESCAPE.sub(_unescaped, line[1:-1]))


def _unescaped(match: re.Match[bytes]) -> bytes:
    what = match[1]
    if what[:1] == b"x" and len(what) > 1:
        return bytes.fromhex(what[1:].decode())
    if what not in _ESCAPED:
        raise InputError(DAMAGED)
    return _ESCAPED[what]


def escaped_text(line: bytes) -> str:
    """Text in which the characters that Latin-1 lacks are escaped.

    Raises:
        InputError: An escape is damaged, or stands for no character.
    """
    try:
        text = line.decode("raw-unicode-escape")
        text.encode("utf-8")
    except UnicodeError as error:
        raise InputError(DAMAGED) from error
    return text


class PickleBytes:
    """The bytes of a pickle, and the place in them.

    Attributes:
        data: All of them.
        position: How many were taken.
    """

    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.position = 0

    def take(self, count: int) -> memoryview:
        """The next bytes.

        Raises:
            InputError: There are not so many.
        """
        end = self.position + count
        if end > len(self.data):
            raise InputError("it ends early, so it is truncated or damaged; fetch it again")
        taken = self.data[self.position : end]
        self.position = end
        return taken

    def number(self, layout: struct.Struct) -> Any:
        """The next number."""
        return layout.unpack(self.take(layout.size))[0]

    def text(self, layout: struct.Struct) -> str:
        """The next text in UTF-8, after its length.

        Raises:
            InputError: It is none.
        """
        return _text(self.take(self.number(layout)))

    def line(self, longest: int | None = None) -> bytes:
        """What is left of the line, without its end.

        Raises:
            InputError: It is longer, or has no end.
        """
        window, length = self.data[self.position :][:longest], _SHORT_LINE
        while (end := bytes(window[:length]).find(b"\n")) < 0:
            if length >= len(window):
                raise InputError(DAMAGED)
            length *= 8
        self.position += end + 1
        return bytes(window[:end])

    def name(self) -> str:
        """A line that is a name."""
        return _text(self.line(_LONGEST_NAME))


def _text(raw: bytes | memoryview) -> str:
    try:
        return str(raw, "utf-8")
    except UnicodeDecodeError as error:
        raise InputError(DAMAGED) from error
