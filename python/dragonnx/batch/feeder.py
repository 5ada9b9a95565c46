"""Taking jobs from who has them, in a thread, as far ahead as they are soon wanted."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dragonnx.batch.backlog import LOOK_AHEAD
from dragonnx.batch.job import Job
from dragonnx.batch.job_file import default_id
from dragonnx.batch.making import JobMaker
from dragonnx.errors import DragonnxError


@dataclass(frozen=True)
class Refused:
    """A job that cannot be run.

    Attributes:
        id: What it called itself, or its number.
        reason: Why.
    """

    id: str
    reason: str


@dataclass(frozen=True)
class Exhausted:
    """There are no more jobs.

    Attributes:
        error: What whoever gave them raised, if anything.
    """

    error: BaseException | None


class Feeder:
    """Puts jobs into an inbox, `LOOK_AHEAD` at most that nobody has taken up yet.

    A source that waits for something keeps nobody else waiting.

    Args:
        jobs: Where they come from: any number of them.
        maker: Makes them of what is no `Job` yet.
        inbox: Gets each `Job` or `Refused`, and at last `Exhausted`.
    """

    def __init__(
        self,
        jobs: Iterable[Job | Mapping[str, Any]],
        maker: JobMaker,
        inbox: queue.SimpleQueue[Any],
    ) -> None:
        self._jobs = jobs
        self._maker = maker
        self._inbox = inbox
        self._room = threading.Semaphore(LOOK_AHEAD)
        self._is_closed = False
        threading.Thread(target=self._feed, daemon=True).start()

    def taken_up(self) -> None:
        """One is done with, or a worker has it: there is room for another."""
        self._room.release()

    def close(self) -> None:
        """Take no more."""
        self._is_closed = True
        self._room.release()

    def _feed(self) -> None:
        try:
            source = iter(self._jobs)
            number = 0
            while True:
                self._room.acquire()
                if self._is_closed:
                    return
                try:
                    given = next(source)
                except StopIteration:
                    break
                number += 1
                self._inbox.put(self._made(given, number))
        # It is raised again where the results are taken.
        except BaseException as error:
            self._inbox.put(Exhausted(error))
        else:
            self._inbox.put(Exhausted(None))

    def _made(self, given: Job | Mapping[str, Any], number: int) -> Job | Refused:
        if isinstance(given, Job):
            return given
        try:
            return self._maker.make(given, default_id(number))
        except DragonnxError as error:
            name = given.get("id") if isinstance(given, Mapping) else None
            return Refused(name if isinstance(name, str) else default_id(number), str(error))
