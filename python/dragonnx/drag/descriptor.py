"""What point tracking compares: features mapped so that they tell a handle from its neighbours."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Self

import numpy as np

from dragonnx.drag.windows import FeatureWindows, require_finite
from dragonnx.types import Float32

_LEAST_VARIATION = 0.1
"""Of a direction of features, in shares of the mean one, so that noise is not taken for features."""
_BESIDE = 0.03
"""What squared distances of whitened features count beside those of a learned map. That knows best what it
has learned to follow, eyes say; of others whitening knows more."""


@dataclass(frozen=True, eq=False)
class Descriptor:
    """Linear maps of a cell's features, and of those of the cells around it, to a description.

    Attributes:
        kernels: Each from the C channels of s x s cells to K numbers, [K, C, s, s] with s odd. Together
            they give the description.
    """

    kernels: tuple[Float32, ...]

    @classmethod
    def of(cls, features: Float32, learned: Float32 | None = None) -> Self:
        """What describes the features of a drag.

        It whitens: features vary over the first picture alike in all directions then. Where they all
        vary together, a step of the picture's larger parts outweighs what tells a handle from its
        neighbours; distances of whitened features are Mahalanobis's.

        Args:
            features: The whole map before the first step, [C, h, w].
            learned: A map that was learned for the model, [K, C, s, s]; whitening counts little then.

        Raises:
            InputError: The features are no numbers that can be followed.
        """
        require_finite(features)
        rows = features.reshape(len(features), -1).astype(np.float64)
        variation, directions = np.linalg.eigh(np.atleast_2d(np.cov(rows, ddof=0)))
        floor = _LEAST_VARIATION * variation.mean() + np.finfo(np.float32).tiny
        whitening = (directions / np.sqrt(variation + floor)) @ directions.T
        if learned is not None:
            whitening *= math.sqrt(_BESIDE)
        kernel = whitening.astype(np.float32)[:, :, None, None]
        return cls((kernel,) if learned is None else (learned, kernel))

    @property
    def around(self) -> int:
        """How many cells on each side of a cell its description reads."""
        return max(int(kernel.shape[-1]) for kernel in self.kernels) // 2

    def described(self, windows: FeatureWindows) -> FeatureWindows:
        """The same windows with the descriptions of their cells, [N, K of all kernels, h, w].

        Beyond a window its border repeats, as a map's does: nearer than `around` to a side that is not
        the map's own, descriptions are not to be read.
        """
        values = [_convolved(windows.values, kernel) for kernel in self.kernels]
        return FeatureWindows(np.concatenate(values, axis=1), windows.plan)


def _convolved(values: Float32, kernel: Float32) -> Float32:
    count, channels, height, width = values.shape
    size, side = len(kernel), kernel.shape[-1]
    border = (side // 2, side // 2)
    padded = np.pad(values, ((0, 0), (0, 0), border, border), mode="edge")
    found = np.zeros((count, size, height * width), np.float32)
    for row, column in itertools.product(range(side), repeat=2):
        cells = padded[:, :, row : row + height, column : column + width]
        found += kernel[:, :, row, column] @ cells.reshape(count, channels, -1)
    return found.reshape(count, size, height, width)
