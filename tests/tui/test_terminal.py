"""The editor in a real terminal: tmux, keys only, mouse only, killed, and TERM=dumb."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.bundled import NOSE, NOSE_TARGET, SEED, SIZE

from dragonnx import open_picture
from dragonnx.document import open_document

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

HANG = 300.0
"""Seconds; a busy machine takes long."""
PICTURE = f"critters-seed{SEED}.png"
"""As the editor names it."""
_numbers = itertools.count()


class Terminal:
    """An editor in a terminal of 80 x 24."""

    def __init__(self, folder: Path, term: str = "", *arguments: str) -> None:
        self.folder = folder
        environment = {
            "TMUX_TMPDIR": str(folder),
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
        }
        self._tmux = ["tmux", "-L", f"dragonnx-{next(_numbers)}", "-f", "/dev/null"]
        self._environment = environment
        inner = [
            "env", f"DRAGONNX_STATE={folder}/state", f"DRAGONNX_CONFIG={folder}/config",
            *([f"TERM={term}", "COLORTERM="] if term else ["COLORTERM=truecolor"]),
            sys.executable, "-m", "dragonnx.cli", *arguments,
        ]  # fmt: skip
        self._run("new-session", "-d", "-x", "80", "-y", "24", "-c", str(folder), *inner)
        self.pid = int(self._run("list-panes", "-F", "#{pane_pid}"))

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [*self._tmux, *arguments],
            env=self._environment,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    @property
    def screen(self) -> str:
        return self._run("capture-pane", "-p")

    def wait(self, pattern: str) -> str:
        """Wait until the screen shows a pattern."""
        end = time.monotonic() + HANG
        while time.monotonic() < end:
            screen = self.screen
            if re.search(pattern, screen):
                return screen
            select_pause()
        pytest.fail(f"{pattern!r} did not appear on\n{self.screen}")

    def keys(self, *keys: str) -> None:
        self._run("send-keys", *keys)

    def type(self, text: str) -> None:
        self._run("send-keys", "-l", text)

    def mouse(self, column: int, row: int, button: int = 0) -> None:
        """Press and release the mouse, as a terminal reports it (SGR, from 1)."""
        for end in "Mm":
            self.type(f"\x1b[<{button};{column + 1};{row + 1}{end}")

    def close(self) -> None:
        subprocess.run([*self._tmux, "kill-server"], env=self._environment, check=False,
                       capture_output=True)  # fmt: skip


def select_pause() -> None:
    """Give the other process its turn between two looks at its screen."""
    time.sleep(0.05)


@pytest.fixture
def terminal(tmp_path):
    made = []

    def open_terminal(term: str = "", *arguments: str) -> Terminal:
        made.append(Terminal(tmp_path, term, *arguments))
        return made[-1]

    yield open_terminal
    for each in made:
        each.close()


def cell_of(x: int, y: int) -> tuple[int, int]:
    """Column and row of an image pixel on the 52 x 21 canvas below the title."""
    scale = min(52 / SIZE, 42 / SIZE)
    middle = (SIZE - 1) / 2
    return int(26 + (x - middle) * scale), int(1 + 10.5 + (y - middle) * scale / 2)


def arrows(start: tuple[int, int], end: tuple[int, int]) -> list[str]:
    """The keys that take the cross-hair from one pixel to another."""
    keys = []
    for change, back, forth in zip(
        np.subtract(end, start), ("Left", "Up"), ("Right", "Down"), strict=True
    ):
        far, near = divmod(abs(int(change)), 8)
        key = forth if change > 0 else back
        keys += [f"S-{key}"] * far + [key] * near
    return keys


def place(point: tuple[int, int]) -> str:
    """A point as the editor's status line tells it, for a regular expression."""
    return rf"\({point[0]}, {point[1]}\)"


def check_picture(path: Path) -> None:
    with Image.open(path) as picture:
        assert picture.size == (SIZE, SIZE)
    document = open_picture(path)
    assert document.result.outcome == "reached"
    assert document.pairs[0].distance <= 2


def test_keys_only_from_launch_to_a_saved_picture(terminal, tmp_path):
    editor = terminal()
    editor.wait("critters on cpu")
    editor.keys("s")
    editor.wait("Enter accepts")
    editor.type(str(SEED))
    editor.wait(rf"▊ +{SEED}")
    editor.keys("Enter")
    editor.wait(f"Seed {SEED}")
    editor.keys(*arrows((SIZE // 2, SIZE // 2), NOSE))
    editor.wait(place(NOSE))
    editor.keys("Enter")
    editor.wait("Now the target")
    editor.keys(*arrows(NOSE, NOSE_TARGET))
    editor.wait(place(NOSE_TARGET))
    editor.keys("Enter")
    editor.wait("Space starts the drag")
    editor.keys("Space")
    editor.wait("Reached in")
    editor.keys("e")
    editor.wait(PICTURE)
    editor.keys("Enter")
    editor.wait("Enter writes this file")
    editor.keys("Enter")
    editor.wait(rf"Wrote {re.escape(PICTURE)}")
    check_picture(tmp_path / PICTURE)
    editor.keys("q")
    editor.wait("not saved")
    editor.keys("y")


def test_mouse_only_from_launch_to_a_saved_picture(terminal, tmp_path):
    editor = terminal("", "edit", "--seed", str(SEED))
    editor.wait("critters on cpu")
    editor.mouse(*cell_of(*NOSE))
    editor.wait("Now the target")
    editor.mouse(*cell_of(*NOSE_TARGET))
    editor.wait("Space starts the drag")
    footer = editor.screen.splitlines()[23]
    editor.mouse(footer.index("Drag"), 23)
    editor.wait("Reached in")
    editor.mouse(footer.index("Export"), 23)
    screen = editor.wait(PICTURE).splitlines()
    row = next(k for k, line in enumerate(screen) if "Write" in line)
    editor.mouse(screen[row].index("Write"), row)
    editor.wait(rf"Wrote {re.escape(PICTURE)}")
    check_picture(tmp_path / PICTURE)


def autosaved(folder: Path) -> list[Path]:
    """Documents that are whole; one that is being written has a hidden name."""
    return list(folder.glob("[!.]*.dragonnx"))


def test_a_killed_editor_loses_nothing(terminal, tmp_path):
    editor = terminal("", "edit", "--seed", str(SEED))
    editor.wait("critters on cpu")
    editor.mouse(*cell_of(*NOSE))
    editor.wait("Now the target")
    editor.mouse(*cell_of(*NOSE_TARGET))
    editor.wait("Space starts the drag")
    folder = tmp_path / "state" / "autosave"
    end = time.monotonic() + HANG
    while not any(len(open_document(path).complete_pairs) for path in autosaved(folder)):
        assert time.monotonic() < end, "nothing was autosaved"
        select_pause()
    os.kill(editor.pid, signal.SIGKILL)
    editor.close()
    again = terminal("", "edit")
    again.wait("ended before its work was saved")
    again.keys("y")
    screen = again.wait(rf"seed {SEED}[\s\S]*Points \(1\)")
    found = re.search(r"1 (\d+),(\d+) to (\d+),(\d+)", screen)
    # A cell of the terminal is some pixels wide.
    assert np.abs(np.array(found.groups(), int) - [*NOSE, *NOSE_TARGET]).max() <= SIZE / 20


def test_a_poor_terminal_shows_ascii(terminal):
    editor = terminal("dumb", "edit", "--seed", str(SEED))
    editor.wait("critters on cpu")
    screen = editor.wait("[#%@]{3}")
    picture = "".join(line[:52] for line in screen.splitlines()[1:22])
    assert picture.isascii()
    assert len(set(picture)) > 6
    editor.keys("Enter")
    editor.wait("Now the target")


def processor_seconds(pid: int) -> float:
    """What a process has used of the processor: ps tells it as [days-]hours:minutes:seconds."""
    told = subprocess.run(["ps", "-o", "time=", "-p", f"{pid}"], check=True, capture_output=True,
                          text=True).stdout  # fmt: skip
    days, _, clock = told.strip().rpartition("-")
    parts = [float(part) for part in clock.split(":")]
    return int(days or 0) * 86400 + sum(part * 60**k for k, part in enumerate(reversed(parts)))


def test_the_first_picture_comes_soon(terminal):
    editor = terminal()
    editor.wait("critters on cpu")
    # Of the processor, since the machine may do other things besides: it takes about 2.
    assert processor_seconds(editor.pid) < 10
