"""The settings of the preset `best` that suit a model, by trying each on drags that are judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from dragonnx.drag.config import DragConfig, DragSettings
from dragonnx.model.generator import Generator
from dragonnx_export.evaluation.cases import KINDS, Case, Cases
from dragonnx_export.evaluation.drags import dragged
from dragonnx_export.evaluation.entrants import Entrant
from dragonnx_export.evaluation.judge import Judge
from dragonnx_export.following.drags import DRAWS

PRESET: Final = "best"
TRIED: Mapping[str, Sequence[float]] = {
    "r1": (3, 6, 10, 20, 30),
    "step_size": (0.003, 0.004, 0.006, 0.008, 0.011),
    "r2": (24, 48),
}
"""In this order, each with the best of those before."""
_CHEAPER = "r2"
"""Of which less is taken where it is as good: smaller windows cost less."""
_FARTHEST = 10.0
"""Pixels of a 256 px image: a drag that ends farther off counts as one that ends there."""
_STEPS = 40
"""As many are as bad as a pixel of a 256 px image."""
_LEAST_GAIN = 0.02
"""Pixels, below which it is noise."""


def found_settings(
    generator: Generator, judge: Judge, count: int, seed: int, tell: Callable[[str], None]
) -> dict[str, float]:
    """What suits the model, as a manifest has it: by PRESET.NAME.

    Args:
        generator: The model, with what point tracking of it learned.
        judge: Says where landmarks are.
        count: How many drags each value is tried on.
        seed: Of their draw; none of them is learned from.
        tell: Is told what each value gave, a line each.
    """
    cases = tuple(Cases(generator, judge, 2 * DRAWS + seed).drawn(KINDS[0], count))
    worths: dict[tuple[float, ...], float] = {}

    def worth(values: Mapping[str, float]) -> float:
        # On small images radii that differ are the same in pixels.
        settled = _settled(generator, values)
        drags = settled.step_size, settled.r1_pixels, settled.r2_pixels
        if drags not in worths:
            worths[drags] = _tried(generator, judge, cases, values, tell)
        return worths[drags]

    usual = _settled(generator, {})
    found = {name: float(getattr(usual, name)) for name in TRIED}
    least = worth(found)
    for name, values in TRIED.items():
        for value in values:
            other = {**found, name: float(value)}
            cheaper = name == _CHEAPER and value < found[name]
            if worth(other) < least + (_LEAST_GAIN if cheaper else -_LEAST_GAIN):
                least, found = worth(other), other
    return {f"{PRESET}.{name}": value for name, value in found.items()}


def _settled(generator: Generator, values: Mapping[str, float]) -> DragSettings:
    """What a drag of one point without a mask runs with."""
    m = generator.manifest
    return DragConfig(preset=PRESET, **dict[str, Any](values)).settings(
        image_height=m.image_size[0],
        point_count=1,
        trainable_layers=m.trainable_layers,
        recommended=m.drag_settings,
    )


def _tried(
    generator: Generator,
    judge: Judge,
    cases: Sequence[Case],
    settings: Mapping[str, float],
    tell: Callable[[str], None],
) -> float:
    """How far drags end from their targets, with what their steps cost: less is better."""
    words = " ".join(f"{name}={value:g}" for name, value in settings.items())
    entrant = Entrant.parse(f"{PRESET} {words}")
    scores = [
        dragged(generator, judge, None, entrant, case, number, None)
        for number, case in enumerate(cases)
    ]
    pixel = generator.manifest.image_size[0] / 256
    off = np.mean([min(score.end.off / pixel, _FARTHEST) for score in scores])
    steps = np.mean([score.steps for score in scores])
    tell(f"{words}: {off * pixel:.2f} px off after {steps:.0f} steps")
    return float(off + steps / _STEPS)
