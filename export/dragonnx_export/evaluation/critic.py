"""Says of a dragged picture whether its model usually shows such ones: a fixed critic, for any bundle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from dragonnx.model.generator import Generator
from dragonnx.types import Float32, Float64

LEARNED_FROM, LIMIT_FROM = 700, 1000
"""Pictures of random z, at psi 1: they say what is usual, and further ones how far from it they are."""
PASSED_BY = 0.01
"""The share of random pictures that the critic calls off the model."""
_SEED = 0
_FIELDS = 8
"""Along each side of the picture. With 4 it calls more pictures off whose layers have w's of their own,
though they look well (docs/quality.md)."""
_COUNTED = 0.25
"""The share of fields that decides, the strangest: a drag seldom spoils all of the picture."""
_LEAST_VARIATION = 0.02
"""Of a direction of features, in shares of the mean one."""


@dataclass(frozen=True, eq=False)
class Critic:
    """Compares features, field by field, with those of pictures of random z (Mahalanobis's distance).

    In each of 8 x 8 fields of the feature map, the mean of each channel is one number; how these lie over
    random pictures, whose w's are the same in all layers, is what is usual there. It sees blurred and
    washed out pictures and colours that do not belong, not a nose that lacks.

    Attributes:
        middles: The mean features of each field, [fields, C].
        maps: From features less these to numbers that vary alike, [fields, C, C].
        limit: The distance that one in a hundred random pictures passes.
    """

    middles: Float64
    maps: Float64
    limit: float

    @classmethod
    def of(cls, generator: Generator) -> Self:
        """The critic of a model, always the same one; takes 1,700 feature maps."""
        z = np.random.default_rng(_SEED).standard_normal(
            (LEARNED_FROM + LIMIT_FROM, generator.manifest.z_dim), np.float32
        )
        latents = generator.w_plus(z=z, truncation_psi=1.0)
        fields = np.stack([_fields(generator.features(each[None]).features[0]) for each in latents])
        middles, maps = _usual(fields[:LEARNED_FROM])
        away = [_distance(each, middles, maps) for each in fields[LEARNED_FROM:]]
        return cls(middles, maps, float(np.quantile(away, 1 - PASSED_BY)))

    def strangeness(self, generator: Generator, w_plus: Float32) -> float:
        """How far the picture of a latent is from usual ones, in limits: above 1 it is off the model."""
        fields = _fields(generator.features(w_plus).features[0])
        return _distance(fields, self.middles, self.maps) / self.limit


def _fields(features: Float32) -> Float64:
    """The means of a feature map [C, h, w] in fields of its cells, [fields, C]."""
    found = features.astype(np.float64)
    for axis in (1, 2):
        parts: Sequence[Float64] = np.array_split(found, min(_FIELDS, found.shape[axis]), axis)
        found = np.stack([part.mean(axis=axis) for part in parts], axis=axis)
    return np.ascontiguousarray(found.reshape(len(found), -1).T)


def _usual(fields: Float64) -> tuple[Float64, Float64]:
    """What fields [N, fields, C] have in common: `middles` and `maps` of a critic."""
    middles = fields.mean(axis=0)
    away = (fields - middles).transpose(1, 2, 0)
    variation, directions = np.linalg.eigh(away @ away.transpose(0, 2, 1) / len(fields))
    floor = _LEAST_VARIATION * variation.mean(axis=1, keepdims=True) + np.finfo(np.float32).tiny
    return middles, directions / np.sqrt(np.maximum(variation, 0) + floor)[:, None]


def _distance(fields: Float64, middles: Float64, maps: Float64) -> float:
    """The mean distance of those fields [fields, C] that are farthest from usual ones."""
    away = np.einsum("fc,fcd->fd", fields - middles, maps)
    distances = np.sort(np.linalg.norm(away, axis=1))
    return float(distances[-max(round(_COUNTED * len(distances)), 1) :].mean())
