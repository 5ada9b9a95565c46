"""What the editor does just now: nothing, a drag, an inversion, or ending one of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from dragonnx.document import Document
from dragonnx.editor.events import DragProgressed

Change: TypeAlias = Callable[[], object]
"""Something to do once nothing runs: an edit, or opening a dialog."""


@dataclass(frozen=True, eq=False)
class Idle:
    """Nothing runs.

    Attributes:
        paused: What a paused drag reached. As long as the document is this one, it can go on.
    """

    paused: Document | None = None

    @classmethod
    def on(cls, document: Document) -> Idle:
        """Nothing runs after opening a document, whose drag may have been paused."""
        return cls(document if document.can_go_on else None)


@dataclass(frozen=True, eq=False)
class Dragging:
    """A drag runs.

    Attributes:
        progress: The newest that it told.
    """

    progress: DragProgressed | None = None


@dataclass(frozen=True, eq=False)
class Inverting:
    """A photo is inverted.

    Attributes:
        photo: Its file's name.
        steps: How many were told so far.
    """

    photo: str
    steps: int = 0


Running: TypeAlias = Dragging | Inverting


@dataclass(frozen=True, eq=False)
class Stopping:
    """What runs was told to end after the step that it is in.

    Attributes:
        what: What runs.
        for_good: Whether it is to end, not only to pause. An inversion always ends.
        waiting: What to do then, in this order.
    """

    what: Running
    for_good: bool = False
    waiting: tuple[Change, ...] = ()


Phase: TypeAlias = Idle | Dragging | Inverting | Stopping

_AFTER: dict[type, tuple[type, ...]] = {
    Idle: (Idle, Dragging, Inverting),
    Dragging: (Dragging, Stopping, Idle),
    Inverting: (Inverting, Stopping, Idle),
    Stopping: (Stopping, Idle),
}
"""For each phase, those that may follow."""


def checked(before: Phase, after: Phase) -> Phase:
    """The phase that follows, where it may.

    Raises:
        ValueError: It may not: the editor would start something while another thing runs.
    """
    runs_before, runs_after = running(before), running(after)
    changes_work = (
        runs_before is not None
        and runs_after is not None
        and type(runs_before) is not type(runs_after)
    )
    if type(after) not in _AFTER[type(before)] or changes_work:
        raise ValueError(f"{type(after).__name__} cannot follow {type(before).__name__}")
    return after


def running(phase: Phase) -> Running | None:
    """What runs, even if it was told to end; None where nothing does."""
    if isinstance(phase, Idle):
        return None
    return phase.what if isinstance(phase, Stopping) else phase


def with_progress(phase: Phase, now: Running) -> Phase:
    """The phase after what runs went on to `now`."""
    return replace(phase, what=now) if isinstance(phase, Stopping) else now


def stopping(phase: Phase, *, for_good: bool = False, change: Change | None = None) -> Phase:
    """The phase after telling what runs to end.

    Args:
        phase: The phase before; idle stays idle.
        for_good: Whether to end it and not only to pause it; once asked for, that stays.
        change: What to do then, after all that already waits.
    """
    if isinstance(phase, Idle):
        return phase
    told = phase if isinstance(phase, Stopping) else Stopping(phase)
    waiting = told.waiting if change is None else (*told.waiting, change)
    return replace(told, for_good=told.for_good or for_good, waiting=waiting)


def waiting(phase: Phase) -> tuple[Change, ...]:
    """What waits for nothing to run."""
    return phase.waiting if isinstance(phase, Stopping) else ()
