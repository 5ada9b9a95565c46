"""How long the terminal editor takes from a key to what it paints: idle, in a drag, in a dialog.

The editor runs in a pseudo-terminal as it does for a user: bytes of a key go in, and the time runs
until the bytes of the cross-hair's new place came out. Wants a quiet machine, and a system with
pseudo-terminals: Linux or macOS.

    python benchmarks/editor_latency.py --size 80x24 --size 120x40 --size 200x60
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import select
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
from pathlib import Path

from dragonnx.document import Document, LatentStart, save_document
from dragonnx.drag.config import DragConfig

HANDLE, TARGET = (107.0, 163.0), (150.5, 80.5)
"""At 256 px. Handles lie on whole pixels, so that the drag never ends."""
BACKSPACE = b"\x7f"
KEYS = {"right": b"\x1b[C", "left": b"\x1b[D"}
PATIENCE = 60.0


class Terminal:
    """An editor in a pseudo-terminal, with the end of what it wrote since the last key.

    It must read at least as fast as a real terminal: what the reader takes of the two cores, the
    editor lacks. So nothing is looked at twice.
    """

    def __init__(self, size: tuple[int, int], document: Path, folder: Path) -> None:
        self.process, self._handle = pty.fork()
        if self.process == 0:
            os.environ |= {
                "TERM": "xterm-256color",
                "COLORTERM": "truecolor",
                "DRAGONNX_STATE": str(folder),
                "DRAGONNX_CONFIG": str(folder),
            }
            os.execv(sys.executable, [sys.executable, "-m", "dragonnx.cli", "edit", str(document)])  # noqa: S606
        columns, rows = size
        fcntl.ioctl(self._handle, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._seen = b""

    def send(self, keys: bytes) -> None:
        self._seen = b""
        os.write(self._handle, keys)

    def wait(self, text: bytes) -> None:
        end = time.perf_counter() + PATIENCE
        while text not in self._seen:
            if time.perf_counter() > end:
                raise TimeoutError(f"{text!r} did not appear")
            self._seen = self._seen[-len(text) :]
            self.read(0.05)

    def read(self, seconds: float) -> None:
        if select.select([self._handle], [], [], seconds)[0]:
            self._seen += os.read(self._handle, 1 << 16)

    def rest(self, seconds: float) -> None:
        """Let the editor go on for a while, as between two keys of a user."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self._seen = b""
            self.read(left)

    def close(self) -> None:
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        os.close(self._handle)


WHERE = ("idle", "drag", "dialog")
"""On the canvas while nothing runs, there while a drag runs, in a dialog while a drag runs."""


def measure(model: str, image: int, size: tuple[int, int], keys: int, where: str) -> list[float]:
    """Milliseconds from each key to the paint that shows it."""
    scale = image / 256
    handle, target = ((x * scale, y * scale) for x, y in (HANDLE, TARGET))
    document = Document(
        model=model,
        start=LatentStart(13),
        config=DragConfig(preset="paper", max_steps=100_000, stop_distance=0.1),
    )
    document = document.with_point(handle).with_point(target)
    times = []
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "latency.dragonnx"
        save_document(document, path)
        terminal = Terminal(size, path, Path(name))
        try:
            terminal.wait(b"Opened latency")
            terminal.rest(1.0)
            if where != "idle":
                terminal.send(b" ")
                terminal.wait(b"steps/s")
                terminal.rest(0.5)
            x, y = image // 2, image // 2
            if where == "dialog":
                terminal.send(b"o")
                terminal.wait(b"Enter accepts")
                terminal.rest(1.0)
            for k in range(keys):
                key, by = ("right", 1) if k % 2 == 0 else ("left", -1)
                x += by
                typed, shows = KEYS[key], f"({x}, {y})".encode()
                if where == "dialog":  # nothing else on the screen has this letter
                    typed = shows = b"Z"
                began = time.perf_counter()
                terminal.send(typed)
                terminal.wait(shows)
                times.append(1e3 * (time.perf_counter() - began))
                if where == "dialog":
                    terminal.rest(0.05)
                    terminal.send(BACKSPACE)
                # An odd rest, so that keys fall anywhere between two frames.
                terminal.rest(0.037 + 0.011 * (k % 7))
        finally:
            terminal.close()
    return sorted(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="critters", help="a known model, or a bundle folder")
    parser.add_argument("--image", type=int, default=256, help="its image size in pixels")
    parser.add_argument("--size", action="append", help="columns x rows; may be repeated")
    parser.add_argument("--keys", type=int, default=100)
    given = parser.parse_args()
    for text in given.size or ["80x24", "120x40", "200x60"]:
        columns, rows = (int(part) for part in text.split("x"))
        for where in WHERE:
            times = measure(given.model, given.image, (columns, rows), given.keys, where)
            print(
                f"{text:>7} {where:>6}: median {statistics.median(times):5.1f} ms, "
                f"p95 {times[int(0.95 * len(times))]:5.1f} ms, largest {times[-1]:5.1f} ms",
                flush=True,
            )


if __name__ == "__main__":
    main()
