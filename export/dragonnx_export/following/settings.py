"""The settings of the preset `best` that suit a model, by trying each on drags that are judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dragonnx.drag.config import DragConfig, DragSettings
from dragonnx.model.generator import Generator
from dragonnx_export.evaluation.cases import KINDS, Cases
from dragonnx_export.evaluation.judge import Judge
from dragonnx_export.following.drags import DRAWS
from dragonnx_export.following.trial import PRESET, Trial

TRIED: Mapping[str, Sequence[float]] = {
    "r1": (3, 6, 10, 20, 30),
    "step_size": (0.003, 0.004, 0.006, 0.008, 0.011),
    "r2": (24, 48),
}
"""In this order, each with the best of those before."""
_CHEAPER = "r2"
"""Of which less is taken where it is as good: smaller windows cost less."""
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
            trial = Trial.of(generator, judge, cases, values)
            words = " ".join(f"{name}={value:g}" for name, value in values.items())
            tell(f"{words}: {trial}")
            worths[drags] = trial.worth
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
