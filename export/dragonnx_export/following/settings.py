"""The settings of the preset `best` that suit a model, by trying each on drags that are judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np

from dragonnx.drag.config import DragConfig
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
    height = generator.manifest.image_size[0]
    chosen = DragConfig(preset=PRESET).settings(
        image_height=height,
        point_count=1,
        trainable_layers=generator.manifest.trainable_layers,
        recommended=generator.manifest.drag_settings,
    )
    found = {name: float(getattr(chosen, name)) for name in TRIED}
    least = _tried(generator, judge, cases, found, tell)
    for name, values in TRIED.items():
        known = found[name]
        for value in values:
            if value == known:
                continue
            other = {**found, name: float(value)}
            worth = _tried(generator, judge, cases, other, tell)
            cheaper = name == _CHEAPER and value < found[name]
            if worth < least + (_LEAST_GAIN if cheaper else -_LEAST_GAIN):
                least, found = worth, other
    return {f"{PRESET}.{name}": value for name, value in found.items()}


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
