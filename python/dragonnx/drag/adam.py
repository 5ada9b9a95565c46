"""Adam (arXiv 1412.6980, algorithm 1), for one small array."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_BETA1 = 0.9
_BETA2 = 0.999
_EPSILON = 1e-8


class Adam:
    """Turns gradients into updates, with the paper's defaults for the moments' decay.

    Args:
        step_size: The learning rate.
    """

    def __init__(self, step_size: float) -> None:
        self._step_size = step_size
        self._steps = 0
        self._mean: NDArray[np.float64] | float = 0.0
        self._square: NDArray[np.float64] | float = 0.0

    def update(self, gradient: NDArray[np.float32]) -> NDArray[np.float32]:
        """What to add to the parameters for this gradient; always of the same shape."""
        g = gradient.astype(np.float64)
        self._steps += 1
        self._mean = _BETA1 * self._mean + (1 - _BETA1) * g
        self._square = _BETA2 * self._square + (1 - _BETA2) * g * g
        mean = self._mean / (1 - _BETA1**self._steps)
        square = self._square / (1 - _BETA2**self._steps)
        return np.asarray(-self._step_size * mean / (np.sqrt(square) + _EPSILON), np.float32)
