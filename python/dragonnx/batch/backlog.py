"""Jobs that wait: those of one model follow each other where they can, so that its graphs stay loaded."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from pathlib import Path

from dragonnx.batch.job import Job

LOOK_AHEAD = 256
"""Jobs that wait at most; as often is one passed over at most for the sake of a loaded model."""


@dataclass
class Waiting:
    """A job that waits.

    Attributes:
        job: The job.
        tries: How often a worker process ended on it.
        passed: How often a later one went first.
    """

    job: Job
    tries: int = 0
    passed: int = 0


class Backlog:
    """The jobs that wait, in their order."""

    def __init__(self) -> None:
        self._waiting: deque[Waiting] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, waiting: Waiting) -> None:
        """Have one wait; one that was tried goes first."""
        if waiting.tries:
            self._waiting.appendleft(waiting)
        else:
            self._waiting.append(waiting)

    def take(self, loaded: Path | None) -> Waiting | None:
        """The next job for a worker; None where none waits.

        Args:
            loaded: The folder of the bundle that the worker has loaded, if any.
        """
        if not self._waiting:
            return None
        oldest = self._waiting[0]
        at = 0
        if oldest.passed < LOOK_AHEAD:
            same = (k for k, each in enumerate(self._waiting) if each.job.bundle.folder == loaded)
            at = next(same, 0)
        oldest.passed += at > 0
        found = self._waiting[at]
        del self._waiting[at]
        return found
