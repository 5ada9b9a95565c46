"""JSON that others wrote: bounded in length, depth, number of values and digits, each name once."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any

from dragonnx.errors import InputError

LARGEST_TEXT = 16 * 2**20
"""Bytes, where a caller does not say: far more than any manifest."""
DEEPEST = 32
"""Lists and objects within one another; the deepest that dragonnx writes has six."""
MOST_VALUES = 100_000
"""Counted by the marks between them: a value may take fifty times the memory of its text."""
_MOST_DIGITS = 20
"""Of a whole number; 64 bits have no more."""
_STRING_OR_MARK = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{},]', re.DOTALL)
"""Texts are passed over whole; the quantifiers give nothing back, so any text takes linear time."""


def parse_json(
    content: bytes | str,
    what: str,
    *,
    largest: int = LARGEST_TEXT,
    most_values: int = MOST_VALUES,
    infinite: bool = False,
) -> Any:
    """The value of a JSON text in UTF-8.

    Args:
        content: The text.
        what: What messages call it: "the manifest".
        largest: Bytes or characters that it may have.
        most_values: Lists, objects, and what is in them, that it may hold.
        infinite: Whether Infinity is a number, as Python writes it.

    Raises:
        InputError: It is no JSON, too long, too deep, holds too many values, a number that is none or
            has too many digits, or a name twice in an object.
    """
    if len(content) > largest:
        raise InputError(f"{what} is too long: at most {largest} bytes of JSON are read")
    try:
        text = content if isinstance(content, str) else content.decode("utf-8-sig")
        _check_structure(text, what, most_values)
        return json.loads(
            text,
            parse_int=_whole,
            parse_float=_finite,
            parse_constant=_infinity if infinite else _constant,
            object_pairs_hook=_object,
        )
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"{what} is no JSON that can be used ({error})") from error


def _check_structure(text: str, what: str, most_values: int) -> None:
    """Refuse what would take much more memory than its text, or more of the stack than there is."""
    depth = marks = 0
    for found in _STRING_OR_MARK.finditer(text):
        first = text[found.start()]
        if first == '"':
            continue
        marks += 1
        if marks > most_values:
            raise InputError(f"{what} holds more than {most_values} values")
        if first in "[{":
            depth += 1
            if depth > DEEPEST:
                raise InputError(
                    f"{what} holds more than {DEEPEST} lists and objects in one another"
                )
        elif first in "]}":
            depth -= 1


def _whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)


def _finite(digits: str) -> float:
    if not math.isfinite(number := float(digits)):
        raise ValueError(f"the number {digits[:_MOST_DIGITS]} is too large")
    return number


def _constant(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _infinity(name: str) -> float:
    return _constant(name) if name == "NaN" else float(name)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise ValueError(f"the name {twice[:40]!r} comes twice")
    return values
