"""What the terminal says of itself: whether it takes pictures, how, and how many colours it shows."""

from __future__ import annotations

import contextlib
import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dragonnx.errors import InputError
from dragonnx.reading.values import shown
from dragonnx.tui.drawing.cells import CanvasMode
from dragonnx.tui.drawing.graphics import Graphics, Protocol
from dragonnx.tui.terminal import best_mode, cell_size, has_truecolor

CHOICE = "DRAGONNX_GRAPHICS"
"""What a user answers for the terminal: a protocol's name, or none."""
PICTURES = "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[>q\x1b[16t"
"""Whether it takes Kitty's pictures, which program it is (XTVERSION), and how large its cells are."""
COLOURS = "\x1b[48;2;1;2;3m\x1bP$qm\x1b\\\x1b[0m\x1bP+q524742;5463\x1b\\"
"""Which background it has after one of 24 bits (DECRQSS), and its capabilities RGB and Tc (XTGETTCAP)."""
LAST = "\x1b[c"
"""Its primary attributes, which all terminals tell."""
_SIXEL_ATTRIBUTE = "4"
_SIXEL_FEATURE = "sixel"
"""Of the terminal around tmux, as tmux names it."""
_ITERM_PROGRAMS = ("iTerm2", "WezTerm", "mintty")
_KITTY_TERMS = ("xterm-kitty", "xterm-ghostty")
"""Around tmux: terminals that have Kitty's placeholders."""
_PATIENCE = 2.0
"""Seconds; nearly every terminal answers, and what came later would be taken for keys."""
_USUAL_CELL = (10, 20)


@dataclass(frozen=True)
class Shows:
    """What a terminal shows.

    Attributes:
        graphics: How it takes real pixels; None where it does not, or does not say.
        truecolor: Whether it shows colours of 24 bits.
    """

    graphics: Graphics | None
    truecolor: bool


def ask_terminal(environment: Mapping[str, str] | None = None) -> Shows:
    """What the terminal shows. This must happen before anything else reads what is typed.

    Raises:
        InputError: DRAGONNX_GRAPHICS says something that there is not.
    """
    env = os.environ if environment is None else environment
    chosen = env.get(CHOICE, "").lower()
    known = {protocol.value: protocol for protocol in Protocol}
    if chosen and chosen != "none" and chosen not in known:
        raise InputError(f"{CHOICE} must be {', '.join(known)} or none, not {shown(chosen)}")
    truecolor = has_truecolor(env, env.get("TERM", "").lower())
    if best_mode(env) in (CanvasMode.COLOURED_ASCII, CanvasMode.ASCII):
        return Shows(None, truecolor)
    # Its Terminal shows what it is asked, and says itself what it can, by its version.
    asks_colours = not truecolor and env.get("TERM_PROGRAM", "").lower() != "apple_terminal"
    questions = ("" if chosen else PICTURES) + COLOURS * asks_colours
    answer = _asked(questions + LAST) if questions else ""
    truecolor = truecolor or tells_truecolor(answer)
    protocol = known.get(chosen)
    if protocol is None and not chosen:
        protocol = protocol_of(answer)
        if env.get("TMUX"):
            protocol = _protocol_in_tmux(env, protocol)
    return Shows(_graphics(protocol, answer, is_chosen=bool(chosen)), truecolor)


def _graphics(protocol: Protocol | None, answer: str, *, is_chosen: bool) -> Graphics | None:
    if protocol is None:
        return None
    told = re.search(r"\x1b\[6;(\d+);(\d+)t", answer)
    cell = cell_size() or ((int(told[2]), int(told[1])) if told else None)
    if cell is None:
        # Sixels of a wrong size would be torn; others fit a picture into its cells.
        cell = _USUAL_CELL if protocol.enlarges or is_chosen else None
    return None if cell is None else Graphics(protocol, cell)


def protocol_of(answer: str) -> Protocol | None:
    """The best protocol that a terminal's answer tells of."""
    if "\x1b_Gi=31;OK" in answer:
        return Protocol.KITTY
    program = re.search(r"\x1bP>\|(\w+)", answer)
    if program and program[1] in _ITERM_PROGRAMS:
        return Protocol.ITERM
    attributes = re.search(r"\x1b\[\?([\d;]+)c", answer)
    if attributes and _SIXEL_ATTRIBUTE in attributes[1].split(";")[1:]:
        return Protocol.SIXEL
    return None


def tells_truecolor(answer: str) -> bool:
    """Whether an answer to `COLOURS` says that the colour was kept as it was, or that there are such."""
    kept = re.search(r"\x1bP1\$r[\d;:]*48[;:]2[;:]+(?:\d+:)?1[;:]2[;:]3[\d;:]*m", answer)
    return bool(kept or re.search(r"\x1bP1\+r(524742|5463)", answer))


def _protocol_in_tmux(env: Mapping[str, str], own: Protocol | None) -> Protocol | None:
    """What tmux and the terminal around it take together.

    tmux that knows sixels says so wherever it runs, and shows words where the terminal around it has
    none: then Kitty's pictures pass through it, where that terminal has its placeholders. tmux is asked,
    not the terminal: that one's answer could come as late as keys do.

    Args:
        env: The environment.
        own: What tmux itself says that it takes.
    """
    facts = "#{client_termname}|#{allow-passthrough}|#{client_termfeatures}"
    question = ["tmux", "display-message", "-p", facts]
    try:
        done = subprocess.run(  # noqa: S603 no shell, and nothing of a stranger's in it
            question, capture_output=True, text=True, timeout=_PATIENCE, check=False, env=dict(env)
        )
    except (OSError, subprocess.SubprocessError):
        return own
    term, passes, features = (*done.stdout.strip().split("|"), "", "")[:3]
    if own is Protocol.SIXEL and _SIXEL_FEATURE in features.split(","):
        return own
    return Protocol.TMUX if term in _KITTY_TERMS and passes in ("on", "all", "1") else None


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
