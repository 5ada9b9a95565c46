"""Detectors of faces as PyTorch writes them: what is looked through passes, and runs as torch does."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dragonnx.inversion.faces.detector import FaceDetector
from dragonnx.inversion.faces.families import family_of
from dragonnx.model.checking.foreign import check_foreign
from dragonnx.runtime import Graph, choose_device

SIDE = 64
YUNET = [f"{kind}_{s}" for kind in ("cls", "obj", "bbox", "kps") for s in (8, 16, 32)]


class Cell(nn.Module):
    """A convolution for each channel and one for each pixel, as small detectors are made of."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.each = nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs)
        self.mixed = nn.Sequential(
            nn.Conv2d(inputs, outputs, 1), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.1)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.mixed(self.each(x))


class Detector(nn.Module):
    """A pyramid of maps with heads, in the ways of YuNet and of SCRFD.

    Args:
        yunet: Which of the two.
        sized: Whether maps are enlarged to the size of others, and not by a factor.
    """

    def __init__(self, *, yunet: bool, sized: bool) -> None:
        super().__init__()
        self.yunet, self.sized = yunet, sized
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.PReLU(8), nn.MaxPool2d(2, 2))
        self.cells = nn.ModuleList([Cell(8, 8, 2), Cell(8, 8, 2), Cell(8, 8, 2)])
        counts = (1, 1, 4, 10) if yunet else (1, 4, 10)
        self.anchors = 1 if yunet else 2
        self.counts = counts
        self.heads = nn.ModuleList([nn.Conv2d(8, n * self.anchors, 3, 1, 1) for n in counts])
        self.scale = nn.Parameter(torch.tensor([1.1, 0.9, 1.3]))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        maps = [self.stem(x)]
        for cell in self.cells:
            maps.append(cell(maps[-1]))
        maps = maps[1:]
        for at in (2, 1):
            how = {"size": maps[at - 1].shape[2:]} if self.sized else {"scale_factor": 2}
            maps[at - 1] = maps[at - 1] + F.interpolate(maps[at], mode="nearest", **how)
        return tuple(
            self._listed(head(each) * scale, count)
            for head, count in zip(self.heads, self.counts, strict=True)
            for each, scale in zip(maps, self.scale, strict=True)
        )

    def _listed(self, head: torch.Tensor, count: int) -> torch.Tensor:
        if self.yunet:
            rows = head.permute(0, 2, 3, 1).reshape(head.shape[0], -1, count)
        else:
            rows = head.permute(2, 3, 0, 1).reshape(-1, count)
        return rows.sigmoid() if count == 1 else rows


def exported(network: Detector, opset: int, *, any_size: bool) -> bytes:
    file = io.BytesIO()
    names = YUNET if network.yunet else [f"out{n}" for n in range(9)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch: this way of exporting is the older one
        torch.onnx.export(
            network, torch.zeros(1, 3, SIDE, SIDE), file, opset_version=opset, dynamo=False,
            input_names=["input"], output_names=names,
            dynamic_axes={"input": {2: "height", 3: "width"}} if any_size else None,
        )  # fmt: skip
    return file.getvalue()


@pytest.mark.parametrize(
    ("opset", "yunet", "sized", "any_size"),
    [
        (9, True, True, True),
        (11, True, False, False),
        (11, False, True, True),
        (13, False, False, True),
        (17, False, True, False),
        (17, True, True, True),
    ],
)
def test_what_torch_writes_is_let_through_and_runs(
    tmp_path: Path, opset: int, *, yunet: bool, sized: bool, any_size: bool
) -> None:
    torch.manual_seed(opset)
    network = Detector(yunet=yunet, sized=sized).eval()
    content = exported(network, opset, any_size=any_size)
    found = check_foreign(content, (SIDE, SIDE))
    assert family_of(found.outputs, found.image_size).is_yunet == yunet
    path = tmp_path / "faces.onnx"
    path.write_bytes(content)
    picture = np.random.default_rng(0).standard_normal((1, 3, SIDE, SIDE)).astype(np.float32)
    outputs, _ = Graph(path, choose_device("cpu"), 1).run({found.input: picture})
    assert {name: value.shape for name, value in outputs.items()} == found.outputs
    with torch.no_grad():
        expected = network(torch.from_numpy(picture))
    for value, right in zip(outputs.values(), expected, strict=True):
        # float32 in another order of adding.
        np.testing.assert_allclose(value, right.numpy(), rtol=1e-4, atol=1e-5)
    FaceDetector.open(path, threads=1)
