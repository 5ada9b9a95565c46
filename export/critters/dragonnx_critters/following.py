"""How well a block's features follow points, judged by the renderer's ground truth.

Some factors change in small steps; landmarks are followed through the generator's feature maps as a
drag's point tracking does it, and end where they truly went, or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from dragonnx_critters.factors import FACTOR_COUNT, GEOMETRY, factors_of_z
from dragonnx_critters.landmarks import Projection, landmarks
from dragonnx_critters.scene import scene_of
from dragonnx_export.families.stylegan2.networks import Generator

_STEPS = 8
_CHANGED = 3  # factors that change at once
_CHANGE = 1.2  # of their entries of z


@dataclass(frozen=True)
class Following:
    """How far followed landmarks ended from where they truly went.

    Attributes:
        resolution: Of the block whose features were compared.
        errors: In pixels of the image, [n].
        moves: How far the landmarks truly went, likewise.
    """

    resolution: int
    errors: NDArray[np.float64]
    moves: NDArray[np.float64]


def follow_landmarks(
    generator: Generator,
    resolutions: Sequence[int],
    *,
    walks: int = 8,
    reach: int = 16,
    seed: int = 1,
) -> list[Following]:
    """Follow every landmark that is visible at both ends of random walks through z.

    Args:
        generator: A generator of critters.
        resolutions: Blocks to compare.
        walks: How many.
        reach: Half width of the tracking window, in pixels of the image.
        seed: Of the walks.
    """
    size = generator.architecture.resolution
    rng = np.random.default_rng(seed)
    errors: dict[int, list[NDArray[np.float64]]] = {resolution: [] for resolution in resolutions}
    moves = []
    for _ in range(walks):
        path = _walk(rng)
        start, end = (_truth(z, size) for z in (path[0], path[-1]))
        seen = start.visible & end.visible
        moves.append(np.linalg.norm(end.points[seen] - start.points[seen], axis=1))
        for resolution in resolutions:
            maps = _feature_maps(generator, path, resolution)
            found = _follow(maps, np.rint(start.points[seen]).astype(int), reach)
            errors[resolution].append(np.linalg.norm(found - end.points[seen], axis=1))
    return [
        Following(resolution, np.concatenate(errors[resolution]), np.concatenate(moves))
        for resolution in resolutions
    ]


def _walk(rng: np.random.Generator) -> NDArray[np.float32]:
    """Latent codes [_STEPS + 1, FACTOR_COUNT] between which a few geometry factors change."""
    start = rng.standard_normal(FACTOR_COUNT)
    change = np.zeros(FACTOR_COUNT)
    chosen = rng.choice(np.flatnonzero(GEOMETRY), _CHANGED, replace=False)
    change[chosen] = _CHANGE * rng.choice([-1, 1], _CHANGED)
    return (start + np.linspace(0, 1, _STEPS + 1)[:, None] * change).astype(np.float32)


def _truth(z: NDArray[np.float32], size: int) -> Projection:
    return landmarks(scene_of(factors_of_z(z)), size)


@torch.no_grad()
def _feature_maps(
    generator: Generator, path: NDArray[np.float32], resolution: int
) -> NDArray[np.float32]:
    """A block's output along a walk, resized to the image: [steps, C, H, W]."""
    size = generator.architecture.resolution
    w_plus = generator.w_plus(torch.tensor(path))
    maps: list[Tensor] = [
        F.interpolate(
            generator.synthesis.features(w_plus[k : k + 1], resolution), size=size, mode="bilinear"
        )[0]
        for k in range(len(path))
    ]
    return torch.stack(maps).numpy()


def _follow(maps: NDArray[np.float32], points: NDArray[np.int_], reach: int) -> NDArray[np.int_]:
    """Where points (x, y) [n, 2] of the first map are in the last, by their features' L1 distance."""
    followed = points.copy()
    first = maps[0]
    size = first.shape[-1]
    for features in maps[1:]:
        for index, (x, y) in enumerate(followed):
            wanted = first[:, points[index, 1], points[index, 0]]
            left, right = max(x - reach, 0), min(x + reach + 1, size)
            top, bottom = max(y - reach, 0), min(y + reach + 1, size)
            window = features[:, top:bottom, left:right]
            cost = np.abs(window - wanted[:, None, None]).sum(axis=0)
            row, column = np.unravel_index(int(cost.argmin()), cost.shape)
            followed[index] = left + column, top + row
    return followed
