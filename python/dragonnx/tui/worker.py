"""The one thread that computes. It takes jobs in turn and only posts messages."""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual.message import Message

from dragonnx.document import Document
from dragonnx.document.latents import current_w_plus, start_w_plus
from dragonnx.document.run import DragRun
from dragonnx.drag.session import DragStep
from dragonnx.errors import DragonnxError
from dragonnx.tui.inversion_job import RECREATING, PhotoWish, recreate
from dragonnx.tui.messages import (
    DragEnded,
    DragProgressed,
    FileOpened,
    ModelChosen,
    ModelOpened,
    PictureMade,
    SheetGrown,
    WorkDone,
    WorkFailed,
)
from dragonnx.tui.pictures import PREVIEW_SECONDS, Pictures
from dragonnx.types import Picture

if TYPE_CHECKING:
    from dragonnx.model.generator import Generator
    from dragonnx.types import DeviceName

_PREVIEW_SHARE = 0.35
"""Of the time at most goes to pictures while a drag runs."""
_LONGEST_WAY = 0.05
"""Seconds that a drag waits for the screen at most before its next step."""

Job = Callable[[], None]


class Worker:
    """Runs jobs on a thread of its own.

    Args:
        post: Posts a message to the screen; must be safe from any thread.
        device: Where to compute.
    """

    def __init__(self, post: Callable[[Message], Any], device: DeviceName = "auto") -> None:
        self._post = post
        self._device: DeviceName = device
        self._jobs: queue.SimpleQueue[tuple[str, Job] | None] = queue.SimpleQueue()
        self._generator: Generator | None = None
        self._pictures: Pictures | None = None
        self._model: str | None = None
        self._wanted: Document | None = None
        self._sheet_ticket = 0
        self._halt = threading.Event()
        self._end = threading.Event()
        self._way = threading.Event()
        self._way.set()
        self._run: DragRun | None = None

    # --- asked from the screen; these return at once ------------------------------------------

    def show(self, document: Document) -> None:
        """Make the document's picture, opening its model where it is another one.

        A newer wish replaces one that has not begun.
        """
        self._wanted = document
        self._jobs.put(("show the picture", lambda: self._show(document)))

    def drag(self, document: Document, *, resume: bool, steps: int | None = None) -> None:
        """Drag until the end, a pause, or so many steps.

        Args:
            document: What to drag.
            resume: Go on with the drag that was paused; `document` is what it reached.
            steps: How many steps at most; None for no limit.
        """
        self._halt.clear()
        self._end.clear()
        self._jobs.put(("drag", lambda: self._drag(document, resume, steps)))

    def invert(self, document: Document, wish: PhotoWish) -> None:
        """Recreate a photo with the document's model, until the end, a pause or a stop."""
        self._halt.clear()
        self._end.clear()
        self._jobs.put((RECREATING, lambda: self._invert(document, wish)))

    def pause(self) -> None:
        """Pause the drag, or end the inversion, after the step that it is in."""
        self._halt.set()

    def stop(self) -> None:
        """End the drag or the inversion after the step that it is in."""
        self._end.set()
        self._halt.set()

    def sheet(self, document: Document, seeds: list[int]) -> int:
        """Make pictures of seeds one by one; returns the ticket that they carry."""
        self._sheet_ticket += 1
        ticket = self._sheet_ticket
        for seed in seeds:
            self._jobs.put(
                ("make a contact sheet", lambda seed=seed: self._sheet(document, seed, ticket))  # type: ignore[misc]
            )
        return ticket

    def drop_sheet(self) -> None:
        """Forget pictures of a contact sheet that are not made yet."""
        self._sheet_ticket += 1

    def task(self, what: str, job: Callable[[Generator], Message | None]) -> None:
        """Do something with the generator; its message, or `WorkDone`, says that it ended.

        A message with a document comes only if that document's model works.

        Args:
            what: For people, after "could not": "save the picture".
            job: What to do.
        """

        def run() -> None:
            message = job(self._opened()) or WorkDone(what)
            if isinstance(message, FileOpened | ModelChosen):
                self._try(message.document)
            self._post(message)

        self._jobs.put((what, run))

    def give_way(self) -> None:
        """Make no step while the screen handles a key or paints, until `go_on`.

        Both need the interpreter: side by side each takes twice as long, and only one has a person
        waiting for it.
        """
        self._way.clear()

    def go_on(self) -> None:
        """Make steps again."""
        self._way.set()

    def close(self) -> None:
        """End the thread after the job that it is in."""
        self.stop()
        self._jobs.put(None)

    # --- on the thread ------------------------------------------------------------------------

    def run(self) -> None:
        """Take jobs until closed. Every error becomes a message."""
        if sys.platform == "linux":
            # Threads that ONNX Runtime makes inherit this, and leave the screen its turn.
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 15)
        while (item := self._jobs.get()) is not None:
            what, job = item
            try:
                job()
            except DragonnxError as error:
                self._post(WorkFailed(what, str(error)))
            except Exception as error:
                self._post(WorkFailed(what, f"{type(error).__name__}: {error}"))

    def _opened(self, model: str | None = None) -> Generator:
        """The generator of a model, by default the one that is open."""
        if self._generator is None or (model is not None and model != self._model):
            from dragonnx.model.manifest import DEFAULT_MODEL

            name = model or DEFAULT_MODEL
            self._use(name, self._read(name))
        assert self._generator is not None  # noqa: S101 for the type checker
        return self._generator

    def _read(self, model: str) -> Generator:
        from dragonnx.model.generator import Generator

        return Generator.open(model, self._device)

    def _use(self, model: str, generator: Generator) -> None:
        self._generator, self._model = generator, model
        self._pictures = Pictures(generator)
        self._run = None
        self._post(ModelOpened(model, generator.manifest, generator.device.kind))

    def _try(self, document: Document) -> None:
        """Go over to a document's model, but only if it gives a picture."""
        if document.model != self._model:
            generator = self._read(document.model)
            generator.image(current_w_plus(document, generator))
            self._use(document.model, generator)

    def _made(self) -> Pictures:
        assert self._pictures is not None, "a model is open"  # noqa: S101
        return self._pictures

    def _show(self, document: Document) -> None:
        if document is not self._wanted:
            return
        w_plus = current_w_plus(document, self._opened(document.model))
        pictures = self._made()
        if pictures.are_slow:
            self._post(PictureMade(document, pictures.coarse(w_plus), is_preview=True))
            if document is not self._wanted:
                return
        self._post(PictureMade(document, pictures.full(w_plus)))

    def _sheet(self, document: Document, seed: int, ticket: int) -> None:
        if ticket != self._sheet_ticket:
            return
        generator = self._opened(document.model)
        w_plus = start_w_plus(replace(document.start, seed=seed, w_plus=None), generator)
        self._post(SheetGrown(ticket, seed, self._made().quick(w_plus)[0]))

    def _drag(self, document: Document, resume: bool, steps: int | None) -> None:
        if not (resume and self._run is not None):
            self._run = None
            self._run = DragRun(document, self._opened(document.model))
        run = self._run
        failure: Exception | None = None
        began, first = time.perf_counter(), len(run.steps)
        told, drawn, cost = 0.0, began, 0.0

        def stop() -> bool:
            self._way.wait(_LONGEST_WAY)
            return self._halt.is_set()

        def show(run: DragRun, step: DragStep) -> None:
            nonlocal told, drawn, cost
            now = time.perf_counter()
            picture = None
            if now - drawn >= max(PREVIEW_SECONDS, cost / _PREVIEW_SHARE):
                picture = self._made().quick(run.w_plus)[0]
                drawn = time.perf_counter()
                cost = drawn - now
            if picture is not None or now - told >= PREVIEW_SECONDS:
                told = time.perf_counter()
                rate = (step.number - first) / (now - began)
                self._post(self._progress(run, step, picture, rate))

        try:
            run.go_on(progress=show, stop=stop, steps=steps)
        except Exception as error:
            failure = error
        if self._end.is_set() and run.outcome is None:
            run.cancel()
            run.go_on()
        self._finish(run, failure)

    def _invert(self, document: Document, wish: PhotoWish) -> None:
        generator = self._opened(document.model)

        def goes_on() -> bool:
            self._way.wait(_LONGEST_WAY)
            return not self._halt.is_set()

        recreate(document, wish, generator, self._made(), self._post, goes_on)

    def _progress(
        self, run: DragRun, step: DragStep, picture: Picture | None, rate: float
    ) -> DragProgressed:
        return DragProgressed(
            steps=step.number,
            handles=step.handle_points,
            distances=step.distances,
            trace=run.trace,
            losses=tuple(each.loss for each in run.steps[-60:]),
            steps_per_second=rate,
            picture=picture,
        )

    def _finish(self, run: DragRun, failure: Exception | None) -> None:
        outcome = run.outcome
        if outcome is not None or failure is not None:
            self._run = None
        advice = "Paused." if outcome is None else outcome.advice
        picture, coarse = self._made().quick(run.w_plus)
        self._post(DragEnded(run.result, picture, coarse, advice, self._run is not None))
        if failure is not None:
            raise failure
