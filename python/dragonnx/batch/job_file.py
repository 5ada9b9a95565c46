"""A file of jobs: JSON Lines, or CSV with a first line of names. All of it is checked, line by line."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dragonnx.batch.fields import COLUMNS
from dragonnx.batch.formats import Formats
from dragonnx.batch.job import Job
from dragonnx.batch.making import INVERSION_STEPS, JobMaker
from dragonnx.errors import DragonnxError, InputError
from dragonnx.model.labels import label_of_text
from dragonnx.paths import as_path
from dragonnx.reading.json_text import parse_json
from dragonnx.reading.regular_file import MEBIBYTE, read_bytes
from dragonnx.reading.typed_points import pair
from dragonnx.reading.values import shown

LARGEST = 256 * MEBIBYTE
"""Bytes of a file of jobs."""
MOST_JOBS = 100_000
"""In one file: all are in memory. A program may run any number, see `dragonnx.batch.run`."""
SUFFIXES = (".jsonl", ".ndjson", ".csv")
_LONGEST_LINE = MEBIBYTE
_WHOLE = re.compile(r"[+-]?\d{1,20}")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_FLAGS = {"true": True, "false": False}


class JobFileError(InputError):
    """Lines of a file of jobs cannot be used.

    Attributes:
        lines: For each of them a sentence, which begins with the file's name and the line's number.
    """

    def __init__(self, path: Path, complaints: list[tuple[int, str]], jobs: int) -> None:
        self.lines = [f"{path}:{number}: {reason}" for number, reason in complaints]
        super().__init__(
            f"{len(complaints)} of {jobs} jobs in {path} cannot be used, so nothing was started; "
            f"the first: {self.lines[0]}"
        )


@dataclass(frozen=True)
class _Line:
    """A job as it is written.

    Attributes:
        number: Of its line, from 1.
        facts: JSON values; None where it cannot be read.
        reason: Why, then.
    """

    number: int
    facts: object
    reason: str = ""


def read_jobs(
    path: str | os.PathLike[str],
    *,
    inversion_steps: int = INVERSION_STEPS,
    format: str = "png",  # noqa: A002 as in a job
    quality: int | None = None,
    video: str | None = None,
) -> list[Job]:
    """Read and check a file of jobs; paths in it are relative to its folder.

    Args:
        path: The file, which ends in .jsonl, .ndjson or .csv.
        inversion_steps: For photos whose job does not say.
        format: Of pictures whose job does not say: "png", "jpeg" or "webp".
        quality: Of those that are JPEG or WebP, 1 to 100; None for 95. A WebP of 100 is lossless.
        video: For drags whose job does not say: "gif", "webp", "mp4", or None for no video.

    Raises:
        JobFileError: Lines cannot be used; it tells of each.
        InputError: The file cannot be read, or holds no job or too many.
    """
    path = as_path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(
            f"a file of jobs ends in {' or '.join(SUFFIXES)}, not {path.suffix or path}"
        )
    content = read_bytes(path, LARGEST, "the file of jobs")
    maker = JobMaker(path.parent, inversion_steps, Formats(format, quality, video))
    jobs: list[Job] = []
    complaints: list[tuple[int, str]] = []
    lines: dict[str, int] = {}
    """By id, in small letters: some systems take capitals for the same."""
    total = 0
    for line in _csv_lines(content) if suffix == ".csv" else _json_lines(content):
        total += 1
        if total > MOST_JOBS:
            raise InputError(f"{path} holds more than {MOST_JOBS} jobs: make it several files")
        try:
            if line.reason:
                raise InputError(line.reason)
            job = maker.make(line.facts, default_id(line.number))
            first = lines.setdefault(job.id.lower(), line.number)
            if first != line.number:
                raise InputError(
                    f"its id {job.id} is that of line {first} too, or differs in capitals alone"
                )
        except DragonnxError as error:
            complaints.append((line.number, str(error)))
        else:
            jobs.append(job)
    if complaints:
        raise JobFileError(path, complaints, total)
    if not jobs:
        raise InputError(f"{path} holds no job")
    return jobs


def default_id(number: int) -> str:
    """The id of a job that has none, by the number of its line: names are in the order of lines."""
    return f"{number:06}"


def _json_lines(content: bytes) -> Iterator[_Line]:
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            yield _Line(number, parse_json(line, "the line", largest=_LONGEST_LINE))
        except InputError as error:
            yield _Line(number, None, str(error))


def _csv_lines(content: bytes) -> Iterator[_Line]:
    """The jobs of a CSV file.

    Raises:
        InputError: It is no text, or its first line does not name the columns.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(f"the file of jobs is no UTF-8 text: look at line {line}") from error
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    names = _names(rows)
    while True:
        number = rows.line_num + 1
        try:
            cells = next(rows, None)
            if cells is None:
                return
            if not any(map(str.strip, cells)):
                continue
            if len(cells) != len(names):
                raise InputError(
                    f"it has {len(cells)} cells, and the first line names {len(names)} columns"
                )
            yield _Line(number, _facts(zip(names, cells, strict=True)))
        except (csv.Error, InputError) as error:
            yield _Line(number, None, str(error))


def _names(rows: Iterator[list[str]]) -> list[str]:
    try:
        names = [name.strip() for name in next(rows, [])]
    except csv.Error as error:
        raise InputError(f"the first line of the file of jobs is no CSV ({error})") from error
    unknown = [name for name in names if name not in COLUMNS]
    if not names or unknown:
        raise InputError(
            f"the first line of a CSV of jobs names its columns, and {shown(unknown[0] if names else '')} "
            f"is none: there are {', '.join(COLUMNS)}"
        )
    if len(set(names)) < len(names):
        raise InputError("the first line of the file of jobs names a column twice")
    return names


def _facts(cells: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """A row as JSON values; an empty cell says nothing.

    Raises:
        InputError: A cell does not hold what its column is of.
    """
    facts: dict[str, Any] = {}
    for name, cell in cells:
        if not (words := cell.strip()):
            continue
        value = _value(name, words)
        group, dot, inside = name.partition(".")
        if dot:
            facts.setdefault(group, {})[inside] = value
        else:
            facts[name] = value
    return facts


def _value(name: str, words: str) -> Any:
    kind = COLUMNS[name].cell
    if kind == "whole" and _WHOLE.fullmatch(words):
        return int(words)
    if kind == "number" and _NUMBER.fullmatch(words):
        return float(words)
    if kind == "flag" and words.lower() in _FLAGS:
        return _FLAGS[words.lower()]
    if kind == "label":
        return label_of_text(words)
    if kind == "points":
        pairs = map(pair, re.split(r"[;\s]+", words))
        return [{"handle": list(handle), "target": list(target)} for handle, target in pairs]
    return words  # what should have been another thing is refused by its field
