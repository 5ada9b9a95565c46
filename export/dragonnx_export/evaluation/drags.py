"""One drag and what is measured of it, as the editor and the command line would do it."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from dragonnx import DragSession, Generator
from dragonnx_export.evaluation.cases import Case
from dragonnx_export.evaluation.entrants import Entrant
from dragonnx_export.evaluation.judge import Judge
from dragonnx_export.evaluation.measures import change, distance_from_w, sharpness

LOOKS = (5, 10, 20, 40, 80, 160)
"""Steps after which the picture is judged too, beside its end."""


@dataclass(frozen=True)
class Look:
    """A drag after some steps; distances are means over its points, in pixels.

    Attributes:
        step: How many steps.
        off: From targets to landmarks, by the judge.
        tracking: From where the drag thinks its handles are to where the judge has them.
    """

    step: int
    off: float
    tracking: float


@dataclass(frozen=True)
class Score:
    """How one drag ended.

    Attributes:
        entrant: Who dragged.
        kind: Of the case.
        number: Of the case among its kind.
        seed: Of the picture.
        outcome: An `Outcome` value.
        steps: How many.
        seconds: Of all steps.
        before: From targets to landmarks before, mean in pixels.
        looks: Along the drag, the last one at its end.
        sharpness: See `measures`; mean over the points.
        distance_from_w: Of the trained w's at the end.
        change: Outside the mask, in levels of 255; None without one.
    """

    entrant: str
    kind: str
    number: int
    seed: int
    outcome: str
    steps: int
    seconds: float
    before: float
    looks: tuple[Look, ...]
    sharpness: float
    distance_from_w: float
    change: float | None

    @property
    def end(self) -> Look:
        """The drag at its end."""
        return self.looks[-1]

    def off_at(self, step: int) -> float:
        """Mean distance from the targets after so many steps, or at the end if that came before."""
        at = [look for look in self.looks if look.step <= step]
        return at[-1].off if at else self.before


def dragged(generator: Generator, judge: Judge, entrant: Entrant, case: Case, number: int) -> Score:
    """Do one drag and measure it."""
    w_plus = generator.w_plus(case.seed)
    session = DragSession(generator, w_plus, case.handles, case.targets, case.mask, entrant.config)
    looks: list[Look] = []

    def look() -> None:
        found = judge.places(generator.image(session.w_plus))[case.landmarks]
        off, tracking = (
            float(np.hypot(*(found - points).T).mean())
            for points in (case.targets, session.handle_points)
        )
        looks.append(Look(session.steps, round(off, 3), round(tracking, 3)))

    seconds, began = 0.0, time.perf_counter()
    for step in session:
        if step.number in LOOKS:
            seconds += time.perf_counter() - began
            look()
            began = time.perf_counter()
    seconds += time.perf_counter() - began
    if not looks or looks[-1].step < session.steps:
        look()
    before, after = generator.image(w_plus), generator.image(session.w_plus)
    sharp = [
        sharpness(before, after, handle, target)
        for handle, target in zip(case.handles, case.targets, strict=True)
    ]
    moved = session.w_plus[0, : session.settings.trainable_layers]
    assert session.outcome is not None, "the drag was run to its end"  # noqa: S101
    return Score(
        entrant=entrant.name,
        kind=case.kind,
        number=number,
        seed=case.seed,
        outcome=session.outcome.value,
        steps=session.steps,
        seconds=round(seconds, 4),
        before=round(float(np.hypot(*(case.places[case.landmarks] - case.targets).T).mean()), 3),
        looks=tuple(looks),
        sharpness=round(float(np.mean(sharp)), 4),
        distance_from_w=round(distance_from_w(moved, generator.w_avg, generator.principal_w()), 4),
        change=None if case.mask is None else round(change(before, after, case.mask), 4),
    )
