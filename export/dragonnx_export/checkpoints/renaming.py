"""State dicts of one project in the names of another."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from dragonnx.reading.pickles.vocabulary import quoted
from dragonnx_export.checkpoints.errors import CheckpointError


def renamed(entries: Mapping[str, object], names: Iterable[tuple[str, str]]) -> dict[str, object]:
    """The same arrays with the beginnings of their names replaced.

    Args:
        entries: Arrays by name.
        names: Pattern of a beginning and what stands for it. The first that fits is used.

    Raises:
        CheckpointError: Two arrays would have one name.
    """
    patterns = [(re.compile(pattern), replacement) for pattern, replacement in names]
    found: dict[str, object] = {}
    for name, value in entries.items():
        new = name
        for pattern, replacement in patterns:
            if match := pattern.match(name):
                new = match.expand(replacement) + name[match.end() :]
                break
        if new in found:
            raise CheckpointError(
                f"it holds the array {quoted(new)} under two names; leave one out"
            )
        found[new] = value
    return found
