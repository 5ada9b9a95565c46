"""A generator that a file holds in parts: a dict for each of its two networks, or one in another.

    mapping      fc0.weight, ...            or fc0: {weight, ...}
    synthesis    b4.conv1.weight, ...       or b4: {conv1: {weight, ...}}

Both keys may begin with `G_`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from dragonnx.reading.pickles.inert import is_short_name

_HALVES = (("mapping", "synthesis"), ("G_mapping", "G_synthesis"))
_BLOCK = re.compile(r"(?:module\.)?b\d{1,6}\b")
_MAX_DEPTH = 8


def joined(value: Mapping[Any, object], budget: Iterator[int]) -> dict[str, object] | None:
    """The two networks as one dict under full names; None where a dict is something else.

    Args:
        value: A dict of a file.
        budget: Gives one for each entry that may be looked at; a dict may lie in many places.
    """
    for names in _HALVES:
        halves = {
            name: part for name in names if isinstance(part := value.get(name), dict) and part
        }
        if len(halves) < len(names):
            continue
        nvidia = any(isinstance(key, str) and _BLOCK.match(key) for key in halves[names[1]])
        entries: dict[str, object] = {}
        for name, part in halves.items():
            prefix = name.removeprefix("G_") if nvidia else name
            entries |= _flat(part, f"{prefix}.", budget)
        return entries if next(budget, None) is not None else None
    return None


def _flat(
    part: Mapping[Any, object], prefix: str, budget: Iterator[int], depth: int = _MAX_DEPTH
) -> Iterator[tuple[str, object]]:
    for key, value in part.items():
        if next(budget, None) is None:
            return
        if not is_short_name(key):
            continue
        if isinstance(value, dict):
            if depth:
                yield from _flat(value, f"{prefix}{key}.", budget, depth - 1)
        else:
            yield prefix + key, value
