"""What the terminal can show, from its environment and its answer about pixels."""

from __future__ import annotations

import contextlib
import os
import re
import select
import struct
import sys
import time
from collections.abc import Iterator, Mapping

from dragonnx.tui.drawing.cells import CanvasMode
from dragonnx.tui.drawing.geometry import CELL_ASPECT
from dragonnx.tui.drawing.graphics import Graphics, Protocol

SMALLEST = (80, 24)
"""Columns and rows that the editor needs."""

QUESTIONS = "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[16t\x1b[c"
"""Whether it takes Kitty's pictures, how large its cells are, and what it can do."""
_SIXEL_ATTRIBUTE = "4"
_PATIENCE = 2.0
"""Seconds; nearly every terminal answers, and what came later would be taken for keys."""
_USUAL_CELL = (10, 20)

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
    if _has_truecolor(env, term):
        return CanvasMode.HALF_BLOCKS
    if "256" in term or term.startswith(("xterm", "screen", "tmux", "rxvt")):
        return CanvasMode.HALF_BLOCKS_256
    return CanvasMode.COLOURED_ASCII if term else CanvasMode.ASCII


def _has_truecolor(env: Mapping[str, str], term: str) -> bool:
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


def protocol_of(answer: str) -> Protocol | None:
    """The better protocol that a terminal's answer to `QUESTIONS` tells of."""
    if "\x1b_Gi=31;OK" in answer:
        return Protocol.KITTY
    attributes = re.search(r"\x1b\[\?([\d;]+)c", answer)
    if attributes and _SIXEL_ATTRIBUTE in attributes[1].split(";")[1:]:
        return Protocol.SIXEL
    return None


def _asked(questions: str) -> str:
    """What the terminal answers, up to its primary attributes, which all terminals tell.

    Nothing where it cannot be asked.
    """
    answer = b""
    try:
        keyboard, screen = sys.__stdin__.fileno(), sys.__stdout__.fileno()  # type: ignore[union-attr]
        with _unbuffered(keyboard):
            os.write(screen, questions.encode())
            end = time.monotonic() + _PATIENCE
            while b"c" not in answer.rpartition(b"\x1b[?")[2] or b"\x1b[?" not in answer:
                left = end - time.monotonic()
                if left <= 0 or not select.select([keyboard], [], [], left)[0]:
                    break
                answer += os.read(keyboard, 1024)
    except (ImportError, OSError, AttributeError, ValueError):
        return ""
    return answer.decode("ascii", "replace")


@contextlib.contextmanager
def _unbuffered(keyboard: int) -> Iterator[None]:
    """What is typed arrives at once and is not shown.

    Raises:
        ImportError: The system has no terminals that can be set so; likewise OSError.
    """
    if sys.platform == "win32":
        raise OSError("a console of Windows cannot be read as a file")
    else:
        import termios
        import tty

        try:
            before = termios.tcgetattr(keyboard)
        except termios.error as error:
            raise OSError("the input is no terminal") from error
        try:
            tty.setcbreak(keyboard)
            yield
        finally:
            termios.tcsetattr(keyboard, termios.TCSANOW, before)


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
