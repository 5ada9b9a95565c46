"""Dragging a document, as the worker does it: steps, and what is told of them meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from dragonnx.document import Document
from dragonnx.document.paused import PausedDrag
from dragonnx.document.run import DragRun
from dragonnx.editor.events import DragEnded, DragProgressed, Event, reason_of
from dragonnx.editor.pace import Pace
from dragonnx.editor.pictures import PREVIEW_SECONDS, Pictures
from dragonnx.types import Picture

if TYPE_CHECKING:
    from dragonnx.drag.progress import DragStep
    from dragonnx.model.generator import Generator

_PREVIEW_SHARE = 0.35
"""Of the time at most goes to pictures while a drag runs."""
_REPORTED_LOSSES = 60


class DragJob:
    """Runs drags, one after another, and remembers the one that was paused.

    Args:
        post: Told how a drag goes.
        pace: How far it may go.
    """

    def __init__(self, post: Callable[[Event], object], pace: Pace) -> None:
        self._post = post
        self._pace = pace
        self._paused: tuple[DragRun, PausedDrag | None] | None = None
        """The one that was paused, and what its document has to go on with."""

    def run(
        self,
        document: Document,
        generator: Generator,
        pictures: Pictures,
        *,
        resume: bool,
        steps: int | None,
    ) -> None:
        """Drag until the end, a pause, or so many steps.

        Args:
            document: What to drag.
            generator: Its model.
            pictures: Makes the model's pictures.
            resume: Go on with the drag that was paused; `document` is what it reached, here or before
                it was saved.
            steps: How many steps at most; None for no limit.

        Raises:
            InputError: The document cannot be dragged. A step that fails is told in `DragEnded`.
        """
        held, self._paused = self._paused, None
        if resume and held is not None and held[1] is _paused(document):
            run = held[0]
        else:
            run = DragRun(document, generator, anew=not resume)
        failure = None
        try:
            run.go_on(progress=_Reports(self._post, pictures), stop=self._pace.stops, steps=steps)
            if self._pace.is_ending and run.outcome is None:
                run.cancel()
                run.go_on()
        except Exception as error:
            failure = reason_of(error)
        reached = run.document
        if run.outcome is None and failure is None:
            self._paused = run, _paused(reached)
        picture, is_preview = pictures.quick(run.w_plus)
        self._post(DragEnded(reached, picture, is_preview, run.outcome, failure))

    def forget(self) -> None:
        """Let go of the drag that was paused: it belongs to a model that is no longer open."""
        self._paused = None


def _paused(document: Document) -> PausedDrag | None:
    """What the document has to go on with: the same value for as long as it is of the same drag."""
    return None if document.result is None else document.result.paused


class _Reports:
    """Tells of a drag's steps, not more often than a screen can follow.

    Args:
        post: Told.
        pictures: Makes pictures, as far as they do not hold the drag up.
    """

    def __init__(self, post: Callable[[Event], object], pictures: Pictures) -> None:
        self._post = post
        self._pictures = pictures
        self._began = time.perf_counter()
        self._made = 0
        self._reported = 0.0
        self._drawn = self._began
        self._cost = 0.0

    def __call__(self, run: DragRun, step: DragStep) -> None:
        """Tell of a step."""
        self._made += 1
        now = time.perf_counter()
        picture: Picture | None = None
        if now - self._drawn >= max(PREVIEW_SECONDS, self._cost / _PREVIEW_SHARE):
            picture, _ = self._pictures.quick(run.w_plus)
            self._drawn = time.perf_counter()
            self._cost = self._drawn - now
        if picture is None and now - self._reported < PREVIEW_SECONDS:
            return
        self._reported = now
        self._post(
            DragProgressed(
                steps=step.number,
                handles=step.handle_points,
                distances=step.distances,
                trace=run.trace,
                losses=tuple(each.loss for each in run.done_steps[-_REPORTED_LOSSES:]),
                steps_per_second=self._made / (now - self._began),
                picture=picture,
            )
        )
