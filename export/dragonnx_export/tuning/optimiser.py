"""The optimiser: orthogonalised momentum for the large weights, Adam for all others.

Orthogonalised momentum (Muon, Keller Jordan 2024) replaces a matrix of gradients by the nearest
matrix with equal singular values, so that rare directions learn as fast as common ones. Here it is
worth 3 dB at equal processor time when the bundled model is trained (20.4 against 17.6 dB at 32 px
after 110 s), and 2 dB when a generator is tuned to a photo (33.4 against 31.3 dB in 300 steps).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

_MOMENTUM = 0.95
# Odd polynomials a x + b x^3 + c x^5 that together drive singular values of 1e-3 to 1 towards 1.
_QUINTICS = (
    (4.0848, -6.8946, 2.9270),
    (3.9505, -6.3029, 2.6377),
    (3.7418, -5.5913, 2.3037),
    (2.8769, -3.1427, 1.2046),
    (2.8366, -3.0525, 1.2012),
)


class Optimiser:
    """Both optimisers as one.

    The weights of 3x3 convolutions, and the square ones of the mapping network, are matrices
    [outputs, the rest].
    """

    def __init__(self, module: nn.Module) -> None:
        matrices: list[nn.Parameter] = []
        others: list[nn.Parameter] = []
        for name, parameter in module.named_parameters():
            convolves = parameter.ndim == 4 and parameter.shape[-1] > 1
            square = name.startswith("mapping.") and len(set(parameter.shape)) < parameter.ndim
            (matrices if convolves or square else others).append(parameter)
        self._matrices = matrices
        self._momenta = [torch.zeros_like(matrix) for matrix in matrices]
        self._adam = torch.optim.Adam(others, betas=(0.9, 0.99))

    def zero_grad(self) -> None:
        """Forget the gradients."""
        self._adam.zero_grad()
        for matrix in self._matrices:
            matrix.grad = None

    def step(self, rate: float, matrix_rate: float) -> None:
        """Descend.

        Args:
            rate: Adam's learning rate.
            matrix_rate: Root mean square of the change of each matrix.
        """
        for group in self._adam.param_groups:
            group["lr"] = rate
        self._adam.step()
        with torch.no_grad():
            for matrix, momentum in zip(self._matrices, self._momenta, strict=True):
                if matrix.grad is None:
                    continue
                momentum.lerp_(matrix.grad, 1 - _MOMENTUM)
                ahead = matrix.grad.lerp(momentum, _MOMENTUM)
                change = orthogonalised(ahead.reshape(len(ahead), -1))
                matrix.add_(change.view_as(matrix), alpha=-matrix_rate)

    def state_dict(self) -> dict[str, Any]:
        """What the next step depends on, besides weights and gradients."""
        return {"adam": self._adam.state_dict(), "momenta": self._momenta}

    def load_state_dict(self, kept: dict[str, Any]) -> None:
        """Take over what `state_dict` gave."""
        self._adam.load_state_dict(kept["adam"])
        momenta: Iterable[Tensor] = kept["momenta"]
        for momentum, values in zip(self._momenta, momenta, strict=True):
            momentum.copy_(values)


def orthogonalised(matrix: Tensor) -> Tensor:
    """A matrix [n, m] with its singular values made equal, nearly; of root mean square 1.

    The iteration runs on the small square matrix of inner products, which costs a fraction of
    running it on the matrix itself.
    """
    wide = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    wide = wide / (wide.norm() + 1e-12)
    inner = wide @ wide.T
    product = torch.eye(len(inner), dtype=wide.dtype)
    for a, b, c in _QUINTICS:
        factor = b * inner + c * (inner @ inner)
        factor.diagonal().add_(a)
        product = factor @ product
        inner = factor @ inner @ factor
    wide = product @ wide
    spread: Tensor = wide * (math.sqrt(wide.numel()) / (float(wide.norm()) + 1e-12))
    return spread.T if matrix.shape[0] > matrix.shape[1] else spread
