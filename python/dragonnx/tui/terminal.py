"""What the terminal can show, as far as its environment tells."""

from __future__ import annotations

import contextlib
import os
import re
import struct
import sys
from collections.abc import Iterator, Mapping

from dragonnx.tui.drawing.cells import CanvasMode
from dragonnx.tui.drawing.geometry import CELL_ASPECT

SMALLEST = (80, 24)
"""Columns and rows that the editor needs."""

_TRUECOLOR_TERMS = ("kitty", "direct", "alacritty", "wezterm", "ghostty", "foot")
_TRUECOLOR_PROGRAMS = (
    "vscode", "iterm.app", "wezterm", "ghostty", "mintty", "hyper", "warpterminal", "rio", "tabby",
)  # fmt: skip
_FIRST_TRUECOLOR_APPLE = 464
"""The version of macOS 26's Terminal; those before show other colours than they are told."""


def best_mode(environment: Mapping[str, str] | None = None) -> CanvasMode:
    """The best way to show pictures without a graphics protocol."""
    env = os.environ if environment is None else environment
    term = env.get("TERM", "").lower()
    if term in ("dumb", "unknown", "vt100", "vt220") or env.get("NO_COLOR"):
        return CanvasMode.ASCII
    if has_truecolor(env, term):
        return CanvasMode.HALF_BLOCKS
    if "256" in term or term.startswith(("xterm", "screen", "tmux", "rxvt")):
        return CanvasMode.HALF_BLOCKS_256
    return CanvasMode.COLOURED_ASCII if term else CanvasMode.ASCII


def has_truecolor(env: Mapping[str, str], term: str) -> bool:
    """Whether the terminal shows 24-bit colours, as far as its environment tells."""
    program = env.get("TERM_PROGRAM", "").lower()
    if program == "apple_terminal":  # whatever COLORTERM says
        version = re.match(r"\d+", env.get("TERM_PROGRAM_VERSION", ""))
        return version is not None and int(version[0]) >= _FIRST_TRUECOLOR_APPLE
    told = env.get("COLORTERM", "").lower() in ("truecolor", "24bit")
    if told or any(name in term for name in _TRUECOLOR_TERMS):
        return True
    if term.startswith(("screen", "tmux")):
        return False  # the rest would tell of the terminal around it
    if (conemu := env.get("ConEmuANSI")) and program not in _TRUECOLOR_PROGRAMS:
        return conemu == "ON"
    # Windows names no TERM, and all of its consoles that the editor runs in have these colours.
    windows = not term and env.get("OS") == "Windows_NT"
    return windows or program in _TRUECOLOR_PROGRAMS or "WT_SESSION" in env


@contextlib.contextmanager
def without_others() -> Iterator[None]:
    """Nothing but Python itself writes on the screen in the block.

    Libraries in C print lines of their own for damaged files, past Python and across the editor.
    """
    screen = sys.__stderr__
    try:
        number = -1 if screen is None else screen.fileno()
    except (OSError, ValueError):
        number = -1
    if screen is None or number < 0:  # there is nothing to write on
        yield
        return
    terminal = os.fdopen(os.dup(number), "w", 1, screen.encoding, screen.errors)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)
    before = sys.stderr
    sys.__stderr__ = sys.stderr = terminal  # type: ignore[misc]  # where Textual paints
    try:
        yield
    finally:
        sys.__stderr__, sys.stderr = screen, before  # type: ignore[misc]
        with terminal:
            terminal.flush()
            os.dup2(terminal.fileno(), number)


def cell_size() -> tuple[int, int] | None:
    """(width, height) of a cell in pixels, where the terminal tells."""
    answer = b"\0" * 8
    try:
        if sys.platform != "win32":
            import fcntl
            import termios

            answer = fcntl.ioctl(sys.__stdout__.fileno(), termios.TIOCGWINSZ, answer)  # type: ignore[union-attr]
    except (ImportError, OSError, AttributeError, ValueError):
        return None
    rows, columns, width, height = struct.unpack("HHHH", answer)
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
