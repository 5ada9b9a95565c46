"""What the editor tells the user, and how long that holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from dragonnx.drag.mask import FixedPoint, fixed_points
from dragonnx.editor.phase import Dragging, Idle, Inverting

if TYPE_CHECKING:
    from dragonnx.document import Document
    from dragonnx.editor.state import EditorState

Tone: TypeAlias = Literal["", "good", "bad", "hint"]
Severity: TypeAlias = Literal["warning", "information"]

FIRST_HINT = "Click what to move, click where to, press Space."
TARGET_HINT = "Now the target: move the cross-hair and press Enter, or click."
HELD_HINT = "The arrows move it, Enter or Esc puts it down."
DRAG_HINT = "Space starts the drag; Enter or a click adds another point."


@dataclass(frozen=True)
class Notice:
    """A sentence for the user.

    Attributes:
        text: It.
        tone: How it is meant.
        heading: What it is about, where it is long: a line begins with it, a box is headed by it.
    """

    text: str = ""
    tone: Tone = ""
    heading: str = ""

    @property
    def line(self) -> str:
        """All of it in one line."""
        return f"{self.heading}: {self.text}" if self.heading else self.text


@dataclass(frozen=True)
class Alert:
    """A sentence that the user must see whole.

    Attributes:
        heading: What it is about.
        text: It; nothing where what was told does not hold any more.
        severity: How much it matters. What is only information goes when it no longer holds.
    """

    heading: str = ""
    text: str = ""
    severity: Severity = "information"


def subject(state: EditorState) -> tuple[object, ...]:
    """What a sentence is about. Once this is another, the sentence no longer holds."""
    phase, document = state.phase, state.document
    return (
        document,
        type(phase),
        isinstance(phase, Idle) and phase.paused is document,
        state.is_model_open,
        state.tool,
        state.selected,
        state.selected_end,
        state.is_held,
        state.mask_shown,
        state.comparison.shown,
        state.comparison.wipe,
        state.bare,
        None if state.stroke is None else state.stroke.corners,
    )


def next_step(state: EditorState) -> str:
    """What the user can do next, where nothing else is to be said."""
    if isinstance(state.running, Inverting):
        return "x is enough of it and keeps the best so far."
    if isinstance(state.running, Dragging):
        return "Space pauses the drag, x ends it."
    return _next_edit(state)


def _next_edit(state: EditorState) -> str:
    """What can be done next while nothing runs."""
    phase, document = state.phase, state.document
    if not state.is_model_open:
        return f"Opening {document.model} ..."
    if state.is_held:
        return HELD_HINT
    if document.waits_for_target:
        return TARGET_HINT
    if isinstance(phase, Idle) and phase.paused is document:
        return "Paused. Space goes on, x ends, u takes the drag back."
    if document.result is not None:
        return "Space drags on, c shows before, e exports, u takes back."
    return drag_hint(document) if document.complete_pairs else FIRST_HINT


def drag_hint(document: Document) -> str:
    """What can come next where there is something to drag: a point that the mask keeps fixed comes first."""
    found = fixed_points_of(document)
    if not found:
        return DRAG_HINT
    end, number = found[0]
    return (
        f"{end.capitalize()} {number + 1} lies on what the mask keeps fixed; 2 paints it movable."
    )


def fixed_points_of(document: Document) -> list[FixedPoint]:
    """Points that a drag would take along, or would take others to, on what the mask keeps fixed."""
    if document.mask is None:
        return []
    found = fixed_points(
        document.mask,
        np.array([pair.handle for pair in document.complete_pairs]).reshape(-1, 2),
        np.array([pair.target for pair in document.complete_pairs], np.float64).reshape(-1, 2),
    )
    numbers = [number for number, pair in enumerate(document.pairs) if pair.takes_part]
    return [(end, numbers[at]) for end, at in found]
