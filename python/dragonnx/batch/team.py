"""Workers as whoever gives them jobs sees them, whatever they run in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Generic, TypeVar

from dragonnx.batch.backlog import Waiting
from dragonnx.batch.job import Job
from dragonnx.batch.messages import Answer, Done, Ready
from dragonnx.types import DeviceName


class Worker(ABC):
    """One who does a job at a time.

    Args:
        device: Where it computes.
    """

    def __init__(self, device: DeviceName) -> None:
        self.device = device
        self.waiting: Waiting | None = None
        """What it is at."""
        self.loaded: Path | None = None
        """The folder of the bundle that it has loaded."""
        self.is_ready = False

    def give(self, waiting: Waiting) -> None:
        """Give it a job."""
        self.waiting, self.loaded = waiting, waiting.job.bundle.folder
        self._start(waiting.job)

    def heard(self, answer: Answer) -> None:
        """Take note of what it told."""
        if isinstance(answer, Ready):
            self.is_ready = True
        elif isinstance(answer, Done):
            self.waiting = None

    @abstractmethod
    def _start(self, job: Job) -> None:
        """Have it do a job; what comes of that goes to the inbox."""

    @property
    @abstractmethod
    def was_killed(self) -> bool:
        """Whether one that has ended was ended by another, or by the system."""

    @abstractmethod
    def how_it_ended(self) -> str:
        """How it ended, as the end of a sentence."""


W = TypeVar("W", bound=Worker)


class Team(ABC, Generic[W]):
    """All workers of a batch.

    Attributes:
        workers: Those that there are now.
        most_tries: How often a job is begun at most whose workers end.
    """

    most_tries: int

    def __init__(self) -> None:
        self.workers: list[W] = []

    @property
    def is_at_work(self) -> bool:
        """Whether any has a job."""
        return any(worker.waiting is not None for worker in self.workers)

    @abstractmethod
    def expect(self, job: Job) -> None:
        """Take into account that a job will be given."""

    @abstractmethod
    def available(self) -> Iterator[W]:
        """Workers that can be given a job."""

    @abstractmethod
    def remove(self, worker: W) -> None:
        """Let go of one that has ended; another may take its place."""

    @abstractmethod
    def end(self) -> None:
        """End all of them."""
