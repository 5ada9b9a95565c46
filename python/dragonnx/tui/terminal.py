"""What the terminal can show, from its environment and its answer about pixels."""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Mapping

from dragonnx.tui.cells import CanvasMode
from dragonnx.tui.geometry import CELL_ASPECT

SMALLEST = (80, 24)
"""Columns and rows that the editor needs."""


def best_mode(environment: Mapping[str, str] | None = None) -> CanvasMode:
    """The best way to show pictures without a graphics protocol."""
    env = os.environ if environment is None else environment
    term = env.get("TERM", "").lower()
    if term in ("", "dumb", "unknown", "vt100", "vt220") or env.get("NO_COLOR"):
        return CanvasMode.ASCII
    rich_terms = ("kitty", "direct", "alacritty", "wezterm", "ghostty", "foot")
    if env.get("COLORTERM", "").lower() in ("truecolor", "24bit") or any(
        name in term for name in rich_terms
    ):
        return CanvasMode.HALF_BLOCKS
    if "256" in term or term.startswith(("xterm", "screen", "tmux", "rxvt")):
        return CanvasMode.HALF_BLOCKS_256
    return CanvasMode.COLOURED_ASCII


def cell_aspect() -> float:
    """Width of a cell over its height, as the terminal tells, else one half."""
    try:
        import fcntl
        import termios

        answer = fcntl.ioctl(sys.__stdout__.fileno(), termios.TIOCGWINSZ, b"\0" * 8)  # type: ignore[union-attr]
        rows, columns, width, height = struct.unpack("HHHH", answer)
    except (ImportError, OSError, AttributeError, ValueError):
        return CELL_ASPECT
    if not (rows and columns and width and height):
        return CELL_ASPECT
    aspect = (width / columns) / (height / rows)
    return aspect if 0.3 < aspect < 0.9 else CELL_ASPECT
