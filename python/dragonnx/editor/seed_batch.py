"""The same edit on many seeds, in worker processes: a thread of its own waits for them, no key does."""

from __future__ import annotations

import io
import queue
import tempfile
import threading
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dragonnx.document import Document, Recovery, save_document
from dragonnx.document.archive import SUFFIX
from dragonnx.document.pictures import open_picture
from dragonnx.editor.events import Event, reason_of
from dragonnx.editor.pace import go_after_the_screen
from dragonnx.editor.seed_events import SeedBatchEnded, SeedEdited, SeedsSaved
from dragonnx.errors import DragonnxError
from dragonnx.files import save_bytes
from dragonnx.folders import temporary_folder
from dragonnx.log import logger
from dragonnx.reading.pictures import read_picture

if TYPE_CHECKING:
    from PIL.Image import Image

    from dragonnx.batch import JobResult
    from dragonnx.types import DeviceName, Precision

_SHEET_SIDE = 256
"""Pixels at most of a picture on a sheet."""
_PREVIEW_SIDE = 96
"""Pixels at most of one by which lost work is recognised."""


class SeedBatch:
    """One edit on some seeds. Its results lie in a temporary folder until `close`, unless they are kept.

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
        self._done: dict[int, Path] = {}
        """The pictures, by seed; the thread's own."""
        self._asked: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        """What is to be done with them after the last one; None is the end."""
        self._thread = threading.Thread(target=self._run, name="seed batch", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End the workers; what is done stays."""
        self._stop.set()

    def save(self, folder: Path, without: Collection[int] = ()) -> None:
        """End the workers, and write what is done as pictures; `SeedsSaved` tells of it.

        Args:
            folder: Is made, and must not be there yet.
            without: Seeds to leave out.
        """
        self._stop.set()
        self._asked.put(lambda: self._save(folder, without))

    def close(self, leave_to: Recovery | None = None, without: Collection[int] = ()) -> None:
        """End the workers, and remove what is done.

        Args:
            leave_to: Keeps what is done as lost work, for the next editor.
            without: Seeds that need not be kept.
        """
        self._stop.set()
        if leave_to is not None:
            self._asked.put(lambda: self._leave(leave_to, without))
        self._asked.put(None)

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
                while (asked := self._asked.get()) is not None:
                    asked()
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
        small = np.asarray(_small(result.picture, _SHEET_SIDE))
        self._done[seed] = result.picture
        return SeedEdited(self, seed, result.picture, small, _told(result.report))

    def _save(self, folder: Path, without: Collection[int]) -> None:
        todo = {seed: path for seed, path in self._done.items() if seed not in without}
        failure = ""
        try:
            folder.mkdir()
            for path in todo.values():
                save_bytes(path.read_bytes(), folder / path.name)
        except (DragonnxError, OSError) as error:
            failure = reason_of(error)
        self._post(SeedsSaved(self, folder, tuple(todo), failure))

    def _leave(self, recovery: Recovery, without: Collection[int]) -> None:
        for seed, path in self._done.items():
            if seed in without:
                continue
            content = io.BytesIO()
            try:
                _small(path, _PREVIEW_SIDE).save(content, "PNG")
                recovery.leave(open_picture(path), content.getvalue())
            except (DragonnxError, OSError) as error:  # nobody is there any more to be told
                logger.warning("what came of seed %s could not be kept: %s", seed, error)


def _small(path: Path, side: int) -> Image:
    """The picture, smaller."""
    picture = read_picture(path, "")
    picture.thumbnail((side, side))
    return picture.convert("RGB")


def _told(report: Mapping[str, Any]) -> str:
    """How the drag of a report ended, in a few words."""
    drag = report["drag"]
    left = max(point["distance"] for point in drag["points"])
    return f"{drag['outcome']}, {drag['steps']} steps, {left:.1f} px left"
