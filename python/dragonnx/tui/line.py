"""The line to the terminal: writes on a thread of its own, and tells when it takes more.

Nobody ever waits for it but this thread, so that a terminal which reads slowly, or not at all, holds
up neither keys nor the end of the editor.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable

from dragonnx.tui.flow import Flow

QUESTION = "\x1b[6n"
"""Where the cursor is (DSR 6). All terminals answer, once they have read what was before it."""
_PIECE = 64 * 1024
_SLOW_PIECE = 512
"""Bytes of a write. On a slow line a large one would not say how it goes until it is over; until so
many are written nobody knows which line it is."""
_LONG = 0.25
"""Seconds that a large write takes on a slow line."""


class Line:
    """Writes to a terminal.

    Args:
        handle: The terminal.
        has_room: Called on the thread, once for each `call_when_room`.
        is_gone: Called on the thread, once, when nothing can be written any more.
    """

    def __init__(
        self, handle: int, has_room: Callable[[], object], is_gone: Callable[[], object]
    ) -> None:
        self._handle = handle
        self._has_room = has_room
        self._is_gone = is_gone
        self._flow = Flow()
        self._pending = bytearray()
        self._written = 0
        self._questions: deque[int] = deque()
        """For each that waits, how many bytes wait before its end."""
        self._wanted = False
        self._closed = False
        self._abandoned = False
        self._wake = threading.Condition()
        # Wakes the thread where it waits for the terminal. Looking now and then would do that too, but
        # each look lets a full line take a little, and then how long it takes says nothing of its rate.
        self._woken, self._waker = os.pipe()
        self._thread = threading.Thread(target=self._run, name="line", daemon=True)
        self._thread.start()

    @property
    def is_slow(self) -> bool:
        """Whether a whole screen takes the line so long that a user waits for it."""
        return self._flow.rate is not None

    def write(self, text: str, *, asks: bool = False) -> None:
        """Write a text, after all before it; returns at once.

        Args:
            text: What to write.
            asks: Whether to ask the terminal afterwards, whose answer says that it has read all.
        """
        with self._wake:
            if self._abandoned:
                return
            if asks:
                text += QUESTION
            self._pending += text.encode("utf-8", "replace")
            if asks:
                self._questions.append(len(self._pending))
            self._wake.notify_all()

    def answered(self) -> None:
        """The terminal has answered a question."""
        with self._wake:
            self._flow.answered(time.monotonic())
            self._wake.notify_all()

    def room(self) -> float:
        """Bytes that may be written so that the next key need not wait for them."""
        with self._wake:
            if self._pending:
                return 0
            return self._flow.room(time.monotonic())

    def call_when_room(self) -> None:
        """Call `has_room` as soon as something may be written."""
        with self._wake:
            self._wanted = True
            self._wake.notify_all()

    def abandon(self) -> None:
        """Write nothing any more, of what waits neither: nobody reads it."""
        with self._wake:
            if not self._abandoned:
                self._abandoned = True
                os.close(self._waker)
            self._pending.clear()
            self._wake.notify_all()

    def close(self, seconds: float) -> None:
        """End the thread after what waits; what is not taken within so many seconds is left out."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        self._thread.join(seconds)
        self.abandon()

    def _run(self) -> None:
        try:
            while (piece := self._next()) is not None:
                self._write(piece)
        except OSError:
            self.abandon()
            self._is_gone()
        finally:
            os.close(self._woken)

    def _next(self) -> bytes | None:
        """What to write next; None at the end."""
        with self._wake:
            if not self._pending:
                self._flow.paused()
            while not self._pending and not self._closed and not self._abandoned:
                seconds = None
                if self._wanted:
                    now = time.monotonic()
                    if self._flow.room(now) > 0:
                        self._wanted = False
                        self._has_room()
                        continue
                    seconds = self._flow.until_room(now)
                self._wake.wait(seconds)
            if self._abandoned or not self._pending:
                return None
            is_known = not self.is_slow and self._written > _PIECE
            piece = bytes(self._pending[: _PIECE if is_known else _SLOW_PIECE])
            self._written += len(piece)
            del self._pending[: len(piece)]
            self._questions = deque(end - len(piece) for end in self._questions)
            # Before it is written: the answer may be quicker than this thread.
            while self._questions and self._questions[0] <= 0:
                self._flow.asked(len(piece) + self._questions.popleft(), time.monotonic())
            return piece

    def _write(self, piece: bytes) -> None:
        """Write a piece, and have the estimate know how long that waited."""
        began = time.monotonic()
        if not select.select([self._woken], [self._handle], [])[1]:
            return
        free = time.monotonic()
        left = memoryview(piece)
        while left:
            left = left[os.write(self._handle, left) :]
        now = time.monotonic()
        with self._wake:
            if len(piece) > _SLOW_PIECE and now - free > _LONG:
                self._flow.wrote_slowly(len(piece), now - free, now)
            else:
                self._flow.wrote(len(piece), free - began, now)
