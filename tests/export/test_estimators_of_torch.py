"""Estimators of landmarks as PyTorch's own export writes them: every head that is usual is a judge."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from dragonnx_export.evaluation.judge import Judge

SIDE, CELL = 64, 4

Head = Callable[[Tensor], Tensor]


class Estimator(nn.Module):
    """Scores of five landmarks in each cell, and a head that makes places of them."""

    def __init__(self, head: Head) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.scores = nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 5, 3, 2, 1)
        )
        self.head = head

    def forward(self, image: Tensor) -> Tensor:
        """From [N, 3, h, w] to [N, 5, 2]."""
        return self.head(10 * self.scores(image))


def shares(scores: Tensor) -> Tensor:
    """How much of each landmark lies in each cell."""
    return scores.flatten(2).softmax(-1).view(scores.shape)


def sums(scores: Tensor) -> Tensor:
    p, columns, rows = shares(scores), torch.arange(scores.shape[3]), torch.arange(scores.shape[2])
    return torch.stack([(p.sum(2) * columns).sum(2), (p.sum(3) * rows).sum(2)], -1) * CELL


def grid(scores: Tensor) -> Tensor:
    sides = (torch.arange(side).float() for side in scores.shape[2:])
    y, x = torch.meshgrid(*sides, indexing="ij")
    p = shares(scores)
    return torch.stack([(p * x).sum((2, 3)), (p * y).sum((2, 3))], -1) * CELL


def evenly(scores: Tensor) -> Tensor:
    p, along = shares(scores), torch.linspace(-1, 1, SIDE // CELL)
    return (
        (torch.stack([(p.sum(2) * along).sum(-1), (p.sum(3) * along).sum(-1)], -1) + 1) * SIDE / 2
    )


def largest(scores: Tensor) -> Tensor:
    width = scores.shape[3]
    at = scores.flatten(2).argmax(-1)
    return torch.stack([at % width, at // width], -1).float() * CELL


def told(scores: Tensor) -> Tensor:
    means = nn.functional.adaptive_avg_pool2d(scores, 1).flatten(1)
    return torch.sigmoid(means.repeat(1, 2).view(means.shape[0], -1, 2)) * SIDE


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
@pytest.mark.parametrize("opset", [13, 17])
@pytest.mark.parametrize("any_number", [False, True])
@pytest.mark.parametrize("head", [sums, grid, evenly, largest, told])
def test_a_head_gives_what_torch_gives(
    head: Head, opset: int, tmp_path: Path, *, any_number: bool
) -> None:
    estimator, path = Estimator(head).eval(), tmp_path / "estimator.onnx"
    axes = {"image": {0: "N"}, "points": {0: "N"}} if any_number else None
    torch.onnx.export(
        estimator, (torch.zeros(1, 3, SIDE, SIDE),), str(path), input_names=["image"],
        output_names=["points"], dynamic_axes=axes, opset_version=opset, dynamo=False,
    )  # fmt: skip
    image = torch.randn(1, 3, SIDE, SIDE)
    expected = estimator(image)[0].detach().numpy()
    # Means over cells of places up to 64, in float32.
    np.testing.assert_allclose(Judge(path).found(image.numpy()), expected, atol=1e-3)
