"""All results at a glance: a table as CSV, and a contact sheet."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields

from PIL import Image

from dragonnx.batch.results import JobResult, Results
from dragonnx.errors import InputError
from dragonnx.files import save_bytes
from dragonnx.media import in_grid, save_image
from dragonnx.reading.pictures import read_picture

SUMMARY = "summary.csv"
SHEET = "contact-sheet.png"
MOST_PICTURES = 400
"""On a contact sheet; of more, evenly spaced ones."""
_SIDE = 128


@dataclass(frozen=True)
class Row:
    """A job in the summary.

    Attributes:
        id: Of the job.
        outcome: "done" or "failed".
        reason: Why it failed, if it did.
        drag: How its drag ended; empty where nothing was dragged.
        steps: Of the drag.
        distance: Of the handle that is farthest from its target, in pixels; None without a drag.
        seconds: What the job took.
    """

    id: str
    outcome: str
    reason: str
    drag: str
    steps: int | None
    distance: float | None
    seconds: float | None

    @classmethod
    def of(cls, result: JobResult) -> Row:
        """The row of what became of a job."""
        report = result.report
        drag = report.get("drag") or {}
        points = drag.get("points") or []
        return cls(
            result.id,
            result.outcome,
            result.reason,
            drag.get("outcome", ""),
            drag.get("steps"),
            max((point["distance"] for point in points), default=None),
            report.get("seconds"),
        )


def save_summary(rows: Iterable[Row], results: Results) -> str:
    """Write a table of all jobs, all or nothing; its address.

    Raises:
        OutputError: It cannot be written.
    """
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(field.name for field in fields(Row))
    table.writerows(map(astuple, rows))
    with results.adding() as folder:
        save_bytes(text.getvalue().encode(), folder / SUMMARY)
    return results.at(SUMMARY)


def save_sheet(pictures: Sequence[str], results: Results) -> str | None:
    """Write pictures side by side, small, at most `MOST_PICTURES` of them; the address, if there are any.

    Args:
        pictures: Their files' names.
        results: Where they are.

    Raises:
        OutputError: It cannot be written.
    """
    shown = evenly(pictures, MOST_PICTURES)
    contents = map(results.content, shown)
    small = [found for each in contents if (found := _small(each)) is not None]
    if not small:
        return None
    columns = math.ceil(math.sqrt(len(small)))
    cell = max(each.width for each in small), max(each.height for each in small)
    sheet = in_grid(small, cell, columns, math.ceil(len(small) / columns))
    with results.adding() as folder:
        save_image(sheet, folder / SHEET, None)
    return results.at(SHEET)


def evenly(pictures: Sequence[str], most: int) -> list[str]:
    """Of these so many at most, evenly spaced from the first to the last."""
    count = min(len(pictures), most)
    return [pictures[round(k * (len(pictures) - 1) / max(count - 1, 1))] for k in range(count)]


def _small(content: bytes | None) -> Image.Image | None:
    if content is None:  # somebody has removed it meanwhile
        return None
    try:
        picture = read_picture(content, "").convert("RGB")
    except InputError:  # or put another file there
        return None
    picture.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    return picture
