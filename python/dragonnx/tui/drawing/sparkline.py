"""Curves of numbers in lines of text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

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


def plot(values: Sequence[float], width: int, rows: int, *, plain: bool = False) -> list[str]:
    """All values, from 0 to the largest, as bars on so many rows; lines of the same width."""
    if not len(values):
        return []
    shown = np.asarray(values, np.float64)[columns_of(len(values), width)]
    bars = " " + (PLAIN_BARS if plain else BARS)
    parts = len(bars) - 1
    heights = np.rint(shown / max(shown.max(), 1e-9) * rows * parts).astype(int)
    lines = []
    for row in range(rows - 1, -1, -1):
        levels = np.clip(heights - row * parts, 0 if row else 1, parts)
        lines.append("".join(bars[level] for level in levels.tolist()))
    return lines


def columns_of(count: int, width: int) -> list[int]:
    """Which of so many values each column of a plot shows: the first at its left, the last at its right."""
    return [round(at) for at in np.linspace(0, count - 1, width).tolist()]
