"""Work on a thread of its own: jobs in, events out.

Whatever takes longer than a key may take happens here, one job after another: pictures, drags,
inversions, files. The editor asks and goes on; what comes of it is an event.
"""

from __future__ import annotations

import io
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dragonnx.document import Document, LatentStart, save_document
from dragonnx.document.archive import SUFFIX, digest_of
from dragonnx.document.directions import Direction
from dragonnx.document.latents import current_w_plus, start_w_plus
from dragonnx.document.opening import read_file
from dragonnx.document.outputs import Output
from dragonnx.editor.document_file import Replaces
from dragonnx.editor.drag_job import DragJob
from dragonnx.editor.events import (
    BeforeMade,
    DirectionsRead,
    DocumentSaved,
    Event,
    Exported,
    FileChanged,
    FileOpened,
    ModelChosen,
    ModelOpened,
    PhotoFound,
    PictureMade,
    SheetPictureMade,
    Task,
    TaskFailed,
    reason_of,
)
from dragonnx.editor.inversion_job import PhotoRequest, invert
from dragonnx.editor.open_model import OpenModel
from dragonnx.editor.pace import Pace, go_after_the_screen
from dragonnx.editor.walks import WalkRequest, write_walk
from dragonnx.errors import InputError
from dragonnx.types import Float32

if TYPE_CHECKING:
    from dragonnx.types import DeviceName, Precision


@dataclass(frozen=True)
class _Job:
    """Something to do, and what to call it where it fails."""

    task: Task
    do: Callable[[], None]
    subject: str = ""


class Jobs:
    """A queue of jobs and the thread that does them. Methods return at once, but for `join`.

    Args:
        post: Takes events; must be safe from any thread.
        device: Where to compute.
        precision: Of convolutions.
    """

    def __init__(
        self,
        post: Callable[[Event], object],
        device: DeviceName = "auto",
        precision: Precision = "auto",
    ) -> None:
        self.post = post
        """Takes events, from any thread."""
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)
        self._wanted: Document | None = None
        self._ticket = 0
        self.pace = Pace()
        """How far a drag or an inversion that runs may go."""
        self.save_failed = False
        """Whether the last document that was to be saved could not be."""
        self._saved: dict[Path, str] = {}
        """Digests of what was written here, by path: an event that tells of one may be on its way."""
        self._model = OpenModel(self._model_opened, device, precision)
        self._drag = DragJob(post, self.pace)

    def start(self) -> None:
        """Start the thread. Jobs that were asked for before wait until then."""
        self._thread.start()

    def close(self) -> None:
        """End what runs after the step that it is in, and the thread after the jobs that wait."""
        self.pace.end()
        self._jobs.put(None)

    def join(self, seconds: float | None = None) -> None:
        """Wait for the thread to end, so that nothing is half written; at most so long."""
        if self._thread.is_alive():
            self._thread.join(seconds)

    # --- asked by the editor ------------------------------------------------------------------

    def show(self, document: Document) -> None:
        """Make the document's picture, opening its model where it is another one.

        A newer wish replaces one that has not begun.
        """
        self._wanted = document
        self._put(Task.MAKE_PICTURE, lambda: self._show(document))

    def show_before(self, document: Document, latent: Float32) -> None:
        """Make the picture of where a drag began; `latent` is [num_ws, w_dim]."""

        def do() -> None:
            picture = self._model.pictures(document.model).full(latent[None])
            self.post(BeforeMade(latent, picture))

        self._put(Task.MAKE_PICTURE, do)

    def drag(self, document: Document, *, resume: bool, steps: int | None = None) -> None:
        """Drag until the end, a pause, or so many steps.

        Args:
            document: What to drag.
            resume: Go on with the drag that was paused; `document` is what it reached.
            steps: How many steps at most; None for no limit.
        """
        self.pace.begin()

        def do() -> None:
            generator = self._model.generator(document.model)
            pictures = self._model.pictures(document.model)
            self._drag.run(document, generator, pictures, resume=resume, steps=steps)

        self._put(Task.DRAG, do)

    def invert(self, document: Document, request: PhotoRequest) -> None:
        """Invert a photo with the document's model, until the end or a stop."""
        self.pace.begin()

        def do() -> None:
            generator = self._model.generator(document.model)
            pictures = self._model.pictures(document.model)
            invert(document, request, generator, pictures, self.post, self.pace)

        self._put(Task.INVERT, do)

    def use_model(self, document: Document) -> None:
        """Go over to a document's model, where it works."""

        def do() -> None:
            self._model.try_document(document)
            self.post(ModelChosen(document))

        self._put(Task.OPEN_MODEL, do, document.model)

    def open_file(self, path: Path, document: Document, index: int = 0) -> None:
        """Read a file; `document` is what a latent or a mask is put into.

        `index` is which of several latents.
        """

        def do() -> None:
            # Before it is read: what is written in between counts as changed.
            digest = digest_of(path) if path.suffix.lower() == SUFFIX else None
            opened = read_file(path, document, self._model.generator(), index)
            if opened.document is None:
                self.post(PhotoFound(path))
                return
            found, notes = self._model.try_or_replace(opened.document)
            self.post(FileOpened(found, path, opened.kind, (*opened.notes, *notes), digest))

        self._put(Task.OPEN_FILE, do, path.name)

    def save(self, document: Document, path: Path, replaces: Replaces) -> None:
        """Write a document, but only over what it may replace."""

        def do() -> None:
            self.save_failed = True
            preview = self._preview(document)
            if not replaces.allows(path) and digest_of(path) != self._saved.get(path):
                self.post(FileChanged(document, path))
                return
            self._saved[path] = digest = save_document(document, path, preview)
            self.save_failed = False
            self.post(DocumentSaved(document, path, digest))

        self._put(Task.SAVE, do)

    def export(
        self,
        document: Document,
        output: Output,
        path: Path,
        replaces: Replaces,
        quality: int | None = None,
    ) -> None:
        """Write an output of a document, a picture in a quality, but only over what it may replace."""

        def do() -> None:
            _check_free(path, replaces)
            output.write(document, self._model.generator(document.model), path, quality)
            self.post(Exported(path))

        self._put(Task.EXPORT, do, path.name)

    def walk(
        self, document: Document, request: WalkRequest, replaces: Replaces, stop: threading.Event
    ) -> None:
        """Write a walk from a document's picture, but only over what it may replace."""

        def do() -> None:
            _check_free(request.path, replaces)
            write_walk(document, request, self._model.generator(document.model), self.post, stop)

        self._put(Task.WALK, do, request.path.name)

    def make_sheet(self, model: str, starts: Mapping[float, LatentStart]) -> int:
        """Make pictures of starts one by one; returns the ticket that they carry, with their names."""
        self._ticket += 1
        ticket = self._ticket
        for name, start in starts.items():
            self._put(Task.CONTACT_SHEET, partial(self._sheet, model, name, start, ticket))
        return ticket

    def read_directions(self, model: str, sources: Mapping[str, str]) -> None:
        """Read directions one by one: what `Direction` takes, by name."""

        def do(name: str, source: str) -> None:
            vector = Direction(source, 1.0).vector(self._model.generator(model))
            self.post(DirectionsRead(model, {name: vector}))

        for name, source in sources.items():
            self._put(Task.READ_DIRECTION, partial(do, name, source), name)

    def drop_sheet(self) -> None:
        """Forget pictures of a contact sheet that are not made yet."""
        self._ticket += 1

    # --- on the thread ------------------------------------------------------------------------

    def _put(self, task: Task, do: Callable[[], None], subject: str = "") -> None:
        self._jobs.put(_Job(task, do, subject))

    def _run(self) -> None:
        """Do jobs until closed. Every error becomes an event."""
        go_after_the_screen()
        while (job := self._jobs.get()) is not None:
            try:
                job.do()
            except Exception as error:
                self.post(TaskFailed(job.task, reason_of(error), job.subject))

    def _model_opened(self, event: ModelOpened) -> None:
        self._drag.forget()
        self.post(event)

    def _show(self, document: Document) -> None:
        if document is not self._wanted:
            return
        w_plus = current_w_plus(document, self._model.generator(document.model))
        pictures = self._model.pictures(document.model)
        if pictures.are_slow:
            self.post(PictureMade(document, pictures.coarse(w_plus), is_preview=True))
            if document is not self._wanted:
                return
        self.post(PictureMade(document, pictures.full(w_plus)))

    def _preview(self, document: Document) -> bytes | None:
        """The picture as PNG; None where the model gives none, which must not keep work unsaved."""
        content = io.BytesIO()
        try:
            generator = self._model.generator(document.model)
            generator.image(current_w_plus(document, generator)).save(content, "PNG")
        except Exception:  # that it fails is told where the picture is to be shown
            return None
        return content.getvalue()

    def _sheet(self, model: str, name: float, start: LatentStart, ticket: int) -> None:
        if ticket != self._ticket:
            return
        w_plus = start_w_plus(start, self._model.generator(model))
        picture, _ = self._model.pictures(model).quick(w_plus)
        self.post(SheetPictureMade(ticket, name, picture))


def _check_free(path: Path, replaces: Replaces) -> None:
    if not replaces.allows(path):
        raise InputError(f"{path} exists by now: choose another name")
