"""The StyleGAN3 generator in torch (arXiv 2106.12423), for parity checks only.

Written from the paper's definition, for one latent at a time in the synthesis network.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from dragonnx_export.families.stylegan3.architecture import Architecture, Layer
from dragonnx_export.families.stylegan3.checkpoint import Checkpoint
from dragonnx_export.families.stylegan3.torch_resampling import Resampling

_EPSILON = 1e-8
_LEAK = 0.2

RAISED_CELLS = 2**21
"""Of maps at the raised rate, at a time: larger ones, of 32 MB and more, would come fresh from the system
for every step, which zeroes them."""
_UNFOLDED_CELLS = 2**24

Bend = Callable[[Tensor], Tensor]
"""A leaky ReLU with gain and clamp, at the raised rate."""


class Generator(nn.Module):
    """Mapping and synthesis.

    Args:
        architecture: What it is made of.
        weights: Its arrays, by name.
    """

    def __init__(
        self, architecture: Architecture, weights: Mapping[str, NDArray[np.float32]]
    ) -> None:
        super().__init__()
        self.architecture = architecture
        for name, values in weights.items():
            self.register_buffer(_buffer(name), torch.tensor(values))

    @classmethod
    def from_checkpoint(cls, checkpoint: Checkpoint) -> Self:
        """The generator of a checkpoint."""
        return cls(checkpoint.architecture, checkpoint.weights)

    def array(self, name: str) -> Tensor:
        """One of its arrays."""
        values: Tensor = getattr(self, _buffer(name))
        return values

    def mapping(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        """[N, z_dim], and one-hot [N, label_dim] where there are classes, to w [N, w_dim]."""
        x = _normalised(z)
        if label is not None:
            x = torch.cat([x, _normalised(self._linear("mapping.embed", label))], dim=1)
        for index in range(self.architecture.mapping_layers):
            lr = self.architecture.mapping_lr_multiplier
            x = F.leaky_relu(self._linear(f"mapping.fc{index}", x, lr), _LEAK) * math.sqrt(2)
        return x

    def image(self, w_plus: Tensor) -> Tensor:
        """[1, num_ws, w_dim] to [1, image_channels, resolution, resolution]."""
        x = self.first(w_plus[:, 0])
        for position in range(len(self.architecture.layers)):
            x = self.layer(position, x, w_plus[:, position + 1])
        return x

    def features(self, w_plus: Tensor, layer: int) -> Tensor:
        """The output of a layer, counted from 0, margin included."""
        x = self.first(w_plus[:, 0])
        for position in range(layer + 1):
            x = self.layer(position, x, w_plus[:, position + 1])
        return x

    def first(self, w: Tensor) -> Tensor:
        """W [1, w_dim] to the features that the first layer reads: waves across the plane."""
        a = self.architecture
        read = a.layers[0]
        turn = self._linear("synthesis.input.affine", w)[0]
        cosine, sine, x_shift, y_shift = turn / turn[:2].norm()
        zero, one = torch.zeros_like(sine), torch.ones_like(sine)
        rotation = torch.stack(
            [torch.stack([cosine, -sine, zero]), torch.stack([sine, cosine, zero]),
             torch.stack([zero, zero, one])]
        )  # fmt: skip
        translation = torch.stack(
            [torch.stack([one, zero, -x_shift]), torch.stack([zero, one, -y_shift]),
             torch.stack([zero, zero, one])]
        )  # fmt: skip
        placed = rotation @ translation @ self.array("synthesis.input.transform")
        freqs = self.array("synthesis.input.freqs")
        phases = self.array("synthesis.input.phases") + freqs @ placed[:2, 2]
        freqs = freqs @ placed[:2, :2]
        fading = (freqs.norm(dim=1) - a.bandwidth) / (read.in_rate / 2 - a.bandwidth)
        amplitudes = (1 - fading).clamp(0, 1)
        places = torch.arange(read.in_size, dtype=w.dtype) + 0.5 - read.in_size / 2
        places = places / read.in_rate
        waves = freqs[:, :1, None] * places + freqs[:, 1:, None] * places[:, None]
        waves = torch.sin(2 * math.pi * (waves + phases[:, None, None]))  # (C, h, w)
        weight = self.array("synthesis.input.weight") / math.sqrt(read.inputs)
        return torch.einsum("oc,chw->ohw", weight, waves * amplitudes[:, None, None])[None]

    def moved(self, w_plus: Tensor, motion: Tensor) -> Tensor:
        """The latent of the same image turned and moved by (cosine, sine, x, y); see `transform_graph`."""
        cosine, sine, x, y = motion
        zero, one = torch.zeros_like(x), torch.ones_like(x)
        rows = [[cosine, -sine, x], [sine, cosine, y], [zero, zero, one]]
        asked = torch.stack([torch.stack(row) for row in rows])
        own = self.array("synthesis.input.transform")
        turn = self._linear("synthesis.input.affine", w_plus[:, 0])[0]
        length = turn[:2].norm()
        cosine, sine, x, y = turn / length
        rows = [[cosine, -sine, zero], [sine, cosine, zero], [zero, zero, one]]
        rotation = torch.stack([torch.stack(row) for row in rows])
        rows = [[one, zero, -x], [zero, one, -y], [zero, zero, one]]
        placed = rotation @ torch.stack([torch.stack(row) for row in rows])
        # Where each place is read goes the other way, and through the checkpoint's own transform.
        placed = placed @ own @ asked.inverse() @ own.inverse()
        back = -placed[:2, :2].T @ placed[:2, 2]
        wanted = torch.stack([placed[0, 0], placed[1, 0], back[0], back[1]]) * length
        weight = self.array("synthesis.input.affine.weight") / math.sqrt(w_plus.shape[2])
        change = torch.linalg.lstsq(weight, (wanted - turn)[:, None], driver="gelsd").solution[:, 0]
        result = w_plus.clone()
        result[0, 0] += change
        return result

    def layer(self, position: int, x: Tensor, w: Tensor) -> Tensor:
        """One layer, from the map that it reads [1, inputs, in_size, in_size] and its w [1, w_dim]."""
        return self.activated(position, self.convolved(position, x, w))

    def convolved(self, position: int, x: Tensor, w: Tensor) -> Tensor:
        """The modulated convolution of a layer with its bias, [1, outputs, n, n]; see `layer`."""
        facts = self.architecture.layers[position]
        name = f"synthesis.{facts.name}"
        style = self._linear(f"{name}.affine", w)
        weight = self.array(f"{name}.weight")
        if facts.colour:
            style = style / math.sqrt(facts.inputs * facts.kernel**2)
            weight = weight * style[:, :, None, None]
        else:
            weight = weight * weight.square().mean(dim=(1, 2, 3), keepdim=True).rsqrt()
            style = style * style.square().mean().rsqrt()
            weight = weight * style[:, :, None, None]
            weight = weight * (weight.square().sum(dim=(1, 2, 3), keepdim=True) + _EPSILON).rsqrt()
        weight = weight * self.array(f"{name}.magnitude_ema").rsqrt()
        x = F.pad(x, [facts.kernel - 1] * 4)
        return _convolved(x, weight) + self.array(f"{name}.bias")[None, :, None, None]

    def activated(self, position: int, convolved: Tensor) -> Tensor:
        """A layer's output from its convolution. A few channels at a time: the raised ones are large."""
        facts = self.architecture.layers[position]
        count = max(1, RAISED_CELLS // facts.raised_size**2)
        parts = [self.bent(position, part) for part in torch.split(convolved, count, dim=1)]
        return torch.cat(parts, dim=1)

    def bent(self, position: int, convolved: Tensor, bend: Bend | None = None) -> Tensor:
        """Some channels of a layer's output, from the same of its convolution.

        Args:
            position: Which layer, from 0.
            convolved: [1, C, n, n].
            bend: In place of its activation.
        """
        facts = self.architecture.layers[position]
        x = self.raised(facts, convolved)
        x = self._lowered(facts, bend(x) if bend else _bent(facts, x))
        return x * self.architecture.output_scale if facts.colour else x

    def raised(self, facts: Layer, x: Tensor) -> Tensor:
        """A map at the rate at which it is activated: zeros between, padding, the filter."""
        taps = x.new_ones(1)
        if facts.up_taps > 1:
            taps = self.array(f"synthesis.{facts.name}.up_filter")
        resampling = Resampling(facts.up, 1, facts.padding[0], facts.raised_size)
        return resampling.of(x, taps * facts.up)

    def _lowered(self, facts: Layer, x: Tensor) -> Tensor:
        if facts.down_taps == 1:
            return x[:, :, :: facts.down, :: facts.down]
        taps = self.array(f"synthesis.{facts.name}.down_filter")
        if facts.radial:
            return _filtered_radially(x, taps, facts.down)
        return Resampling(1, facts.down, 0, facts.out_size).of(x, taps)

    def _linear(self, name: str, x: Tensor, lr: float = 1.0) -> Tensor:
        weight = self.array(f"{name}.weight")
        return F.linear(x, weight * (lr / math.sqrt(x.shape[1])), self.array(f"{name}.bias") * lr)


def _buffer(name: str) -> str:
    return name.replace(".", "__")


def _normalised(x: Tensor) -> Tensor:
    return x * (x.square().mean(dim=1, keepdim=True) + _EPSILON).rsqrt()


def _bent(facts: Layer, x: Tensor) -> Tensor:
    if not facts.colour:
        x = F.leaky_relu(x, _LEAK) * math.sqrt(2)
    return x if facts.clamp is None else x.clamp(-facts.clamp, facts.clamp)


def _convolved(x: Tensor, weight: Tensor) -> Tensor:
    """[1, I, h, w] and [O, I, k, k] to [1, O, h - k + 1, w - k + 1].

    A band of rows at a time where torch unfolds what it convolves, as in float64: all of a large map, nine
    times over, takes gigabytes.
    """
    unfolds = not torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    if x.dtype is torch.float32 and not unfolds:
        return F.conv2d(x, weight)
    taps = weight[0].numel()
    rows = x.shape[2] - weight.shape[2] + 1
    step = max(1, _UNFOLDED_CELLS // (taps * x.shape[3]))
    parts = [
        F.conv2d(x[:, :, first : first + step + weight.shape[2] - 1], weight)
        for first in range(0, rows, step)
    ]
    return torch.cat(parts, dim=2)


def _filtered_radially(x: Tensor, taps: Tensor, step: int) -> Tensor:
    """Each channel convolved with taps [k, k], and every so many cells of it."""
    kernel = taps.flip((0, 1))[None, None]
    each = F.conv2d(x.transpose(0, 1), kernel, stride=step)  # every channel a map of its own
    return each.transpose(0, 1)
