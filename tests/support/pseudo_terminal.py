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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HANGS = 300.0
"""Seconds; a busy machine takes long."""


@contextmanager
def _hears_hang_ups() -> Iterator[None]:
    """What is started in here ends with its terminal, also where nohup made the tests deaf to that."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


class PseudoTerminal:
    """Runs a program, reads all that it writes, and presses keys.

    Args:
        command: The program with its arguments.
        environment: All of it.
        folder: Where it runs.
        size: Columns and rows.
        rate: Bytes a second that are read at most; 0 for no limit.
        answers: Whether it tells where its cursor is, as terminals do; a bare reader does not.
    """

    def __init__(
        self, command: list[str], environment: dict[str, str], folder: Path,
        size: tuple[int, int] = (100, 30), *, rate: float = 0, answers: bool = False,
    ) -> None:  # fmt: skip
        self._rate = rate
        self._answers = answers
        self._answered = 0
        self._free_at = 0.0
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        with _hears_hang_ups():
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
            self.process.wait(HANGS)
        self.hang_up()

    def hang_up(self) -> None:
        """Let the terminal be gone. The program gets no signal: it is not its controlling one."""
        if self._ours >= 0:
            os.close(self._ours)
            self._ours = -1

    def press(self, keys: str) -> None:
        self._before = len(self.written)
        os.write(self._ours, keys.encode())

    def wait(self, *texts: str) -> int:
        """Read until the program has written one of the texts, after the last keys; how many bytes came."""

        def came() -> bool:
            return any(text.encode() in self.since_keys for text in texts)

        self._read(came)
        assert came(), self.written[-2000:]
        return self.read

    @property
    def since_keys(self) -> bytes:
        """What came after the last keys."""
        return self.written[self._before :]

    @property
    def read(self) -> int:
        """How many bytes came after the last keys."""
        return len(self.since_keys)

    def rest(self, seconds: float) -> None:
        """Read for a while."""
        end = time.monotonic() + seconds
        self._read(lambda: time.monotonic() >= end)

    def end(self) -> int:
        """Read until the program ends; its exit code."""
        self._read(lambda: False)
        return self.process.wait(HANGS)

    def _read(self, is_enough) -> None:
        end = time.monotonic() + HANGS
        while not is_enough():
            assert time.monotonic() < end, self.written[-2000:]
            wait = self._free_at - time.monotonic()
            if self._rate and wait > 0:
                time.sleep(min(wait, 0.05))
                continue
            if not select.select([self._ours], [], [], 0.1)[0]:
                continue
            try:
                got = os.read(self._ours, 256 if self._rate else 65536)
            except OSError:  # what Linux says when the program has ended
                return
            if not got:
                return
            self.written += got
            if self._rate:
                # What the reader slept too long it does not make up for.
                self._free_at = max(self._free_at, time.monotonic() - 0.05) + len(got) / self._rate
            asked = self.written.count(b"\x1b[6n") if self._answers else 0
            for _ in range(asked - self._answered):
                os.write(self._ours, b"\x1b[5;5R")
            self._answered = asked
