"""Results of jobs, wherever they go: for each a picture and, when all of it is there, a report."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from dragonnx.batch.formats import report_of
from dragonnx.batch.job import Job
from dragonnx.errors import InputError
from dragonnx.media import save_json
from dragonnx.reading.json_text import parse_json
from dragonnx.reading.regular_file import MEBIBYTE
from dragonnx.reading.values import record

Outcome = Literal["done", "failed"]
LARGEST_FILE = 256 * MEBIBYTE
"""Bytes that are read of a result, and values in a report: of a drag of 1000 points, 3000 steps. What is
there is the user's own."""
_MOST_ENTRIES = 64


@dataclass(frozen=True, eq=False)
class JobResult:
    """What became of a job.

    Attributes:
        id: Of the job.
        outcome: "done", or "failed".
        reason: Why it failed; empty where it did not.
        picture: The picture, where it is done and results go into a folder.
        report: What its report says, as JSON values; empty for what has none, since its id is of
            no use.
        was_there: Whether an earlier run had done it.
        was_changed: Whether an earlier run had done another job of that id, which this one replaced.
        address: Of the picture, where it is done: its path, or where it is in an object store.
    """

    id: str
    outcome: Outcome
    reason: str
    picture: Path | None
    report: Mapping[str, Any]
    was_there: bool = False
    was_changed: bool = False
    address: str = ""


class Results(ABC):
    """Where results go. Workers have copies, which are sent to them.

    Args:
        address: Of the place, for users.

    Attributes:
        kind: What such a place is called.
        may_hold_others: Whether results of an earlier run may be there, which are looked for then.
    """

    kind: ClassVar[str]

    def __init__(self, address: str) -> None:
        self.address = address
        self.may_hold_others = True

    def check_empty(self, *, resume: bool) -> None:
        """Refuse a place that holds results, where none may be there.

        Args:
            resume: Whether they may.

        Raises:
            InputError: There are some.
            OutputError: It cannot be looked into.
        """
        # Hidden files are no results: what a killed run left is cleared away, too.
        found = () if resume else [each for each in self.names() if not each.startswith(".")]
        if found:
            raise InputError(
                f"{self.address} is not empty ({min(found)}): name another {self.kind}, or go on there "
                "with --resume (in Python resume=True)"
            )

    @abstractmethod
    def names(self) -> Iterator[str]:
        """Names of all that is there, in any order; none where there is no such place yet.

        Raises:
            OutputError: It cannot be looked into.
        """

    @abstractmethod
    def claimed(self, *, resume: bool) -> AbstractContextManager[None]:
        """Have the place for oneself, as far as it can be had.

        Args:
            resume: Whether results may be there.

        Raises:
            InputError: There are some, or another batch is at work there.
            OutputError: It cannot be written to.
        """

    @abstractmethod
    def at(self, file: str) -> str:
        """The address of a file."""

    @abstractmethod
    def path(self, file: str) -> Path | None:
        """The path of a file, where it has one on this machine."""

    @abstractmethod
    def has(self, file: str) -> bool:
        """Whether a file is there.

        Raises:
            OutputError: Nobody can tell.
        """

    @abstractmethod
    def content(self, file: str) -> bytes | None:
        """What a file holds; None where it is not there, or too large, or cannot be read.

        Raises:
            OutputError: The place cannot be reached.
        """

    @abstractmethod
    def adding(self) -> AbstractContextManager[Path]:
        """A folder to write files into, which take the place of those of the same names.

        Each is there whole or not at all, and a report not before the other files that are written.

        Raises:
            OutputError: They cannot be written.
        """

    @abstractmethod
    def clear(self, name: str) -> None:
        """Remove what an earlier run left under an id, the report first.

        Raises:
            OutputError: It cannot be removed.
        """

    @contextmanager
    def replacing(self, name: str) -> Iterator[Path]:
        """As `adding`, after what an earlier run left of a job was removed.

        Raises:
            OutputError: That cannot be removed, or the new files cannot be written.
        """
        if self.may_hold_others:
            self.clear(name)
        with self.adding() as folder:
            yield folder

    def earlier(self, job: Job) -> JobResult | None:
        """What an earlier run made of a job; None where it is to be done, or done again.

        Raises:
            OutputError: The place cannot be reached.
        """
        report = self.report(job.id)
        if report is None or report.get("key") != job.key or report.get("outcome") != "done":
            return None
        if not all(map(self.has, job.formats.files_of(job.id))):
            return None
        return self.done(job, report, was_there=True)

    def report(self, name: str) -> Mapping[str, Any] | None:
        """The report of a job, whichever job had that id; None where there is none to be read.

        Raises:
            OutputError: The place cannot be reached.
        """
        content = self.content(report_of(name))
        if content is None:
            return None
        try:
            facts = parse_json(
                content, "the report", largest=LARGEST_FILE, most_values=LARGEST_FILE
            )
            return record(facts, "it", _MOST_ENTRIES)
        except InputError:
            return None  # it is made anew

    def done(self, job: Job, report: Mapping[str, Any], *, was_there: bool = False) -> JobResult:
        """That a job is done."""
        picture = job.formats.picture_of(job.id)
        return JobResult(
            job.id, "done", "", self.path(picture), report, was_there, address=self.at(picture)
        )

    def save_failure(self, job: Job, reason: str, run: str, seconds: float) -> JobResult:
        """Record why a job failed, in place of what an earlier run made of it.

        Raises:
            OutputError: That cannot be written.
        """
        report = {**head(job, "failed", run, seconds), "reason": reason}
        self.clear(job.id)
        with self.adding() as folder:
            save_json(report, folder / report_of(job.id))
        return JobResult(job.id, "failed", reason, None, report)


def head(job: Job, outcome: Outcome, run: str, seconds: float) -> dict[str, Any]:
    """What every report begins with."""
    return {
        "id": job.id,
        "outcome": outcome,
        "reason": "",
        "seconds": round(seconds, 3),
        "job": dict(job.facts),
        "key": job.key,
        "run": run,
    }
