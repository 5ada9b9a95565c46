"""How well drags with the preset `best` go, in one number, and whether a tuned bundle gains by it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from dragonnx.model.generator import Generator
from dragonnx_export.evaluation.cases import KINDS, Case, Cases
from dragonnx_export.evaluation.drags import dragged
from dragonnx_export.evaluation.entrants import Entrant
from dragonnx_export.evaluation.judge import Judge
from dragonnx_export.folder_writer import ExportError
from dragonnx_export.following.drags import DRAWS

PRESET: Final = "best"
_FARTHEST = 10.0
"""Pixels of a 256 px image: a drag that ends farther off counts as one that ends there."""
_STEPS = 40
"""As many are as bad as a pixel of a 256 px image."""


@dataclass(frozen=True)
class Trial:
    """What some drags came to.

    Attributes:
        off: How far they end from their targets, by the judge, in pixels of the image: the mean.
        steps: How many they took, likewise.
        worth: Both in one number: less is better.
    """

    off: float
    steps: float
    worth: float

    @classmethod
    def of(
        cls,
        generator: Generator,
        judge: Judge,
        cases: Iterable[Case],
        settings: Mapping[str, float],
    ) -> Self:
        """Do each of the cases.

        Args:
            generator: The model.
            judge: Says where landmarks are.
            cases: Drags of one point.
            settings: Of the drags; the others are those that suit the model.
        """
        words = [f"{name}={value:g}" for name, value in settings.items()]
        entrant = Entrant.parse(" ".join([PRESET, *words]))
        scores = [
            dragged(generator, judge, None, entrant, case, number, None)
            for number, case in enumerate(cases)
        ]
        pixel = generator.manifest.image_size[0] / 256
        off = float(np.mean([min(score.end.off / pixel, _FARTHEST) for score in scores]))
        steps = float(np.mean([score.steps for score in scores]))
        return cls(off * pixel, steps, off + steps / _STEPS)

    def __str__(self) -> str:
        return f"{self.off:.2f} px off after {self.steps:.0f} steps"


def tried_afresh(generator: Generator, judge: Judge, count: int, seed: int) -> Trial:
    """The model as it is, on drags of which none is learned from and none chooses a setting."""
    return Trial.of(
        generator, judge, Cases(generator, judge, 3 * DRAWS + seed).drawn(KINDS[0], count), {}
    )


def require_gain(name: str, before: Trial, after: Trial) -> None:
    """Refuse what makes drags no better.

    Args:
        name: Of the model.
        before: As it was.
        after: Tuned, on the same drags.

    Raises:
        ExportError: Nothing is gained.
    """
    if not after.worth < before.worth:
        raise ExportError(
            f"tuning gains nothing for {name}: drags of neither learning nor trying ended {before} before, "
            f"and {after} tuned. Nothing is written"
        )
