"""What the terminal can show, from its environment and its answer about pixels."""

from __future__ import annotations

import os
import re
import select
import struct
import sys
import time
from collections.abc import Mapping

from dragonnx.tui.cells import CanvasMode
from dragonnx.tui.geometry import CELL_ASPECT
from dragonnx.tui.graphics import Graphics, Protocol

SMALLEST = (80, 24)
"""Columns and rows that the editor needs."""

QUESTIONS = "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[16t\x1b[c"
"""Whether it takes Kitty's pictures, how large its cells are, and what it can do."""
_SIXEL_ATTRIBUTE = "4"
_PATIENCE = 2.0
"""Seconds; nearly every terminal answers, and what came later would be taken for keys."""
_USUAL_CELL = (10, 20)


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


def find_graphics(environment: Mapping[str, str] | None = None) -> Graphics | None:
    """How the terminal takes real pixels; None where it does not, or does not say.

    It is asked, so this must happen before anything else reads what is typed. DRAGONNX_GRAPHICS
    (kitty, sixel or none) answers for it.
    """
    env = os.environ if environment is None else environment
    chosen = env.get("DRAGONNX_GRAPHICS", "").lower()
    if chosen == "none" or best_mode(env) in (CanvasMode.COLOURED_ASCII, CanvasMode.ASCII):
        return None
    answer = "" if chosen else _asked(QUESTIONS)
    known = {protocol.value: protocol for protocol in Protocol}
    protocol = known.get(chosen) or protocol_of(answer)
    if protocol is None:
        return None
    told = re.search(r"\x1b\[6;(\d+);(\d+)t", answer)
    cell = cell_size() or ((int(told[2]), int(told[1])) if told else None)
    if cell is None:
        # Sixels of a wrong size would be torn; Kitty fits a picture into its cells.
        cell = _USUAL_CELL if protocol is Protocol.KITTY or chosen else None
    return None if cell is None else Graphics(protocol, cell)


def protocol_of(answer: str) -> Protocol | None:
    """The better protocol that a terminal's answer to `QUESTIONS` tells of."""
    if "\x1b_Gi=31;OK" in answer:
        return Protocol.KITTY
    attributes = re.search(r"\x1b\[\?([\d;]+)c", answer)
    if attributes and _SIXEL_ATTRIBUTE in attributes[1].split(";")[1:]:
        return Protocol.SIXEL
    return None


def _asked(questions: str) -> str:
    """What the terminal answers, up to its primary attributes, which all terminals tell."""
    try:
        import termios
        import tty

        handle = sys.__stdin__.fileno()  # type: ignore[union-attr]
        before = termios.tcgetattr(handle)
    except (ImportError, OSError, AttributeError, ValueError, termios.error):
        return ""
    answer = b""
    try:
        tty.setcbreak(handle)
        os.write(handle, questions.encode())
        end = time.monotonic() + _PATIENCE
        while b"c" not in answer.rpartition(b"\x1b[?")[2] or b"\x1b[?" not in answer:
            left = end - time.monotonic()
            if left <= 0 or not select.select([handle], [], [], left)[0]:
                break
            answer += os.read(handle, 1024)
    finally:
        termios.tcsetattr(handle, termios.TCSANOW, before)
    return answer.decode("ascii", "replace")


def cell_size() -> tuple[int, int] | None:
    """(width, height) of a cell in pixels, where the terminal tells."""
    try:
        import fcntl
        import termios

        answer = fcntl.ioctl(sys.__stdout__.fileno(), termios.TIOCGWINSZ, b"\0" * 8)  # type: ignore[union-attr]
        rows, columns, width, height = struct.unpack("HHHH", answer)
    except (ImportError, OSError, AttributeError, ValueError):
        return None
    if not (rows and columns and width >= columns and height >= rows):
        return None
    return width // columns, height // rows


def cell_aspect() -> float:
    """Width of a cell over its height, as the terminal tells, else one half."""
    size = cell_size()
    if size is None:
        return CELL_ASPECT
    aspect = size[0] / size[1]
    return aspect if 0.3 < aspect < 0.9 else CELL_ASPECT
