"""One drag and what is measured of it, as the editor and the command line would do it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dragonnx import DragConfig, DragSession, Generator, PerceptualLoss
from dragonnx.types import Float32, Points
from dragonnx_export.evaluation.cases import Case
from dragonnx_export.evaluation.critic import Critic
from dragonnx_export.evaluation.entrants import Entrant
from dragonnx_export.evaluation.judge import Judge
from dragonnx_export.evaluation.measures import change, distance_from_w, sharpness

LOOKS = (5, 10, 20, 40, 80, 160)
"""Steps after which the picture is judged too, beside its end."""
PAIR_STEPS = 100
"""The most that a pair is given, as in the paper (section 4.2)."""


@dataclass(frozen=True)
class Look:
    """A drag after some steps; distances are means over its points, in pixels.

    Attributes:
        step: How many steps.
        off: From where landmarks are to be to where they are, by the judge.
        tracking: From where the drag thinks its handles are, and so the landmarks beside them, to where the
            judge has these; None for a pair, of which the judge sees other points.
    """

    step: int
    off: float
    tracking: float | None


@dataclass(frozen=True)
class Reconstruction:
    """How near the picture of a pair came to the other one.

    Attributes:
        error_before: Mean squared difference of the images, of values from -1 to 1.
        error: Likewise at the end of the drag.
        perceptual_before: By a perceptual network; None without one.
        perceptual: Likewise at the end.
    """

    error_before: float
    error: float
    perceptual_before: float | None
    perceptual: float | None


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
        before: From where landmarks are to be to where they are before, mean in pixels.
        looks: Along the drag, the last one at its end.
        sharpness: See `measures`; mean over the points.
        distance_from_w: Of the trained w's at the end.
        strangeness: Of the picture at the end, by a critic: above 1 it is off the model; None without one.
        change: Outside the mask, in levels of 255; None without one.
        reconstruction: Of a pair; None for other kinds.
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
    strangeness: float | None
    change: float | None
    reconstruction: Reconstruction | None

    @property
    def end(self) -> Look:
        """The drag at its end."""
        return self.looks[-1]

    def off_at(self, step: int) -> float:
        """Mean distance from the targets after so many steps, or at the end if that came before."""
        at = [look for look in self.looks if look.step <= step]
        return at[-1].off if at else self.before


def dragged(
    generator: Generator,
    judge: Judge,
    critic: Critic | None,
    entrant: Entrant,
    case: Case,
    number: int,
    perceptual: PerceptualLoss | None,
) -> Score:
    """Do one drag and measure it."""
    w_plus = generator.w_plus(case.seed)
    session = DragSession(
        generator, w_plus, case.handles, case.targets, case.mask, config_of(entrant, case)
    )
    looks: list[Look] = []

    def look() -> None:
        found = judge.places(generator.image(session.w_plus))[case.landmarks]
        tracking = None
        if case.second is None:
            # Handles are whole pixels at first, and landmarks lie beside them.
            tracking = _away(found, session.handle_points + (case.goals - case.targets))
        looks.append(Look(session.steps, _away(found, case.goals), tracking))

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
        before=_away(case.places[case.landmarks], case.goals),
        looks=tuple(looks),
        sharpness=round(float(np.mean(sharp)), 4),
        distance_from_w=round(distance_from_w(moved, generator.w_avg, generator.principal_w()), 4),
        strangeness=None
        if critic is None
        else round(critic.strangeness(generator, session.w_plus), 4),
        change=None if case.mask is None else round(change(before, after, case.mask), 4),
        reconstruction=None
        if case.second is None
        else _reconstruction(generator, (w_plus, session.w_plus, case.second), perceptual),
    )


def config_of(entrant: Entrant, case: Case) -> DragConfig:
    """What an entrant drags a case with: a pair in at most `PAIR_STEPS`."""
    if case.second is None:
        return entrant.config
    return replace(
        entrant.config, max_steps=min(entrant.config.max_steps or PAIR_STEPS, PAIR_STEPS)
    )


def _away(points: Points, goals: Points) -> float:
    """Mean distance of points [n, 2] from others, in pixels."""
    return round(float(np.hypot(*(points - goals).T).mean()), 3)


def _reconstruction(
    generator: Generator, latents: Sequence[Float32], perceptual: PerceptualLoss | None
) -> Reconstruction:
    """Of the picture before and after, compared with the last one."""
    *compared, goal = (generator.image_layers(w_plus).image for w_plus in latents)
    before, after = (round(float(np.square(image - goal).mean()), 6) for image in compared)
    if perceptual is None:
        return Reconstruction(before, after, None, None)
    far, near = (round(perceptual.distance(image, goal), 6) for image in compared)
    return Reconstruction(before, after, far, near)
