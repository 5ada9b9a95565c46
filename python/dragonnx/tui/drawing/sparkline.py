"""Curves of numbers in a line of text."""

from __future__ import annotations

from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"
PLAIN_BARS = "_.,-~=+*"


def sparkline(values: Sequence[float], width: int, *, plain: bool = False) -> str:
    """The newest values as bars, from the smallest to the largest of them."""
    shown = list(values)[-width:]
    if not shown:
        return ""
    bars = PLAIN_BARS if plain else BARS
    low, high = min(shown), max(shown)
    scale = (len(bars) - 1) / (high - low) if high > low else 0.0
    return "".join(bars[round((value - low) * scale)] for value in shown)
