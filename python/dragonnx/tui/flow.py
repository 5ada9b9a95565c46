"""How much a terminal takes: estimated from writes that wait, and from when it answers.

Between the editor and the screen lie buffers that nobody can look into: of the system, of tmux, of
SSH and the network. What lies in them is what a key waits for, so a slow line gets no more than it
takes in a moment. How much that is, is told by

- the answers to a question (where the cursor is) that follows each frame, where a terminal gives
  them: they come when all before them was read, however many buffers there are;
- else how long writing waits once the nearest buffer is full.
"""

from __future__ import annotations

import math
from collections import deque

_MOMENT = 0.15
"""Seconds of output that may be on its way on a slow line."""
_FAST = 1e6
"""Bytes a second of a line that is not slow any more."""
_NEAREST_BUFFER = 16 * 1024
"""Bytes that a pseudo-terminal of Linux holds, about; those of macOS hold less."""
_SURE = 0.1
"""Seconds of waiting from which a rate is told: on a busy machine a reader may sleep for a moment."""
_FEW = 1024
"""Bytes from which no rate is told."""
_LESS, _MORE = 0.9, 1.5
"""Of a rate: so much is used of it, so that buffers empty; so much more is tried after a while."""
_QUIET = 30.0
"""Seconds without waiting after which a line may have become faster; more each time it has not."""
_LONGEST_QUIET = 600.0
_LATE = 0.1
"""Seconds that an answer comes later than the soonest one, and tells that output is queued."""
_PATIENCE = 3.0
"""Seconds after which an answer is late, whatever comes before it."""
_SLOWEST = 2e3
"""Bytes a second of the slowest line whose answers are waited for."""
_UNANSWERED = 32 * 1024
"""Bytes that may be on their way to a terminal that is asked and seems fast."""


class Flow:
    """An estimate. It has no clock and no thread: whoever writes tells it what happens, and when."""

    def __init__(self) -> None:
        self._rate: float | None = None
        self._level = 0.0
        self._at = 0.0
        self._busy_since: float | None = None
        self._busy_bytes = 0.0
        self._calm_since = 0.0
        self._quiet = _QUIET
        self._has_grown = False
        self._sent = 0
        self._answered = 0
        self._questions: deque[tuple[float, int]] = deque()
        self._last_answer = 0.0
        self._soonest = math.inf

    @property
    def rate(self) -> float | None:
        """Bytes a second that the line takes; None where it is not slow."""
        return self._rate

    @property
    def _answers(self) -> bool:
        return self._soonest < math.inf

    @property
    def _patience(self) -> float:
        """Seconds that an answer is waited for: a slow line has much to read before."""
        return _PATIENCE + (self._sent - self._answered) / _SLOWEST

    def wrote(self, count: int, waited: float, now: float) -> None:
        """So many bytes were taken, after waiting so many seconds for room.

        A pseudo-terminal that was full takes no more until it is empty: so what was written until
        then, since it was empty before or since writing began, is what the line took in that time.
        """
        self._decay(now)
        if self._busy_since is None:
            self._busy_since, self._busy_bytes = now - waited, self._level
        if waited >= _SURE:
            elapsed = now - self._busy_since
            if self._busy_bytes > _FEW:
                self._set_rate(_LESS * self._busy_bytes / elapsed)
            elif self._rate is not None:
                self._set_rate(_LESS * self._rate)
            self._filled(0.0, now)
        elif now - self._calm_since > self._quiet and not self._answers and self._rate:
            self._set_rate(_MORE * self._rate)
            self._calm_since, self._has_grown = now, True
        self._level += count
        self._busy_bytes += count
        self._sent += count

    def wrote_slowly(self, count: int, seconds: float, now: float) -> None:
        """So many bytes were taken at once, more than any buffer holds, and that took so long."""
        self._set_rate(_LESS * max(count - _NEAREST_BUFFER, count / 2) / seconds)
        self._filled(_NEAREST_BUFFER, now)
        self._sent += count

    def paused(self) -> None:
        """Nothing waits to be written."""
        self._busy_since = None

    def _filled(self, level: float, now: float) -> None:
        """The nearest buffer was full, and now holds so many bytes."""
        self._level = self._busy_bytes = level
        self._at = self._busy_since = self._calm_since = now
        if self._has_grown:
            self._quiet, self._has_grown = min(2 * self._quiet, _LONGEST_QUIET), False

    def asked(self, ahead: int, now: float) -> None:
        """A question is about to be written, and so many bytes with it or before it."""
        self._questions.append((now, self._sent + ahead))

    def answered(self, now: float) -> None:
        """The first question that was open is answered."""
        if not self._questions:  # of another program, or late
            return
        asked, sent = self._questions.popleft()
        delay, count = now - asked, max(sent - self._answered, 0)
        late = delay - min(self._soonest, delay)
        self._soonest = min(self._soonest, delay)
        if late > _LATE and count:
            seen = count / max(now - max(self._last_answer, asked - self._soonest), 1e-3)
            self._set_rate(seen if self._rate is None else (self._rate + seen) / 2)
        elif self._rate is not None:
            self._set_rate(1.5 * self._rate)
        self._answered, self._last_answer = sent, now

    def room(self, now: float) -> float:
        """Bytes that may be written now; infinite on a fast line, not above 0 where none may."""
        if self._questions and now - self._questions[0][0] > self._patience:
            # It was lost, or the terminal gives none any more.
            self._questions.clear()
            self._soonest = math.inf
        if self._answers:
            on_the_way = self._sent - self._answered if self._questions else 0
            if self._rate is None:
                return math.inf if on_the_way < _UNANSWERED else 0
            return self._rate * (self._soonest + _MOMENT) - on_the_way
        if self._rate is None:
            return math.inf
        self._decay(now)
        return self._rate * _MOMENT - self._level

    def until_room(self, now: float) -> float:
        """Seconds until there is room, unless an answer tells sooner."""
        if self._answers and self._questions:
            return self._patience
        missing = -self.room(now)
        return 0.0 if missing < 0 or self._rate is None else missing / self._rate + 0.01

    def _decay(self, now: float) -> None:
        if self._rate is None:
            self._level = 0.0
        else:
            self._level = max(self._level - self._rate * (now - self._at), 0.0)
        self._at = now

    def _set_rate(self, rate: float) -> None:
        self._rate = None if rate > _FAST else max(rate, 300.0)
