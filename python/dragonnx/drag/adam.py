"""Adam (arXiv 1412.6980, algorithm 1), for one small array."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

_BETA1 = 0.9
_BETA2 = 0.999
_EPSILON = 1e-8


@dataclass
class Adam:
    """Turns gradients into updates, with the paper's defaults for the moments' decay.

    Attributes:
        step_size: The learning rate.
        steps: How many gradients came so far.
        mean: Their decayed mean, uncorrected; of the parameters' shape once one came.
        square: The decayed mean of their squares, likewise.
    """

    step_size: float
    steps: int = 0
    mean: NDArray[np.float64] = field(default_factory=lambda: np.zeros(()))
    square: NDArray[np.float64] = field(default_factory=lambda: np.zeros(()))

    def update(self, gradient: NDArray[np.float32]) -> NDArray[np.float32]:
        """What to add to the parameters for this gradient; always of the same shape."""
        g = gradient.astype(np.float64)
        self.steps += 1
        self.mean = _BETA1 * self.mean + (1 - _BETA1) * g
        self.square = _BETA2 * self.square + (1 - _BETA2) * g * g
        mean = self.mean / (1 - _BETA1**self.steps)
        square = self.square / (1 - _BETA2**self.steps)
        return np.asarray(-self.step_size * mean / (np.sqrt(square) + _EPSILON), np.float32)
