"""Adam (arXiv 1412.6980, algorithm 1), for one small array: state in, state out."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from dragonnx.types import Float32, Float64

_BETA1 = 0.9
_BETA2 = 0.999
_EPSILON = 1e-8


@dataclass(frozen=True, eq=False)
class Adam:
    """What Adam remembers of the gradients, with the paper's defaults for the moments' decay.

    Attributes:
        step_size: The learning rate.
        steps: How many gradients came so far.
        mean: Their decayed mean, uncorrected; of the parameters' shape once one came.
        square: The decayed mean of their squares, likewise; one number where it is shared.
        is_shared: Whether all parameters share the mean of their squares. Each then moves as far as its
            gradient says, where Adam's own moves all about as far, those that matter little too.
    """

    step_size: float
    steps: int = 0
    mean: Float64 = field(default_factory=lambda: np.zeros(()))
    square: Float64 = field(default_factory=lambda: np.zeros(()))
    is_shared: bool = False

    def update(self, gradient: Float32) -> tuple[Float32, Adam]:
        """What to add to the parameters for this gradient, and what to remember then.

        Args:
            gradient: Always of the same shape.
        """
        g = gradient.astype(np.float64)
        steps = self.steps + 1
        mean = _BETA1 * self.mean + (1 - _BETA1) * g
        squared = np.mean(g * g, keepdims=True) if self.is_shared else g * g
        square = _BETA2 * self.square + (1 - _BETA2) * squared
        unbiased = mean / (1 - _BETA1**steps)
        deviation = np.sqrt(square / (1 - _BETA2**steps))
        update = -self.step_size * unbiased / (deviation + _EPSILON)
        return np.asarray(update, np.float32), Adam(
            self.step_size, steps, mean, square, self.is_shared
        )
