"""Architectures skip, orig and resnet, and images that are not square, against plain formulas."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from support.checkpoint_files import SMALL
from support.random_checkpoints import random_checkpoint
from torch import Tensor
from torch.nn import functional as F

from dragonnx_export.checkpoints import Checkpoint, parameter_shapes, read_checkpoint, write_native
from dragonnx_export.families.stylegan2.architecture import Architecture, ArchitectureError
from dragonnx_export.families.stylegan2.networks import Generator

BASE = dataclasses.replace(
    SMALL, resolution=16, channels={4: 6, 8: 5, 16: 4}, conv_clamp=0.9,
    resample_filter=(1.0, 2.0, 3.0, 1.0),
)  # fmt: skip
ARCHITECTURES = {
    "skip": BASE,
    "orig": dataclasses.replace(BASE, variant="orig"),
    "resnet": dataclasses.replace(BASE, variant="resnet"),
    "half as wide": dataclasses.replace(BASE, base_width=2),
    "half as wide, resnet": dataclasses.replace(BASE, base_width=2, variant="resnet"),
}


class Plain:
    """The synthesis network as figure 2 and 7 of the paper define it, by modulated weights."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.a = checkpoint.architecture
        self.arrays = {n: torch.tensor(v).double() for n, v in checkpoint.weights.items()}
        taps = torch.tensor(self.a.resample_filter, dtype=torch.float64)
        self.kernel = (taps / taps.sum()).outer(taps / taps.sum())

    def up(self, x: Tensor) -> Tensor:
        """Zeros between the values, then convolution (not correlation) with the filter times 4."""
        n, c, h, w = x.shape
        spread = x.new_zeros(n, c, h, 2, w, 2)
        spread[:, :, :, 0, :, 0] = x
        padded = F.pad(spread.reshape(n * c, 1, 2 * h, 2 * w), (2, 1, 2, 1))
        return F.conv2d(padded, 4 * self.kernel.flip(0, 1)[None, None]).reshape(n, c, 2 * h, 2 * w)

    def modulated(self, name: str, x: Tensor, w: Tensor, *, colour: bool = False) -> Tensor:
        weight = self.arrays[f"{name}.weight"]
        affine = self.arrays[f"{name}.affine.weight"]
        style = w @ affine.T / math.sqrt(affine.shape[1]) + self.arrays[f"{name}.affine.bias"]
        modulated = weight * style[0, :, None, None]
        if colour:
            return F.conv2d(x, modulated / math.sqrt(weight.shape[1]))
        energy = modulated.square().sum(dim=(1, 2, 3), keepdim=True)
        modulated = modulated / (energy + 1e-8).sqrt()
        if not name.endswith("conv0"):
            return F.conv2d(x, modulated, padding=1)
        # Zeros between the values, a true convolution, then the low-pass filter.
        full = F.conv_transpose2d(x, modulated.transpose(0, 1), stride=2)
        n, c, h, v = full.shape
        padded = F.pad(full.reshape(n * c, 1, h, v), (1, 1, 1, 1))
        blurred = F.conv2d(padded, 4 * self.kernel.flip(0, 1)[None, None])
        return blurred.reshape(n, c, h - 1, v - 1)

    def layer(self, name: str, x: Tensor, w: Tensor, gain: float = 1) -> Tensor:
        x = self.modulated(name, x, w)
        x = x + self.arrays[f"{name}.noise_const"] * self.arrays[f"{name}.noise_strength"]
        x = x + self.arrays[f"{name}.bias"][:, None, None]
        x = torch.where(x < 0, 0.2 * x, x) * math.sqrt(2) * gain
        return (
            x
            if self.a.conv_clamp is None
            else x.clamp(-self.a.conv_clamp * gain, self.a.conv_clamp * gain)
        )

    def image(self, w_plus: Tensor) -> Tensor:
        x = self.arrays["synthesis.b4.const"][None]
        image, index = None, 0
        for resolution in self.a.block_resolutions:
            block = f"synthesis.b{resolution}"
            if resolution == 4:
                x = self.layer(f"{block}.conv1", x, w_plus[:, 0])
                index = 1
            else:
                gain = math.sqrt(0.5) if self.a.variant == "resnet" else 1
                y = self.layer(f"{block}.conv0", x, w_plus[:, index])
                y = self.layer(f"{block}.conv1", y, w_plus[:, index + 1], gain)
                if self.a.variant == "resnet":
                    weight = self.arrays[f"{block}.skip.weight"]
                    y = y + self.up(F.conv2d(x, weight / math.sqrt(weight.shape[1]))) * gain
                x, index = y, index + 2
            image = None if image is None else self.up(image)
            if self.a.variant == "skip" or resolution == self.a.resolution:
                colour = self.modulated(f"{block}.torgb", x, w_plus[:, index], colour=True)
                colour = colour + self.arrays[f"{block}.torgb.bias"][:, None, None]
                if self.a.conv_clamp is not None:
                    colour = colour.clamp(-self.a.conv_clamp, self.a.conv_clamp)
                image = colour if image is None else image + colour
        assert image is not None
        return image


@pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=ARCHITECTURES.keys())
def test_the_torch_generator_is_that_of_the_formulas(architecture: Architecture) -> None:
    """Double precision on both sides: nothing but rounding may differ."""
    checkpoint = random_checkpoint(architecture)
    random = torch.Generator().manual_seed(3)
    w_plus = torch.randn(1, architecture.num_ws, 5, generator=random, dtype=torch.float64)
    expected = Plain(checkpoint).image(w_plus)
    image = Generator.from_checkpoint(checkpoint).double().synthesis(w_plus)
    assert image.shape == (1, 3, *architecture.image_size)
    assert (image - expected).abs().max() <= 1e-6 * expected.abs().max()


@pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=ARCHITECTURES.keys())
def test_every_variant_is_written_and_read_back(tmp_path: Path, architecture: Architecture) -> None:
    checkpoint = random_checkpoint(architecture)
    write_native(tmp_path / "model.npz", architecture, checkpoint.weights)
    again = read_checkpoint(tmp_path / "model.npz")
    assert again.architecture == architecture
    for name, shape in parameter_shapes(architecture):
        assert again.weights[name].shape == shape
        np.testing.assert_array_equal(again.weights[name], checkpoint.weights[name])


def test_older_descriptions_mean_square_images_with_skip_connections() -> None:
    facts = json.loads(SMALL.to_json())
    del facts["variant"], facts["base_width"]
    assert Architecture.from_json(json.dumps(facts)) == SMALL
    assert SMALL.image_size == (8, 8)
    assert dataclasses.replace(SMALL, base_width=2).block_size(8) == (8, 4)


@pytest.mark.parametrize("change", [{"variant": "dense"}, {"base_width": 0}, {"variant": []}])
def test_impossible_variants_are_refused(change: dict[str, object]) -> None:
    facts = json.loads(SMALL.to_json())
    with pytest.raises(ArchitectureError):
        Architecture.from_json(json.dumps({**facts, **change}))
