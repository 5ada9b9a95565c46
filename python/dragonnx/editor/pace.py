"""How far running work may go: pausing it, ending it, and keeping it from a step for a moment."""

from __future__ import annotations

import contextlib
import os
import sys
import threading

NICENESS = 15
"""Of threads that compute, on Linux."""
LONGEST_YIELD = 0.05
"""Seconds that running work waits for the screen at most before its next step."""


class Pace:
    """What one thread asks of the work that runs on another. All methods return at once but one."""

    def __init__(self) -> None:
        self._pause = threading.Event()
        self._end = threading.Event()
        self._free = threading.Event()
        self._free.set()

    def begin(self) -> None:
        """Forget what was asked of earlier work."""
        self._pause.clear()
        self._end.clear()

    def pause(self) -> None:
        """Ask it to make no further step."""
        self._pause.set()

    def end(self) -> None:
        """Ask it to make no further step, and to end."""
        self._end.set()
        self._pause.set()

    def yield_to_screen(self) -> None:
        """Let it make no step while the screen handles a key or paints, until `go_on`.

        Both need the interpreter: side by side each takes twice as long, and only one has a user
        waiting for it.
        """
        self._free.clear()

    def go_on(self) -> None:
        """Let it make steps again."""
        self._free.set()

    @property
    def is_ending(self) -> bool:
        """Whether it is to end, not only to pause."""
        return self._end.is_set()

    def stops(self) -> bool:
        """Whether it is to make no further step. Asked before each, and may wait for the screen."""
        if not self._pause.is_set():
            self._free.wait(LONGEST_YIELD)
        return self._pause.is_set()


def go_after_the_screen() -> None:
    """Let the screen's thread have its turn before this one, and before what this one starts."""
    if sys.platform == "linux":
        # Threads that ONNX Runtime makes and processes inherit this.
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
