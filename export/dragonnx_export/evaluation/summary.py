"""The scores of an evaluation in numbers: a row for each kind of case and entrant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from dragonnx.drag.outcome import Outcome
from dragonnx_export.evaluation.cases import PAIR_POINTS
from dragonnx_export.evaluation.drags import LOOKS, Reconstruction, Score
from dragonnx_export.evaluation.evaluate import Evaluation

_NEAR, _FAR = 3, 5
"""Pixels of a 256 px image within which a landmark counts as brought to its target."""


@dataclass(frozen=True)
class Row:
    """How an entrant did in the cases of a kind. Distances are in pixels of the image.

    Attributes:
        kind: Of the cases.
        entrant: Who dragged.
        cases: How many.
        before: Mean distance of landmarks from targets before.
        off: After, by the judge.
        off_median: Likewise, the median.
        near: Share of cases that ended within 3 px (of 256).
        far: Within 5 px.
        reached: Share that ended `reached`.
        steps: Median number.
        seconds: Median of a whole drag.
        tracking: Mean distance, along the drag and at its end, from the tracked handle to the landmark;
            None for pairs.
        sharpness: Median; see `measures`.
        distance_from_w: Mean; see `measures`.
        off_model: Share of pictures that the critic calls off the model.
        change: Mean change outside the mask, in levels of 255; None without masks.
        reconstruction: Means, see `Reconstruction`; None but for pairs.
    """

    kind: str
    entrant: str
    cases: int
    before: float
    off: float
    off_median: float
    near: float
    far: float
    reached: float
    steps: float
    seconds: float
    tracking: float | None
    sharpness: float
    distance_from_w: float
    off_model: float
    change: float | None
    reconstruction: Reconstruction | None


def rows(evaluation: Evaluation) -> Iterator[Row]:
    """All rows, by kind, in the order of the entrants."""
    scale = evaluation.facts["image_size"][0] / 256
    for kind in evaluation.cases:
        for entrant in evaluation.entrants:
            yield _row(kind, entrant.name, evaluation.of(entrant.name, kind), scale)


def _row(kind: str, entrant: str, scores: Sequence[Score], scale: float) -> Row:
    off = np.array([score.end.off for score in scores])
    tracking = [
        np.mean(seen)
        for score in scores
        if (seen := [look.tracking for look in score.looks if look.tracking is not None])
    ]
    changes = [score.change for score in scores if score.change is not None]
    return Row(
        kind=kind,
        entrant=entrant,
        cases=len(scores),
        before=_mean(score.before for score in scores),
        off=_mean(off),
        off_median=round(float(np.median(off)), 3),
        near=_mean(off <= _NEAR * scale),
        far=_mean(off <= _FAR * scale),
        reached=_mean(score.outcome == Outcome.REACHED.value for score in scores),
        steps=float(np.median([score.steps for score in scores])),
        seconds=round(float(np.median([score.seconds for score in scores])), 3),
        tracking=_mean(tracking) if tracking else None,
        sharpness=round(float(np.median([score.sharpness for score in scores])), 4),
        distance_from_w=_mean(score.distance_from_w for score in scores),
        off_model=_mean((score.strangeness or 0) > 1 for score in scores),
        change=_mean(changes) if changes else None,
        reconstruction=_mean_reconstruction([each.reconstruction for each in scores]),
    )


def _mean_reconstruction(scores: Sequence[Reconstruction | None]) -> Reconstruction | None:
    found = [each for each in scores if each is not None]
    if not found:
        return None
    perceptual = [
        None if None in each else _mean(each)
        for each in ([r.perceptual_before for r in found], [r.perceptual for r in found])
    ]
    before, after = _mean(r.error_before for r in found), _mean(r.error for r in found)
    return Reconstruction(before, after, *perceptual)


def _mean(values: Any) -> float:
    return round(float(np.mean(list(values))), 4)


def table(found: Sequence[Row], facts: Mapping[str, Any], refused: int) -> str:
    """The rows as Markdown: landmarks, and below them pairs."""
    landmarks = [_landmark_line(row) for row in found if row.reconstruction is None]
    pairs = [_pair_line(row, row.reconstruction) for row in found if row.reconstruction]
    lines = [
        f"Model {facts['model']}, seed {facts['seed']}; {refused} drawn targets were not feasible and "
        "are not counted.",
    ]
    for head, body in ((_LANDMARK_HEAD, landmarks), (_PAIR_HEAD, pairs)):
        if body:
            lines += ["", head, "|" + "---|" * (head.count("|") - 1), *body]
    return "\n".join(lines) + "\n"


_LANDMARK_HEAD = (
    "| points | preset | cases | before | off | median | 3 px | 5 px | reached | steps | seconds "
    "| tracking | sharpness | from W | off the model | outside |"
)
_PAIR_HEAD = (
    "| points | preset | pairs | MSE before | MSE | perceptual before | perceptual | landmarks before "
    "| landmarks off | steps | seconds | from W | off the model |"
)


def _landmark_line(row: Row) -> str:
    outside = "" if row.change is None else f"{row.change:.2f}"
    return (
        f"| {row.kind} | {row.entrant} | {row.cases} | {row.before:.1f} px | {row.off:.2f} px "
        f"| {row.off_median:.2f} px | {row.near:.0%} | {row.far:.0%} | {row.reached:.1%} "
        f"| {row.steps:.0f} | {row.seconds:.2f} | {row.tracking:.2f} px | {row.sharpness:.2f} "
        f"| {row.distance_from_w:.2f} | {row.off_model:.1%} | {outside} |"
    )


def _pair_line(row: Row, found: Reconstruction) -> str:
    seen = (
        "" if each is None else f"{each:.3f}"
        for each in (found.perceptual_before, found.perceptual)
    )
    return (
        f"| {PAIR_POINTS} points | {row.entrant} | {row.cases} | {found.error_before:.4f} "
        f"| {found.error:.4f} | {' | '.join(seen)} | {row.before:.1f} px | {row.off:.2f} px "
        f"| {row.steps:.0f} | {row.seconds:.2f} | {row.distance_from_w:.2f} "
        f"| {row.off_model:.1%} |"
    )


def results(evaluation: Evaluation) -> dict[str, Any]:
    """Everything, as JSON values."""
    return {
        **evaluation.facts,
        "not_feasible": evaluation.refused,
        "rows": [asdict(row) for row in rows(evaluation)],
        "distance_by_step": {
            entrant.name: {
                str(step): _mean(score.off_at(step) for score in evaluation.of(entrant.name, kind))
                for step in (0, *LOOKS)
            }
            for kind in list(evaluation.cases)[:1]
            for entrant in evaluation.entrants
        },
        "drags": [asdict(score) for score in evaluation.scores.values()],
    }
