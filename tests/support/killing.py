"""Killing the program at any moment, and what must hold afterwards.

A moment is a time, or a change to the disk before which it falls: half of them each, since most of a
run's time goes by without any change.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image
from support.editing import NAMES, PICTURE
from support.forked_program import HANGS, Ended, ForkedProgram, Machine
from support.pseudo_terminal import PseudoTerminal

from dragonnx.document import Document, LatentStart, Recovery, open_document, save_document
from dragonnx.files import save_bytes
from dragonnx.media import read_recipe
from dragonnx.model.library import find_bundle
from dragonnx.tui.preferences import Preferences

POINT = ("--point", "113,151:153,151", "--seed", "40")
HOME = {"models", "state", "config"}
"""Folders beside the working folder that the program may fill."""
RECENT = "recent-files.json"
"""In the state folder: names of files that were used."""


@dataclass(frozen=True)
class Scenario:
    """What is killed.

    Attributes:
        arguments: Of the command; empty for an editor.
        outputs: What it writes into the working folder.
        earlier: Commands before it, which are not killed.
        later: What the next start is.
    """

    arguments: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    earlier: tuple[tuple[str, ...], ...] = ()
    later: tuple[tuple[str, ...], ...] = ()


_CPU = ("--device", "cpu", "--threads", "1")
_DRAG = ("drag", *POINT, *_CPU, "--max-steps", "2", "-o", "out.png", "--latent-out", "out.npz",
         "--video", "out.gif", "--comparison", "pair.png", "--report", "out.json",
         "--progress", "progress.npz")  # fmt: skip
_INVERT = ("invert", "photo.png", *_CPU, "--steps", "26", "-o", "out.npz", "--preview", "out.png",
           "--progress", "progress.npz")  # fmt: skip
_ADD = ("models", "add", "bundle", "--name", "mine")
_REPLACE = ("models", "add", "other", "--name", "mine", "--overwrite")
_GENERATE = ("generate", "-o", "out.png", "--latent-out", "out.npz", *_CPU)
SCENARIOS = {
    "generate": Scenario(_GENERATE, ("out.png", "out.npz"), later=(_GENERATE,)),
    "drag": Scenario(
        _DRAG, ("out.png", "out.npz", "out.gif", "pair.png", "out.json", "progress.npz"), later=(_DRAG,)
    ),
    "invert": Scenario(_INVERT, ("out.npz", "out.png", "progress.npz"), later=(_INVERT,)),
    "models add": Scenario(_ADD, later=(("models",), (*_ADD, "--overwrite"), ("info", "mine"))),
    "models replace": Scenario(_REPLACE, earlier=(_ADD,), later=(("info", "mine"), _REPLACE)),
    "models remove": Scenario(
        ("models", "remove", "mine"), earlier=(_ADD,), later=(("models",), (*_ADD, "--overwrite"))
    ),
    "info": Scenario(("info",), later=(("info",),)),
    "doctor": Scenario(("doctor", "--model", "critters", *_CPU[:2]), later=(("doctor",),)),
    "editor": Scenario(),
    "terminal": Scenario(),
}  # fmt: skip


@dataclass
class Killer:
    """Kills runs, each at a moment of its seed.

    Args:
        program: Runs them.
        folder: For their files.
    """

    program: ForkedProgram
    folder: Path
    _lengths: dict[str, Ended] = field(default_factory=dict)
    """Of each scenario where it is not killed."""

    def kill(self, name: str, seed: int) -> str:
        """Kill one run and check what it left; returns the moment, in words."""
        rng = random.Random(f"{name} {seed}")  # noqa: S311
        scenario = SCENARIOS[name]
        if name not in self._lengths:
            whole = self._run(name, self._prepared(name, "whole"), seed)
            assert whole.code == 0, whole.stderr
            self._lengths[name] = whole
        whole = self._lengths[name]
        place = self._prepared(name, str(seed))
        if rng.random() < 0.5 or not whole.changes:
            dies = {"dies_after": rng.uniform(0, 1.05 * whole.seconds)}
        else:
            dies = {"dies_at_change": rng.randint(1, whole.changes + 1)}
        before = contents(place, scenario)
        ended = self._run(name, place, seed, **dies)
        assert ended.code in (0, -9), ended
        if not scenario.arguments:
            check_editor(place, ended)
        else:
            check_outputs(place, scenario, before, ended)
        for command in scenario.later:
            again = self.program.run(*command, machine=machine(place))
            assert again.code == 0, (command, again)
        check_nothing_left(place, scenario)
        shutil.rmtree(place.parent)
        return f"{name}, seed {seed}, {dies}: exit {ended.code}"

    def _run(self, name: str, place: Path, seed: int, **dies: float) -> Ended:
        if name == "terminal":
            return edit_in_a_terminal(place, **dies)
        if name == "editor":
            return self.program.run(machine=machine(place, **dies), editing=seed)
        return self.program.run(*SCENARIOS[name].arguments, machine=machine(place, **dies))

    def _prepared(self, name: str, seed: str) -> Path:
        """A working folder with inputs, and for every other seed of it with earlier outputs."""
        scenario = SCENARIOS[name]
        place = self.folder / f"{name}-{seed}" / "work"
        place.mkdir(parents=True)
        for other in ("bundle", "other"):
            if other in scenario.arguments or any(other in each for each in scenario.earlier):
                shutil.copytree(find_bundle("critters"), place / other)
        if "photo.png" in scenario.arguments:
            Image.fromarray(np.full((64, 64, 3), 128, np.uint8)).save(place / "photo.png")
        if seed != "whole" and int(seed) // len(SCENARIOS) % 2:
            for output in scenario.outputs:
                if output != "progress.npz":  # which would be read
                    (place / output).write_bytes(b"an earlier one")
        if name == "terminal":
            save_document(Document(start=LatentStart(1)), place / NAMES[0])
        for command in scenario.earlier:
            done = self.program.run(*command, machine=machine(place))
            assert done.code == 0, done
        return place


def edit_in_a_terminal(place: Path, dies_after: float = HANGS) -> Ended:
    """Go on with a document in the terminal editor and save it, until it is killed or left."""
    environment = dict(os.environ) | machine(place).env | {"TERM": "xterm-256color"}
    command = [sys.executable, "-m", "dragonnx.cli", "edit", NAMES[0], "--device", "cpu"]
    told, began = "", time.monotonic()
    with PseudoTerminal(command, environment, place) as terminal:
        timer = threading.Timer(dies_after, terminal.process.kill)
        timer.start()
        try:
            terminal.wait("Opened one")
            for seed in range(2, 5):
                terminal.press("n")
                terminal.press("\x13")
                terminal.wait("Saved one")
                told += f"{NAMES[0]} {seed}\n"
            terminal.press("n")
            terminal.press("q")
            terminal.wait("Leave")
            terminal.press("y")
            told += "left 0\n" * (terminal.end() == 0)
        except (AssertionError, OSError):
            assert terminal.process.wait(HANGS) == -signal.SIGKILL, terminal.written[-2000:]
        timer.cancel()
    return Ended(terminal.process.returncode, told, "", time.monotonic() - began, 0)


def machine(place: Path, **dies: float) -> Machine:
    env = {f"DRAGONNX_{name.upper()}": str(place.parent / name) for name in HOME}
    return Machine(folder=str(place), env=env, **dies)


def contents(place: Path, scenario: Scenario) -> dict[str, bytes | None]:
    paths = {name: place / name for name in scenario.outputs}
    return {name: path.read_bytes() if path.exists() else None for name, path in paths.items()}


def read_arrays(path: Path) -> None:
    with np.load(path) as archive:
        for name in archive.files:
            assert archive[name].size


def read_frames(path: Path) -> None:
    with Image.open(path) as animation:
        for frame in range(animation.n_frames):
            animation.seek(frame)
            animation.load()


READERS: dict[str, Callable[[Path], object]] = {
    ".png": read_recipe,
    ".npz": read_arrays,
    ".json": lambda path: json.loads(path.read_text("utf-8")),
    ".gif": read_frames,
}


def check_outputs(
    place: Path, scenario: Scenario, before: dict[str, bytes | None], ended: Ended
) -> None:
    """Each output is the earlier one or a whole new one; new where the program said so."""
    was_told = "wrote" in ended.stderr
    for name, old in before.items():
        path = place / name
        now = path.read_bytes() if path.exists() else None
        assert not was_told or now not in (None, old), f"{name} was said to be written"
        if now != old:
            assert now is not None, f"{name} is gone"
            READERS[path.suffix](path)


def check_editor(place: Path, ended: Ended) -> None:
    """What the editor said is saved is there, or a newer one; its copy is offered, at that age."""
    told = {name: int(number) for name, number in map(str.split, ended.stdout.splitlines())}
    for name in NAMES:
        if (place / name).exists():
            assert open_document(place / name).start.seed >= told.get(name, 0)
        assert (place / name).exists() or name not in told
    if PICTURE in told:
        assert read_recipe(place / PICTURE)["start"]["seed"] >= told[PICTURE]
    recovery = Recovery(place.parent / "state" / "autosave")
    lost = recovery.lost()
    if "left" not in told:
        assert len(lost) == 1 or "autosaved" not in told
        assert len(lost) <= 1
        for work in lost:
            assert recovery.recover(work).start.seed >= told.get("autosaved", 0)
    if "left" in told and ended.code == 0:
        assert lost == []
    for work in lost:
        recovery.discard(work)
    Preferences().save(place.parent / "config" / "editor.json")


def check_nothing_left(place: Path, scenario: Scenario) -> None:
    """After the next start."""
    inputs = {"photo.png", "bundle", "other"}
    if not scenario.arguments:  # the next start of an editor that saves
        save_bytes(b"1", place / "next")
        state = place.parent / "state"
        state.mkdir(exist_ok=True)
        save_bytes(b"[]", state / RECENT)
    expected = (
        inputs
        | set(scenario.outputs)
        | ({*NAMES, PICTURE, "next"} if not scenario.arguments else set())
    )
    assert {path.name for path in place.iterdir()} <= expected
    for name in HOME:
        folder = place.parent / name
        left = {path.name for path in folder.iterdir()} if folder.exists() else set()
        assert left <= {"mine", "autosave", "editor.json", RECENT}, left
        if (folder / "autosave").exists():
            assert list((folder / "autosave").iterdir()) == []
