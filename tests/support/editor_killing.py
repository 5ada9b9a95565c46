"""The terminal editor, killed at any moment of what a user does in it, and its next start killed too.

What the user has read counts: a document that was saved, a picture that was written, and edits whose
effect was on the screen for a moment. All of it must be in a file, or be offered by the next start.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image
from support.pseudo_terminal import HANGS, PseudoTerminal

from dragonnx.document import Document, LatentStart, Recovery, open_document, save_document
from dragonnx.media import read_recipe

NAME = "one.dragonnx"
FIRST_SEED = 1
AUTOSAVED = 1.0
"""Seconds on the screen after which an edit counts as kept: writing it takes some hundredths."""
ACTIONS = ("edit", "points", "drag", "save", "export", "invert")
_AFTER_DRAG = ("Paused", "Reached", "Stopped", "No nearer", "Step limit")
_STEPS = re.compile(rb"(\d+) steps[,.]")
_QUESTION = "before its work was saved"
_KEYS = ("\x1b", "\t", "\x1b[A", "\x1b[B", "y", "a")
"""At what the next start asks, with Enter once: of the editor itself none changes what a `Look` tells."""


@dataclass(frozen=True)
class Look:
    """What tells one state of the document from another."""

    seed: int | None
    points: int
    dragged: bool

    @classmethod
    def of(cls, document: Document) -> Look:
        steps = 0 if document.result is None else document.result.steps
        seed = document.start.seed if document.start.w_plus is None else None
        return cls(seed, len(document.complete_pairs), steps > 0)


@dataclass
class Told:
    """What the user has read, in its order."""

    looks: list[tuple[Look, float]] = field(default_factory=list)
    """Of the document, and when each was seen."""
    saved: Look | None = None
    saves: list[Look] = field(default_factory=list)
    """Those that saving was asked for: one may be in the file before it is said."""
    written: list[str] = field(default_factory=list)
    coming: tuple[Look, ...] = ()
    """What the document may be before that is on the screen."""
    doing: str = "starting"
    began: float = 0.0
    """When the document was on the screen."""

    @property
    def look(self) -> Look:
        return self.looks[-1][0]

    def see(self, look: Look) -> None:
        self.looks.append((look, time.monotonic()))
        self.coming = ()


class EditorKiller:
    """Kills editors, each at a moment of its number.

    Args:
        folder: For their files.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seconds: float | None = None

    def kill(self, number: int) -> str:
        """Kill one editor and the one that follows it; returns what it was killed at."""
        rng = random.Random(number)  # noqa: S311
        if self._seconds is None:
            place = self._place("whole")
            whole = self._use(place, random.Random("whole"), HANGS, ACTIONS)  # noqa: S311
            assert whole.doing == "done"
            self._seconds = time.monotonic() - whole.began
            shutil.rmtree(place.parent)
        place = self._place(f"{number}")
        order = [*ACTIONS, *rng.choices(ACTIONS, k=3)]
        rng.shuffle(order)
        told = self._use(place, rng, rng.uniform(0, 1.4 * self._seconds), tuple(order))
        died = time.monotonic()
        self._check(place, told, died)
        then = ""
        if self._check(place, told, died):
            then = f", then after {self._answer(place, rng)!r} at what was asked"
            self._check(place, told, died)
        shutil.rmtree(place.parent)
        return f"{number}: killed {told.doing}{then}"

    def _place(self, name: str) -> Path:
        place = self._folder / name / "work"
        place.mkdir(parents=True)
        save_document(Document(start=LatentStart(FIRST_SEED)), place / NAME)
        pixels = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
        Image.fromarray(pixels).save(place / "photo.png")
        return place

    def _terminal(self, place: Path, *arguments: str) -> PseudoTerminal:
        folders = {f"DRAGONNX_{n.upper()}": str(place.parent / n) for n in ("state", "config")}
        environment = dict(os.environ) | folders | {"TERM": "xterm-256color"}
        command = [sys.executable, "-m", "dragonnx.cli", "edit", *arguments, "--device", "cpu"]
        return PseudoTerminal(command, environment, place, (80, 24))

    def _use(self, place: Path, rng: random.Random, after: float, order: tuple[str, ...]) -> Told:
        """Do one thing after another until it is killed."""
        told = Told([(Look(FIRST_SEED, 0, dragged=False), 0.0)])
        with self._terminal(place, NAME) as terminal:
            timer = threading.Timer(after, terminal.process.kill)
            try:
                terminal.wait("Opened one")
                told.began = time.monotonic()
                timer.start()
                for action in order:
                    told.doing = f"at {action}"
                    getattr(self, f"_{action}")(terminal, told, rng)
                told.doing = "done"
            except (AssertionError, OSError):
                code = terminal.process.wait(HANGS)
                assert code == -signal.SIGKILL, (code, told.doing, terminal.written[-3000:])
            timer.cancel()
        return told

    # --- what a user does ---------------------------------------------------------------------

    def _edit(self, terminal: PseudoTerminal, told: Told, _rng: random.Random) -> None:
        seed = (told.look.seed or 0) + 1
        told.coming = (Look(seed, 0, dragged=False),)
        terminal.press("n")
        terminal.wait(f"Seed {seed}.")
        told.see(Look(seed, 0, dragged=False))

    def _points(self, terminal: PseudoTerminal, told: Told, _rng: random.Random) -> None:
        seed, dragged = told.look.seed, told.look.dragged
        told.coming = (Look(seed, 0, dragged=dragged), Look(seed, 1, dragged=dragged))
        terminal.press("D\r")
        terminal.wait("Now the target")
        terminal.press("\x1b[1;2C\r")
        terminal.wait("Space starts the drag")
        told.see(Look(seed, 1, dragged=dragged))

    def _drag(self, terminal: PseudoTerminal, told: Told, rng: random.Random) -> None:
        if not told.look.points:
            self._points(terminal, told, rng)
        told.coming = (Look(told.look.seed, 1, dragged=True),)
        terminal.press(" ")
        terminal.wait("Dragging", "Going on", *_AFTER_DRAG)
        terminal.rest(rng.uniform(0, 0.6))
        terminal.press("x")
        terminal.wait(*_AFTER_DRAG, "No drag runs")
        steps = _STEPS.findall(terminal.since_keys)
        # One that is stopped at once makes none.
        told.see(Look(told.look.seed, 1, dragged=told.look.dragged or steps[-1:] != [b"0"]))

    def _save(self, terminal: PseudoTerminal, told: Told, rng: random.Random) -> None:
        if told.saved == told.look:  # the same words again would not be written
            self._edit(terminal, told, rng)
        told.saves.append(told.look)
        terminal.press("\x13")
        terminal.wait("Saved one")
        told.saved = told.look

    def _export(self, terminal: PseudoTerminal, told: Told, _rng: random.Random) -> None:
        terminal.press("e")
        terminal.wait("Enter chooses, then asks for the name")
        count = len(told.written)
        name = "one.png" if count == 0 else f"one-{count + 1}.png"
        terminal.press("\r\r")
        terminal.wait(f"Wrote {name}")
        told.written.append(name)

    def _invert(self, terminal: PseudoTerminal, told: Told, rng: random.Random) -> None:
        before, inverted = told.look, Look(None, 0, dragged=False)
        told.coming = (inverted,)
        terminal.press("P")
        terminal.wait("Enter starts")
        terminal.press("\x01\x0bphoto.png\r")  # what stood there before is removed
        terminal.wait("finding a good start", "Step ")
        terminal.wait("Step ")
        terminal.rest(rng.uniform(0, 0.5))
        terminal.press("x")
        terminal.wait(" dB. Now click")
        told.see(inverted)
        told.coming = (before,)
        terminal.press("u")
        terminal.wait("Undid: invert")
        told.see(before)

    # --- what must hold -----------------------------------------------------------------------

    def _answer(self, place: Path, rng: random.Random) -> str:
        """Start again, press any keys at what is asked, and be killed; the keys that were pressed."""
        keys = ["\r", *rng.choices(_KEYS, k=7)]
        rng.shuffle(keys)
        pressed = ""
        with self._terminal(place) as terminal:
            terminal.wait(_QUESTION)
            timer = threading.Timer(rng.uniform(0, 1.5), terminal.process.kill)
            timer.start()
            try:
                for key in keys:
                    terminal.press(key)
                    pressed += key
                    terminal.rest(rng.uniform(0, 0.3))
                terminal.end()
            except (AssertionError, OSError):
                pressed += " (gone)"
            assert terminal.process.wait(HANGS) == -signal.SIGKILL, terminal.written[-3000:]
            timer.cancel()
        return pressed

    def _check(self, place: Path, told: Told, died: float) -> bool:
        """What was read is in the file, or offered, or both; whether anything is offered."""
        in_file = Look.of(open_document(place / NAME))
        may_be = [told.saved or Look(FIRST_SEED, 0, dragged=False)]
        may_be += told.saves[-1:]  # saved, and killed before that was said
        assert in_file in may_be, (in_file, told)
        for name in told.written:
            read_recipe(place / name)
        kept = [at for at, (_, seen) in enumerate(told.looks) if died - seen > AUTOSAVED]
        allowed = [look for look, _ in told.looks[kept[-1] if kept else 0 :]]
        recovery = Recovery(place.parent / "state" / "autosave")
        try:
            offered = [Look.of(recovery.recover(work)) for work in recovery.lost()]
        finally:
            recovery.close()
        if in_file != allowed[0] or offered:
            assert any(look in (*allowed, *told.coming) for look in offered), (offered, told)
        return bool(offered)
