"""A program in a terminal of its own, and every byte that it writes there."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path

HANGS = 300.0
"""Seconds; a busy machine takes long."""


class PseudoTerminal:
    """Runs a program, reads all that it writes, and presses keys.

    Args:
        command: The program with its arguments.
        environment: All of it.
        folder: Where it runs.
        size: Columns and rows.
    """

    def __init__(
        self, command: list[str], environment: dict[str, str], folder: Path,
        size: tuple[int, int] = (100, 30),
    ) -> None:  # fmt: skip
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.process = subprocess.Popen(
            command, env=environment, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs,
            start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self.written = b""
        self._before = 0

    def __enter__(self) -> PseudoTerminal:
        return self

    def __exit__(self, *error: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        os.close(self._ours)

    def press(self, keys: str) -> None:
        self._before = len(self.written)
        os.write(self._ours, keys.encode())

    def wait(self, text: str) -> None:
        """Read until the program has written a text, after the last keys."""
        self._read(lambda: text.encode() in self.written[self._before :])
        assert text.encode() in self.written[self._before :], self.written[-2000:]

    def end(self) -> int:
        """Read until the program ends; its exit code."""
        self._read(lambda: False)
        return self.process.wait(HANGS)

    def _read(self, is_enough) -> None:
        end = time.monotonic() + HANGS
        while not is_enough():
            assert time.monotonic() < end, self.written[-2000:]
            if not select.select([self._ours], [], [], 0.1)[0]:
                continue
            try:
                got = os.read(self._ours, 65536)
            except OSError:  # what Linux says when the program has ended
                return
            if not got:
                return
            self.written += got
