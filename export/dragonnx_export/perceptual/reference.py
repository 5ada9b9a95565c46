"""The perceptual distance in plain torch, as a reference for the graphs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F

from dragonnx_export.perceptual.network import EPSILON, SCALE, SHIFT, PerceptualNetwork

_NEAR = 2e-6
"""Of a layer's largest value: some ten times what float32 makes of it."""


@dataclass(frozen=True)
class Reference:
    """A network in torch, in float64."""

    network: PerceptualNetwork

    def features(self, image: torch.Tensor) -> list[torch.Tensor]:
        """Of an image [1, 3, h, w], each compared layer's, of length 1 over channels."""
        activations = self._activations(image)
        return [y / (y.square().sum(1, keepdim=True).sqrt() + EPSILON)
                for y in (stage[-1].relu() for stage in activations)]  # fmt: skip

    def distance(self, image: torch.Tensor, target: list[torch.Tensor]) -> torch.Tensor:
        """Of an image [1, 3, h, w] from features, []."""
        total = torch.zeros((), dtype=torch.float64)
        for position, (found, wanted) in enumerate(zip(self.features(image), target, strict=True)):
            squares = (found - wanted).square()
            if self.network.heads is not None:
                squares = squares * _double(self.network.heads[position])[:, None, None]
            total = total + squares.sum(1).mean()
        return total

    def kinks(self, image: torch.Tensor) -> int:
        """How many ReLUs and maxima are so near a tie that float32 may decide them otherwise.

        There the gradient jumps, so that two ways of computing it need not agree. What is exactly
        zero is so in both.
        """
        count = 0
        for stage, following in pairwise((*self._activations(image), None)):
            assert stage is not None  # noqa: S101  # only the last of the pairs ends in None
            for before in stage:
                near = _NEAR * before.abs().max()
                count += int(((before != 0) & (before.abs() < near)).sum())
            if following is not None:
                y = stage[-1].relu()
                windows = F.unfold(y.transpose(0, 1), 2, stride=2)  # [C, 4, windows]
                first, second = windows.topk(2, dim=1).values.unbind(1)
                count += int(((first > 0) & (first - second < _NEAR * y.max())).sum())
        return count

    def _activations(self, image: torch.Tensor) -> list[list[torch.Tensor]]:
        """What goes into each ReLU, by stage."""
        x = (image - _double(SHIFT)[:, None, None]) / _double(SCALE)[:, None, None]
        stages: list[list[torch.Tensor]] = []
        for layers in self.network.stages:
            if stages:
                x = F.max_pool2d(x, 2)
            stage = []
            for layer in layers:
                before = F.conv2d(x, _double(layer.weight), _double(layer.bias), padding=1)
                stage.append(before)
                x = before.relu()
            stages.append(stage)
        return stages


def _double(values: object) -> torch.Tensor:
    return torch.as_tensor(values, dtype=torch.float64)
