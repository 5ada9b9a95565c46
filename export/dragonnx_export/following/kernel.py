"""The linear map of features by which a point is found again, learned from examples.

Of all places of a region, the one that is described most like the point is to be where the point is: the
softmax over minus the squared distances is the chance that a place has, and the right one's is raised.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from dragonnx.types import Float32
from dragonnx_export.following.examples import AROUND, REGION, Examples

_DESCRIBED = 32
"""Numbers that describe a place; 16 and 64 find as much."""
_BATCH = 128
_STEP_SIZE = 3e-3
_WEIGHT_DECAY = 1e-3
_WARM_UP = 30
"""Steps in which the step size grows to its full length."""
_FINER = 2
"""Places a cell, along each axis."""
_BLUR = 0.45
"""Cells, the standard deviation of where a point is said to be."""
_LEAST_SPREAD = 1e-3


class _Map(nn.Module):
    """A convolution of features in units of how much they vary, so that all channels learn alike."""

    def __init__(self, spreads: Tensor) -> None:
        super().__init__()
        self.spreads = spreads[:, None, None]
        self.weight = nn.Parameter(_first_guess(len(spreads)))

    @property
    def kernel(self) -> Tensor:
        kernel: Tensor = self.weight / self.spreads
        return kernel

    def forward(self, examples: Examples, rows: NDArray[np.int64]) -> Tensor:
        """Minus the squared distance of every place of the regions, [n, places, places]."""
        handles, between, regions = (
            torch.from_numpy(each[rows]).float()
            for each in (examples.handles, examples.between, examples.regions)
        )
        x, y = between[:, None].unbind(-1)
        corners = torch.stack([(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y], -1)
        references: Tensor = (F.conv2d(handles, self.kernel).flatten(2) * corners).sum(-1)
        places = F.conv2d(regions, self.kernel)
        side = (REGION - 1) * _FINER + 1
        places = F.interpolate(places, size=(side, side), mode="bilinear", align_corners=True)
        minus: Tensor = -(places - references[..., None, None]).square().sum(1)
        return minus


def _first_guess(channels: int) -> Tensor:
    """Random numbers, the larger the nearer to the middle."""
    side = 2 * AROUND + 1
    steps = torch.arange(side) - float(AROUND)
    near = torch.exp(-(steps[:, None] ** 2 + steps**2) / 2)
    random = torch.rand(_DESCRIBED, channels, side, side) * 2 - 1
    guess: Tensor = random * near * (1.5 / (channels * side**2) ** 0.5)
    return guess


def learned_kernel(
    examples: Examples,
    steps: int,
    seed: int,
    threads: int | None,
    tell: Callable[[int], None],
) -> Float32:
    """The kernel of a `Descriptor`, [K, C, s, s].

    Args:
        examples: What it is learned from.
        steps: How many.
        seed: Of the first guess and the order.
        threads: For torch; None lets it choose.
        tell: Is told after each step its number.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    cells = examples.regions[:: max(len(examples) // 500, 1)].astype(np.float32)
    spreads = torch.from_numpy(cells.std(axis=(0, 2, 3)) + _LEAST_SPREAD)
    found = _Map(spreads)
    optimiser = torch.optim.AdamW(
        found.parameters(), lr=_STEP_SIZE, betas=(0.9, 0.98), weight_decay=_WEIGHT_DECAY
    )
    for step in range(steps):
        rate = min(1, (step + 1) / _WARM_UP) * (0.5 + 0.5 * np.cos(np.pi * step / steps))
        for group in optimiser.param_groups:
            group["lr"] = _STEP_SIZE * rate
        rows = rng.integers(len(examples), size=_BATCH)
        chances = F.log_softmax(found(examples, rows).flatten(1), dim=1)
        loss = -(_said(examples, rows) * chances).sum(1).mean()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        tell(step + 1)
    kernel: Float32 = found.kernel.detach().numpy()
    return kernel


def _said(examples: Examples, rows: NDArray[np.int64]) -> Tensor:
    """Where the points are, as chances of places, [n, places]."""
    at = torch.arange((REGION - 1) * _FINER + 1) / _FINER
    x, y = torch.from_numpy(examples.places[rows]).unbind(1)
    away = (at[:, None] - y[:, None, None]) ** 2 + (at - x[:, None, None]) ** 2
    chances = torch.exp(-away / (2 * _BLUR**2)).flatten(1)
    said: Tensor = chances / chances.sum(1, keepdim=True)
    return said
