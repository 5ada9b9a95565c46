"""Coordinates for w in which all directions vary about alike.

The entries of w vary together and by very different amounts, so that one learning rate suits few
of them. Here w = w_avg + coordinates @ (scales * directions): the principal components of many w,
each divided by its standard deviation (Zhu et al., "Improved StyleGAN Embedding", arXiv 2012.09036,
section 3.2, without their leaky ReLU). Directions in which w hardly ever varies keep a floor, so
that photos unlike the model's own pictures can use them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

SMALLEST_SCALE = 0.1
"""Of the largest. Measured: less slows photos that the model does not make down, more its own."""


@dataclass(frozen=True)
class LatentSpace:
    """The coordinates.

    Attributes:
        w_avg: [w_dim], the origin.
        directions: [w_dim, w_dim], rows of length 1 at right angles.
        scales: [w_dim], how far a coordinate of 1 reaches.
    """

    w_avg: NDArray[np.float64]
    directions: NDArray[np.float64]
    scales: NDArray[np.float64]

    @classmethod
    def of(cls, samples: NDArray[np.float32], w_avg: NDArray[np.float32]) -> Self:
        """The space of a mapping network, from samples [N, w_dim] of its untruncated output."""
        centred = samples.astype(np.float64) - w_avg
        variances, columns = np.linalg.eigh(centred.T @ centred / len(samples))
        deviations = np.sqrt(np.maximum(variances, 0))
        scales = np.maximum(deviations, SMALLEST_SCALE * deviations.max())
        return cls(w_avg.astype(np.float64), columns.T, scales)

    def coordinates(self, w: NDArray[np.float32]) -> NDArray[np.float64]:
        """Of w [..., w_dim]."""
        return ((w - self.w_avg) @ self.directions.T) / self.scales

    def w(self, coordinates: NDArray[np.float64]) -> NDArray[np.float32]:
        """Back from coordinates [..., w_dim]."""
        w: NDArray[np.float64] = self.w_avg + (coordinates * self.scales) @ self.directions
        # What is beyond float32 becomes infinite, and the picture's loss tells of it.
        with np.errstate(over="ignore"):
            return w.astype(np.float32)

    def gradient(self, grad_w: NDArray[np.float32]) -> NDArray[np.float64]:
        """dL/dcoordinates [..., w_dim] from dL/dw."""
        gradient: NDArray[np.float64] = (grad_w @ self.directions.T) * self.scales
        return gradient
