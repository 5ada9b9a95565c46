"""The inputs on which the graphs of a bundle are compared with torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dragonnx.drag.windows import Geometry, GraphWindows, plan_windows
from dragonnx.model.manifest import Manifest

SEEDS = (0, 1, 2)

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class FeaturesPart:
    """The features and pullback graphs of one cut: their windows, and the gradient that goes in."""

    plan: GraphWindows | None
    grad_features: NDArray[np.float32]

    @property
    def cut(self) -> int | None:
        """Where windows begin; None for whole maps."""
        return self.plan.cut if self.plan else None

    @property
    def inputs(self) -> Arrays:
        """The windows' inputs."""
        return self.plan.inputs if self.plan else {}

    @property
    def place(self) -> tuple[Any, ...]:
        """Where its window lies in the whole feature map."""
        if self.plan is None:
            return (...,)
        ((x, y),) = self.plan.origins
        height, width = self.plan.size
        return (..., slice(y, y + height), slice(x, x + width))


@dataclass(frozen=True)
class ParityCase:
    """Inputs that all implementations get; the w_plus has another w in each layer."""

    seed: int
    mapping_inputs: Arrays
    w_plus: NDArray[np.float32]
    grad_image: NDArray[np.float32]
    parts: tuple[FeaturesPart, ...]

    @property
    def motion(self) -> NDArray[np.float32]:
        """By how much a picture is turned and moved, as the graph takes it, [1, 4]."""
        angle = 0.5 + self.seed
        return np.array([[np.cos(angle), np.sin(angle), 0.1, -0.2]], np.float32)

    def grad_for(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """The gradient that goes into the pullback of an image of any size, shaped as it."""
        height, width = image.shape[-2:]
        return np.ascontiguousarray(self.grad_image[..., :height, :width])


def parity_cases(
    manifest: Manifest, image_channels: int, w_of: Callable[[Arrays], NDArray[np.float32]]
) -> Iterator[ParityCase]:
    """One case for each seed; whole maps in all of them, each cut in one, since torch takes long.

    Args:
        manifest: The model's facts.
        image_channels: Colours of its image.
        w_of: The mapping network, from its inputs to w [N, w_dim].
    """
    m = manifest
    for number, seed in enumerate(SEEDS):
        random = np.random.default_rng(seed)
        # One z for each layer: a w_plus whose rows are all equal would hide swapped layers.
        inputs = {"z": random.standard_normal((m.num_ws, m.z_dim))}
        if m.label_dim:
            inputs["label"] = np.eye(m.label_dim)[random.integers(m.label_dim, size=m.num_ws)]
        inputs = {name: np.asarray(values, np.float32) for name, values in inputs.items()}
        plans = (None, *_window_plans(m, number, random))
        grad_image = random.standard_normal((1, image_channels, *m.image_size), np.float32)
        shapes = [
            (1, m.feature_map.channels, *(p.size if p else m.feature_map.size)) for p in plans
        ]
        yield ParityCase(
            seed=seed,
            mapping_inputs=inputs,
            w_plus=w_of(inputs)[None],
            grad_image=grad_image,
            parts=tuple(
                FeaturesPart(plan, random.standard_normal(shape).astype(np.float32))
                for plan, shape in zip(plans, shapes, strict=True)
            ),
        )


def _window_plans(
    manifest: Manifest, number: int, random: np.random.Generator
) -> Iterator[GraphWindows]:
    """Windows of the cuts whose turn it is in the case of that number."""
    height, width = manifest.image_size
    for position, cut in enumerate(manifest.cuts):
        if position % len(SEEDS) == number:
            # Every other window in a corner, where it meets the padding.
            corner = np.array([[width, height]]) - 1
            place = corner * (random.uniform(0, 1, 2) if position % 2 else [0, 1])
            yield plan_windows(place, height / 40, Geometry.of(manifest), cut)
