"""The folder of results: for each job a picture and, when all of it is there, a report."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dragonnx.batch.fields import VIDEO_KINDS
from dragonnx.batch.job import Job
from dragonnx.errors import InputError, OutputError
from dragonnx.files import remove_unfinished
from dragonnx.locks import is_at, lock
from dragonnx.media import save_json
from dragonnx.reading.json_text import parse_json
from dragonnx.reading.regular_file import MEBIBYTE, read_bytes
from dragonnx.reading.values import record

Outcome = Literal["done", "failed"]
_CLAIM = ".dragonnx-batch"
"""Held locked by who is at work in the folder."""
_LARGEST_REPORT = 256 * MEBIBYTE
"""And as many values: of a drag of 1000 points, 3000 steps. The folder is the user's own."""
_MOST_ENTRIES = 64


@dataclass(frozen=True, eq=False)
class JobResult:
    """What became of a job.

    Attributes:
        id: Of the job.
        outcome: "done", or "failed".
        reason: Why it failed; empty where it did not.
        picture: The picture, where it is done.
        report: What its report says, as JSON values; empty for what has none, since its id is of
            no use.
        was_there: Whether an earlier run had done it.
        was_changed: Whether an earlier run had done another job of that id, which this one replaced.
    """

    id: str
    outcome: Outcome
    reason: str
    picture: Path | None
    report: Mapping[str, Any]
    was_there: bool = False
    was_changed: bool = False


class ResultFolder:
    """Where results go.

    Args:
        folder: The folder; it is made where it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def check_empty(self, *, resume: bool) -> None:
        """Refuse a folder that holds results, where none may be there.

        Args:
            resume: Whether they may.

        Raises:
            InputError: There are some.
            OutputError: It is no folder, or cannot be looked into.
        """
        if resume:
            return
        try:
            names = sorted(entry.name for entry in self.folder.iterdir())
        except FileNotFoundError:
            return
        except OSError as error:
            raise self._unusable(error) from error
        # Hidden files are no results: what a killed run left is cleared away, too.
        found = next((name for name in names if not name.startswith(".")), None)
        if found is not None:
            raise InputError(
                f"{self.folder} is not empty ({found}): name another folder, or go on there with "
                "--resume (in Python resume=True)"
            )

    @contextlib.contextmanager
    def claimed(self, *, resume: bool) -> Iterator[None]:
        """Have the folder for oneself; what a killed run left half written in it is removed.

        Args:
            resume: Whether results may be there.

        Raises:
            InputError: There are some, or another batch is at work there.
            OutputError: It cannot be made.
        """
        claim = self.folder / _CLAIM
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.check_empty(resume=resume)
            handle = _locked(claim)
        except (OSError, ValueError) as error:  # a name with a zero is a ValueError
            raise self._unusable(error) from error
        if handle is None:
            raise InputError(f"another batch is at work in {self.folder}: wait for its end")
        try:
            remove_unfinished(self.folder)
            try:
                yield
            finally:
                remove_unfinished(self.folder)
                if os.name != "nt":  # it removes no file that is open
                    claim.unlink(missing_ok=True)
        finally:
            os.close(handle)

    def _unusable(self, error: Exception) -> OutputError:
        reason = getattr(error, "strerror", None) or error
        return OutputError(f"{self.folder} cannot be written to ({reason})")

    def path(self, name: str, suffix: str) -> Path:
        """A file of a job."""
        return self.folder / f"{name}{suffix}"

    def earlier(self, job: Job) -> JobResult | None:
        """What an earlier run made of a job; None where it is to be done, or done again."""
        report = self.report(job.id)
        is_same = report is not None and report.get("key") == job.key
        picture = self.path(job.id, ".png")
        if report is None or not is_same or report.get("outcome") != "done":
            return None
        files = [picture, *([self.path(job.id, f".{job.video}")] if job.video else [])]
        if not all(file.is_file() for file in files):
            return None
        return JobResult(job.id, "done", "", picture, report, was_there=True)

    def report(self, name: str) -> Mapping[str, Any] | None:
        """The report of a job, whichever job had that id; None where there is none to be read."""
        path = self.path(name, ".json")
        try:
            content = read_bytes(path, _LARGEST_REPORT)
            facts = parse_json(
                content, str(path), largest=_LARGEST_REPORT, most_values=_LARGEST_REPORT
            )
            return record(facts, "it", _MOST_ENTRIES)
        except InputError:
            return None  # it is made anew

    def clear(self, name: str) -> None:
        """Remove what an earlier run left under an id, the report first.

        Raises:
            OutputError: It cannot be removed.
        """
        for suffix in (".json", ".png", *(f".{kind}" for kind in VIDEO_KINDS)):
            path = self.path(name, suffix)
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise OutputError(
                    f"{path} cannot be replaced ({error.strerror or error})"
                ) from error

    def save_failure(self, job: Job, reason: str, run: str, seconds: float) -> JobResult:
        """Record why a job failed, in place of what an earlier run made of it.

        Raises:
            OutputError: That cannot be written.
        """
        self.clear(job.id)
        report = {**head(job, "failed", run, seconds), "reason": reason}
        save_json(report, self.path(job.id, ".json"))
        return JobResult(job.id, "failed", reason, None, report)


def _locked(claim: Path) -> int | None:
    """The descriptor of a file that is now locked; None where another holds it.

    Raises:
        OSError: It cannot be opened.
    """
    while True:
        handle = os.open(claim, os.O_RDWR | os.O_CREAT, 0o666)
        if not lock(handle):
            os.close(handle)
            return None
        if is_at(handle, claim):
            return handle
        os.close(handle)  # who had it has removed it meanwhile


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
