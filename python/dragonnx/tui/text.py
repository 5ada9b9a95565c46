"""Small texts: sparklines and numbers as a person reads them. Pure."""

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


def one_line(text: str) -> str:
    """A text without line breaks or control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
