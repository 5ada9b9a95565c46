"""The same edit on many seeds, in worker processes: a thread of its own waits for them, no key does."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dragonnx.document import Document, save_document
from dragonnx.document.archive import SUFFIX
from dragonnx.editor.events import Event, SeedBatchEnded, SeedEdited, reason_of
from dragonnx.editor.pace import go_after_the_screen
from dragonnx.folders import temporary_folder
from dragonnx.reading.pictures import read_picture
from dragonnx.types import Picture

if TYPE_CHECKING:
    from dragonnx.batch import JobResult
    from dragonnx.types import DeviceName, Precision

_SHEET_SIDE = 256
"""Pixels at most of a picture on a sheet."""


class SeedBatch:
    """One edit on some seeds. Its results lie in a temporary folder until `close`.

    Args:
        document: The edit: its points, mask, settings, truncation, class and directions.
        seeds: To do it on, each once.
        post: Told of each seed that is done, and of the end.
        device: Where to compute.
        precision: Of convolutions.
    """

    def __init__(
        self,
        document: Document,
        seeds: tuple[int, ...],
        post: Callable[[Event], object],
        device: DeviceName,
        precision: Precision,
    ) -> None:
        self._document = document
        self._seeds = seeds
        self._post = post
        self._device: DeviceName = device
        self._precision: Precision = precision
        self._stop = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="seed batch", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End the workers; what is done stays."""
        self._stop.set()

    def close(self) -> None:
        """End the workers, and remove what is done."""
        self._stop.set()
        self._closed.set()

    def join(self, seconds: float | None = None) -> None:
        """Wait for the end after `close`."""
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _run(self) -> None:
        go_after_the_screen()  # the workers inherit it
        failure = ""
        try:
            with temporary_folder(Path(tempfile.gettempdir())) as folder:
                try:
                    self._edit(folder)
                except Exception as error:
                    failure = reason_of(error)
                self._post(SeedBatchEnded(self, failure))
                self._closed.wait()
        except OSError as error:
            self._post(SeedBatchEnded(self, reason_of(error)))

    def _edit(self, folder: Path) -> None:
        from dragonnx.batch import run

        edit = folder / f"edit{SUFFIX}"
        save_document(self._document, edit)
        jobs = [{"id": f"seed{seed:04}", "document": edit, "seed": seed} for seed in self._seeds]
        by_id = {job["id"]: seed for job, seed in zip(jobs, self._seeds, strict=True)}
        results = run(
            jobs,
            folder / "results",
            device=self._device,
            precision=self._precision,
            stop=self._stop.is_set,
        )
        for result in results:
            self._post(self._event(by_id[result.id], result))

    def _event(self, seed: int, result: JobResult) -> SeedEdited:
        if result.picture is None:
            return SeedEdited(self, seed, failure=result.reason)
        return SeedEdited(self, seed, result.picture, _small(result.picture), _told(result.report))


def _small(path: Path) -> Picture:
    """The picture as a sheet shows it."""
    picture = read_picture(path, "")
    picture.thumbnail((_SHEET_SIDE, _SHEET_SIDE))
    return np.asarray(picture.convert("RGB"))


def _told(report: Mapping[str, Any]) -> str:
    """How the drag of a report ended, in a few words."""
    drag = report["drag"]
    left = max(point["distance"] for point in drag["points"])
    return f"{drag['outcome']}, {drag['steps']} steps, {left:.1f} px left"
