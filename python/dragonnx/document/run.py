"""A document in, a document out: the one way in which a drag is run."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dragonnx.document.latents import current_w_plus
from dragonnx.document.paused import PausedDrag
from dragonnx.document.result import PAUSED, DragResult
from dragonnx.document.state import Document
from dragonnx.drag.config import DragConfig
from dragonnx.drag.outcome import Outcome
from dragonnx.drag.progress import DragStep
from dragonnx.drag.session import DragSession
from dragonnx.errors import InputError
from dragonnx.model.drag_settings import MOST_STEPS
from dragonnx.model.given import checked_generator
from dragonnx.reading.values import flag, function, instance, whole
from dragonnx.types import Float32, Points

if TYPE_CHECKING:
    from dragonnx.model.generator import Generator


class DragRun:
    """A drag of a document. It can pause and go on.

    Args:
        document: What to drag: its complete pairs, from the picture that it shows.
        generator: The document's model.
        keep_frames: Whether to keep the latent of every step, as an animation needs.
        anew: Whether to begin with a first step in any case. Else a drag that the document says was
            paused goes on as if it never had been, while its points, mask, model and settings are
            those, but for step limit and stop distance.

    Raises:
        InputError: There is no complete pair, or something in the document does not fit the model.
    """

    def __init__(
        self,
        document: Document,
        generator: Generator,
        *,
        keep_frames: bool = True,
        anew: bool = False,
    ) -> None:
        instance(document, "document", Document)
        pairs = document.complete_pairs
        if not pairs:
            raise InputError("there is nothing to drag: set a handle point and its target point")
        self._before = document
        self._device = checked_generator(generator).device
        begin = functools.partial(
            DragSession,
            generator,
            target_points=np.array([pair.target for pair in pairs], np.float64),
            mask=document.mask,
            config=_config(document),
            keep_latents=keep_frames,
        )
        paused = None
        if not flag(anew, "anew") and document.can_go_on:
            paused = _gone_on(begin, document, keep_frames=keep_frames)
        self._session = paused or begin(
            w_plus=current_w_plus(document, generator),
            handle_points=[pair.handle for pair in pairs],
        )

    @property
    def steps(self) -> int:
        """How many steps were done, those before `resume` included."""
        return self._session.steps

    @property
    def done_steps(self) -> tuple[DragStep, ...]:
        """What each of them did."""
        return self._session.done_steps

    @property
    def outcome(self) -> Outcome | None:
        """How the drag ended; None while it has not."""
        return self._session.outcome

    @property
    def advice(self) -> str:
        """What the outcome means here and what to do; empty while there is none."""
        return self._session.advice

    @property
    def w_plus(self) -> Float32:
        """The latent as far as it got, [1, num_ws, w_dim]."""
        return self._session.w_plus

    @property
    def trace(self) -> Points:
        """Where the handles were before the first step and after each, [steps + 1, n, 2]."""
        return self._session.trace

    @property
    def distances(self) -> Points:
        """How far each handle is from its target, in pixels, [n]."""
        return self._session.distances

    @property
    def max_steps(self) -> int:
        """After how many steps the drag gives up."""
        return self._session.settings.max_steps

    @property
    def document(self) -> Document:
        """The document as far as the drag got; as it came while nothing was done."""
        if not self.steps and self.outcome is None:
            return self._before
        return self._before.with_result(self.result)

    @property
    def result(self) -> DragResult:
        """What was reached so far."""
        is_paused = self.outcome is None and self.steps > 0
        return DragResult(
            latents=self._session.latents,
            trace=self.trace,
            targets=self._session.target_points,
            loss=np.array([step.loss for step in self.done_steps], np.float64),
            seconds=sum(step.seconds for step in self.done_steps),
            outcome=PAUSED if self.outcome is None else self.outcome.value,
            settings=self._session.settings.to_dict(),
            masked=self._before.mask is not None,
            device=self._device.name,
            precision=self._device.precision,
            paused=PausedDrag.of(self._session.held()) if is_paused else None,
        )

    def go_on(
        self,
        *,
        progress: Callable[[DragRun, DragStep], object] | None = None,
        stop: Callable[[], bool] | None = None,
        steps: int | None = None,
    ) -> Document:
        """Make steps until the drag ends, until `stop` says so, or until so many are made.

        Args:
            progress: Called after each step.
            stop: Asked before each step, and may wait; True pauses.
            steps: How many at most; None for no limit.

        Returns:
            The document with what the drag reached.

        Raises:
            InputError: The optimisation left the range of numbers; `document` is as before it. Or
                an argument is of another type.
        """
        function(progress, "progress")
        function(stop, "stop")
        last = None if steps is None else self.steps + whole(steps, "steps", 0, MOST_STEPS)
        while self.steps != last and not (stop is not None and stop()):
            step = next(self._session, None)
            if step is None:
                break
            if progress is not None:
                progress(self, step)
        return self.document

    def cancel(self) -> None:
        """End the drag before its next step, at once where none runs. Safe from any thread."""
        self._session.cancel()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the drag's progress; see `DragSession.save`."""
        self._session.save(path)

    def resume(self, path: str | os.PathLike[str]) -> None:
        """Go on where `save` was called, for the same document; see `DragSession.resume`."""
        self._session.resume(path)


def _config(document: Document) -> DragConfig:
    """The document's settings: the weight of a mask is one for as long as there is a mask."""
    config = document.config
    return config if document.mask is not None else replace(config, lambda_mask=None)


def _gone_on(
    begin: Callable[..., DragSession], document: Document, *, keep_frames: bool
) -> DragSession | None:
    """The drag that the document says was paused; None where it cannot go on."""
    result = document.result
    if result is None or result.paused is None or (keep_frames and not result.has_frames):
        return None
    first = result.steps - result.paused.steps
    session = begin(w_plus=result.latents[first][None], handle_points=result.trace[first])
    latents = result.latents[first:] if keep_frames else None
    saved = result.paused.saved(result.trace[first:], result.w_plus, latents)
    return session if session.take_over(saved, "the document") else None


def drag(
    document: Document,
    generator: Generator,
    *,
    progress: Callable[[DragRun, DragStep], object] | None = None,
    stop: Callable[[], bool] | None = None,
    keep_frames: bool = False,
) -> Document:
    """Drag a document's handle points to their target points.

    Args:
        document: What to drag: its complete pairs, from the picture that it shows.
        generator: The document's model.
        progress: Called after each step with the run and the step.
        stop: Asked before each step; True ends the drag, what it reached is kept.
        keep_frames: Whether to keep the latent of every step, as an animation needs.

    Returns:
        The document with the drag's result: its latent, the handles' places, how it ended.

    Raises:
        InputError: There is no complete pair, something in the document does not fit the model, or
            the optimisation left the range of numbers.
    """
    run = DragRun(document, generator, keep_frames=keep_frames)
    dragged = run.go_on(progress=progress, stop=stop)
    if run.outcome is None:
        run.cancel()
        dragged = run.go_on()
    return dragged
