"""Going through the steps of a drag that is paused or over: looking, and going on from any of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dragonnx.document import Document
from dragonnx.document.result import DragResult
from dragonnx.editor.phase import Dragging, Idle
from dragonnx.editor.state import EditorState


class ScrubCommands:
    """Going back and forth in a drag. All of it is one edit: the document is the step that is shown.

    Args:
        state: The editor's.
    """

    def __init__(self, state: EditorState) -> None:
        self._state = state
        self._whole: Document | None = None
        """With all steps of the drag."""
        self._cut: Document | None = None
        """With the steps up to the one that is shown."""
        self._number = 0

    @property
    def cut(self) -> DragResult | None:
        """The steps up to the one that is shown, where later ones are left out; else None."""
        is_cut = self._cut is not None and self._state.document is self._cut
        return self._state.document.result if is_cut else None

    @property
    def whole(self) -> Document:
        """The document with all steps of its drag."""
        is_cut = self._whole is not None and self._state.document is self._cut
        return self._whole if is_cut and self._whole is not None else self._state.document

    def go_by(self, steps: int) -> None:
        """Show a later step, or an earlier one; a drag that runs pauses first."""
        self._state.when_idle(lambda: self._go_to(self._step() + steps), "look at its steps")

    def go_to(self, step: int) -> None:
        """Show a step, 0 for the picture before the first."""
        self._state.when_idle(lambda: self._go_to(step), "look at its steps")

    def distances(self) -> NDArray[np.float64]:
        """How far each handle is from its target, in pixels, before the first step and after each.

        Of the drag that runs, else of the document's; of none while a photo is inverted. [steps + 1, n]
        """
        runs, document = self._state.running, self.whole
        if isinstance(runs, Dragging):
            progress = runs.progress
            targets = [pair.target for pair in document.complete_pairs]
            if progress is None or len(targets) != progress.trace.shape[1]:
                return np.zeros((0, 0))
            trace, targets_at = progress.trace, np.array(targets, np.float64)
        elif document.result is not None and runs is None:
            trace, targets_at = document.result.trace, document.result.targets
        else:
            return np.zeros((0, 0))
        return np.asarray(np.hypot(*np.moveaxis(trace - targets_at, -1, 0)), np.float64)

    def _step(self) -> int:
        result = self._state.document.result
        return 0 if result is None else result.steps

    def _go_to(self, step: int) -> None:
        state, whole = self._state, self.whole
        result = whole.result
        if result is None or not result.steps:
            state.say("There are no steps to look at yet: drag first.")
            return
        if not result.has_frames or len(whole.complete_pairs) != len(result.targets):
            state.say("The steps of this drag were not kept, or its points are others now.")
            return
        step = min(max(step, 0), result.steps)
        if step == result.steps:
            self._show_whole(whole)
        elif step != self._step():
            if self._whole is not whole:
                self._whole, self._number = whole, self._number + 1
            self._cut = whole.with_result(result.until(step))
            state.apply(f"step {step} of {result.steps}", self._cut, f"scrub {self._number}")
            state.document_changed()
        left = max(pair.distance or 0.0 for pair in state.document.complete_pairs)
        state.say(f"Step {step} of {result.steps}, {left:.1f} px left. {self._next(step, result)}")

    def _show_whole(self, whole: Document) -> None:
        """All steps again: as a rule that takes the edit back that left some out."""
        state = self._state
        if state.document is whole:
            return
        state.history.undo()
        if state.document is not whole:  # other edits came between
            state.history.redo()
            state.apply("all steps", whole)
        state.document_changed()

    def _next(self, step: int, result: DragResult) -> str:
        state = self._state
        paused = isinstance(state.phase, Idle) and state.phase.paused is state.document
        if step == result.steps and not paused:
            return "< goes back."
        return "Space goes on from here, < > look."
