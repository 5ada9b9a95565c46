"""Which places a critter's landmarks can be at: found by moving the factors that shape it.

A drag to a place where no critter has its nose cannot be judged. So the critter that an image shows
is looked for first, by its landmarks, and then the one nearest to it with a landmark elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dragonnx.errors import InputError
from dragonnx.model.generator import Generator
from dragonnx.types import Float32
from dragonnx_critters.estimator import IMAGE_SIZE, mirror_averaged
from dragonnx_critters.factors import FACTOR_COUNT, GEOMETRY, factors_of_entries
from dragonnx_critters.landmarks import (
    LANDMARK_NAMES,
    landmark_places,
    landmarks,
    project,
    surface_points,
)
from dragonnx_critters.scene import scene_of
from dragonnx_export.evaluation.judge import Judge

Entries = NDArray[np.float64]
Points = NDArray[np.float64]

_MOST = 2.0
"""How far an entry may be from 0, in standard deviations: 19 of 20 critters are nearer."""
_ERROR = 0.5
"""Of a landmark by the estimator, in pixels of a 256 px image, with what a generator's pictures are off."""
_NEAR = 1.0
"""Likewise, within which a place counts as reached."""
_TRIED = 16
"""Pixels that are tried for each point that both critters of a pair show."""
_ROUNDS = 12
_NUDGE = 1e-3
_STILL = 3e-3
"""A change of entries that moves no landmark by a tenth of a pixel."""


@dataclass(frozen=True)
class Shape:
    """The geometry of a critter.

    Attributes:
        entries: Of z, the geometry's, each a standard normal number of a random critter; the
            appearance's are 0.
        size: Side of the image in pixels.
    """

    entries: Entries
    size: int

    @classmethod
    def seen(cls, points: Points, size: int) -> Shape:
        """The most likely critter whose landmarks are at points [landmarks, 2]."""
        every = np.arange(len(LANDMARK_NAMES))
        return cls(np.zeros(FACTOR_COUNT), size)._moved(every, points, _ERROR)

    @property
    def visible(self) -> NDArray[np.bool_]:
        """Which landmarks can be seen, [landmarks]."""
        return landmarks(scene_of(factors_of_entries(self.entries)), self.size).visible

    def can_reach(self, indices: NDArray[np.int_], targets: Points) -> bool:
        """Whether a critter of usual factors has these landmarks, visible, at targets [n, 2]."""
        moved = self._moved(indices, targets, _NEAR / 8)
        off = np.linalg.norm(moved.places[indices] - targets, axis=1)
        return bool((off <= _NEAR * self._pixel).all() and moved.visible[indices].all())

    @property
    def places(self) -> Points:
        """Where the landmarks are, (x, y) in pixels, [landmarks, 2]."""
        scene = scene_of(factors_of_entries(self.entries))
        found: Points = landmark_places(scene, self.size)
        return found

    @property
    def _pixel(self) -> float:
        """The side of a pixel of a 256 px image, in those of this one."""
        return self.size / IMAGE_SIZE

    def _moved(self, indices: NDArray[np.int_], targets: Points, error: float) -> Shape:
        """The nearest shape with landmarks at targets, to within an error (of 256 px): Gauss-Newton steps."""
        error *= self._pixel
        entries, start = self.entries.copy(), self.entries
        free = np.flatnonzero(GEOMETRY)
        for _ in range(_ROUNDS):
            here = Shape(entries, self.size).places[indices].ravel()
            slopes = np.empty((len(here), len(free)))
            for column, entry in enumerate(free):
                nudged = entries.copy()
                nudged[entry] += _NUDGE
                there = Shape(nudged, self.size).places[indices].ravel()
                slopes[:, column] = (there - here) / _NUDGE
            away = (targets.ravel() - here) / error
            matrix = np.vstack([slopes / error, np.eye(len(free))])
            wanted = np.concatenate([away, (start - entries)[free]])
            step = np.linalg.lstsq(matrix, wanted, rcond=None)[0]
            after = np.clip(entries[free] + np.clip(step, -1, 1), -_MOST, _MOST)
            still = abs(after - entries[free]).max() < _STILL
            entries[free] = after
            if still:
                break
        return Shape(entries, self.size)


class CritterJudge(Judge):
    """The estimator asked about a picture and its mirror image, and what the renderer knows besides."""

    def found(self, image: Float32) -> Points:
        """See `Judge`."""
        once = super().found
        find = mirror_averaged(lambda images: once(images)[None].astype(np.float32))
        return np.asarray(find(image)[0], np.float64)

    def singly(self, count: int) -> Sequence[int]:
        """See `Judge`: but for the muzzle's sides, which lie on plain fur."""
        del count
        return [index for index, name in enumerate(LANDMARK_NAMES) if "muzzle" not in name]

    def is_feasible(
        self, places: Points, indices: NDArray[np.int_], targets: Points, side: int
    ) -> bool:
        """See `Judge`: where critters of usual factors have them, and they can be seen before."""
        shape = Shape.seen(places, side)
        return bool(shape.visible[indices].all()) and shape.can_reach(indices, targets)

    def correspondences(
        self,
        generator: Generator,
        latents: tuple[Float32, Float32],
        places: tuple[Points, Points],
        count: int,
        rng: np.random.Generator,
    ) -> tuple[Points, Points]:
        """See `Judge`: points of the surface that both critters show, by the renderer."""
        del latents
        side = generator.manifest.image_size[0]
        shown, other = (
            scene_of(factors_of_entries(Shape.seen(each, side).entries)) for each in places
        )
        pixels = rng.permutation(side**2)[: _TRIED * count]
        points = np.stack([pixels % side, pixels // side], axis=-1).astype(np.float64)
        surface = surface_points(shown, points, side)
        there = project(other, surface, side)
        both = np.flatnonzero(project(shown, surface, side).visible & there.visible)[:count]
        if len(both) < count:
            raise InputError(
                f"two critters show {len(both)} points in common, and {count} are wanted"
            )
        return points[both], there.points[both]
