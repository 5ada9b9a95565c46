"""The StyleGAN2 generator in torch (arXiv 1912.04958), for parity checks and training only.

Written from the paper's definition. Parameters carry NVIDIA's names, so that a checkpoint's arrays
load as a state dict.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from typing import NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dragonnx_export.families.stylegan2.architecture import RESIDUAL_GAIN, Architecture
from dragonnx_export.families.stylegan2.checkpoint import Checkpoint


class FullyConnected(nn.Module):
    """A linear layer with an equalised learning rate, then a leaky ReLU where asked."""

    def __init__(
        self, inputs: int, outputs: int, *, multiplier: float = 1.0, bias: float = 0.0,
        activate: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / multiplier)
        self.bias = nn.Parameter(torch.full((outputs,), bias / multiplier))
        self._weight_gain = multiplier / math.sqrt(inputs)
        self._bias_gain = multiplier
        self._activate = activate

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs] to [N, outputs]."""
        x = F.linear(x, self.weight * self._weight_gain, self.bias * self._bias_gain)
        return _leaky_relu(x) if self._activate else x


class Mapping(nn.Module):
    """z, and a label where there are classes, to w."""

    w_avg: Tensor

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self._layers = architecture.mapping_layers
        self.embed = None
        inputs = architecture.z_dim
        if architecture.label_dim:
            self.embed = FullyConnected(architecture.label_dim, architecture.w_dim)
            inputs += architecture.w_dim
        for index in range(self._layers):
            layer = FullyConnected(
                architecture.w_dim if index else inputs,
                architecture.w_dim,
                multiplier=architecture.mapping_lr_multiplier,
                activate=True,
            )
            self.add_module(f"fc{index}", layer)
        self.register_buffer("w_avg", torch.zeros(architecture.w_dim))

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        """Z [N, z_dim] and one-hot label [N, label_dim] to w [N, w_dim], before truncation."""
        x = _normalise(z)
        if self.embed is not None:
            x = torch.cat([x, _normalise(self.embed(label))], dim=1)
        for index in range(self._layers):
            x = self.get_submodule(f"fc{index}")(x)
        return x


class ModulatedLayer(nn.Module):
    """A 3x3 convolution modulated by w, with noise, bias, leaky ReLU and clamp."""

    noise_const: Tensor
    resample_filter: Tensor

    def __init__(
        self, inputs: int, outputs: int, resolution: int, *, upsamples: bool,
        architecture: Architecture,
    ) -> None:  # fmt: skip
        super().__init__()
        self.affine = FullyConnected(architecture.w_dim, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self._use_noise = architecture.use_noise
        if self._use_noise:
            self.register_buffer("noise_const", torch.randn(architecture.block_size(resolution)))
            self.noise_strength = nn.Parameter(torch.zeros(()))
        self._upsamples = upsamples
        self._clamp = architecture.conv_clamp
        self.register_buffer("resample_filter", _low_pass(architecture), persistent=False)

    def forward(self, x: Tensor, w: Tensor, *, noise: bool = True, gain: float = 1.0) -> Tensor:
        """X [N, inputs, h, w] and w [N, w_dim] to [N, outputs, H, W] of the block."""
        style = self.affine(w)
        # Equation 3 of the paper: the weights' expected scale after modulation, per output.
        energy = (style**2) @ (self.weight**2).sum(dim=(2, 3)).T
        x = x * style[:, :, None, None]
        if self._upsamples:
            x = F.conv_transpose2d(x, self.weight.transpose(0, 1), stride=2)
            x = _depthwise(x, self.resample_filter.flip(0, 1), padding=1)
        else:
            x = F.conv2d(x, self.weight, padding=1)
        # The activation's gain of sqrt 2 goes before it, to save training a pass over x.
        demodulation = (math.sqrt(2) * torch.rsqrt(energy + 1e-8))[:, :, None, None]
        offset = (math.sqrt(2) * self.bias)[:, None, None]
        if self._use_noise and noise:
            offset = offset + self.noise_const * (math.sqrt(2) * self.noise_strength)
        x = F.leaky_relu(torch.addcmul(offset, x, demodulation), 0.2)
        return _clamp(x, self._clamp, gain)


class ToRgb(nn.Module):
    """A 1x1 convolution to colour, modulated by w but not demodulated."""

    def __init__(self, inputs: int, architecture: Architecture) -> None:
        super().__init__()
        self.affine = FullyConnected(architecture.w_dim, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.randn(architecture.image_channels, inputs, 1, 1))
        self.bias = nn.Parameter(torch.zeros(architecture.image_channels))
        self._gain = 1 / math.sqrt(inputs)
        self._clamp = architecture.conv_clamp

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """X [N, inputs, h, w] and w [N, w_dim] to [N, image_channels, h, w]."""
        style = self.affine(w) * self._gain
        rgb = F.conv2d(x * style[:, :, None, None], self.weight, self.bias)
        return _clamp(rgb, self._clamp)


class Skip(nn.Module):
    """A residual block's way around its layers: a 1x1 convolution, then upsampling."""

    resample_filter: Tensor

    def __init__(self, inputs: int, outputs: int, architecture: Architecture) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 1, 1))
        self._gain = 1 / math.sqrt(inputs)
        self.register_buffer("resample_filter", _low_pass(architecture), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """X [N, inputs, h, w] to [N, outputs, 2 h, 2 w]."""
        return _upsample(F.conv2d(x, self.weight * self._gain), self.resample_filter)


class State(NamedTuple):
    """What passes from one stage of the network to the next.

    Attributes:
        x: The feature map; None before the first block.
        around: What a residual block's skip layer gave, until it is added.
        image: The colours so far.
    """

    x: Tensor | None = None
    around: Tensor | None = None
    image: Tensor | None = None


Stage = Callable[[State, Tensor], State]
"""From a state and w_plus to the next state."""


class Block(nn.Module):
    """One resolution: a layer that upsamples (not in the first), a layer that does not, and colour."""

    def __init__(self, resolution: int, architecture: Architecture) -> None:
        super().__init__()
        channels = architecture.channels[resolution]
        self.resolution = resolution
        self.first = resolution == architecture.block_resolutions[0]
        # One convolution in the first block and two in every other come before, each with its w.
        self.layers_before = max(2 * architecture.block_resolutions.index(resolution) - 1, 0)
        if self.first:
            self.const = nn.Parameter(torch.randn(channels, *architecture.block_size(resolution)))
        else:
            if architecture.variant == "resnet":
                self.skip = Skip(architecture.channels[resolution // 2], channels, architecture)
            self.conv0 = ModulatedLayer(
                architecture.channels[resolution // 2], channels, resolution,
                upsamples=True, architecture=architecture,
            )  # fmt: skip
        self.conv1 = ModulatedLayer(
            channels, channels, resolution, upsamples=False, architecture=architecture
        )
        if architecture.has_colour(resolution):
            self.torgb = ToRgb(channels, architecture)
        self._residual = architecture.variant == "resnet"

    def stages(self, *, noise: bool) -> list[Stage]:
        """The convolutions as stages."""
        if self.first:
            return [functools.partial(self._start, noise=noise)]
        return [functools.partial(stage, noise=noise) for stage in (self._widen, self._refine)]

    def _start(self, state: State, w_plus: Tensor, *, noise: bool) -> State:
        x = self.const.expand(len(w_plus), -1, -1, -1)
        return state._replace(x=self.conv1.forward(x, w_plus[:, 0], noise=noise))

    def _widen(self, state: State, w_plus: Tensor, *, noise: bool) -> State:
        assert state.x is not None, "this is not the first block"  # noqa: S101
        around = self.skip(state.x) * RESIDUAL_GAIN if self._residual else None
        x = self.conv0.forward(state.x, w_plus[:, self.layers_before], noise=noise)
        return State(x, around, state.image)

    def _refine(self, state: State, w_plus: Tensor, *, noise: bool) -> State:
        assert state.x is not None, "a stage came before"  # noqa: S101
        gain = RESIDUAL_GAIN if self._residual else 1.0
        x = self.conv1.forward(state.x, w_plus[:, self.layers_before + 1], noise=noise, gain=gain)
        return State(x if state.around is None else x + state.around, None, state.image)


class Synthesis(nn.Module):
    """w_plus to feature maps and an image, with skip connections between the blocks' colours."""

    resample_filter: Tensor

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self._architecture = architecture
        self._resolutions = architecture.block_resolutions
        for resolution in self._resolutions:
            self.add_module(f"b{resolution}", Block(resolution, architecture))
        self.register_buffer("resample_filter", _low_pass(architecture), persistent=False)

    def features(self, w_plus: Tensor, resolution: int, *, noise: bool = True) -> Tensor:
        """The output [N, C, h, w] of one block."""
        state = State()
        for block in self.blocks(resolution):
            for stage in block.stages(noise=noise):
                state = stage(state, w_plus)
        assert state.x is not None, "there is at least one block"  # noqa: S101
        return state.x

    def forward(
        self, w_plus: Tensor, *, noise: bool = True, resolution: int | None = None
    ) -> Tensor:
        """The image [N, image_channels, H, W], about -1 to 1.

        Where asked, that of a lower block, which only the colours of variant skip have.
        """
        state = State()
        for _, stage in self.stages(resolution, noise=noise):
            state = stage(state, w_plus)
        assert state.image is not None, "there is at least one block"  # noqa: S101
        return state.image

    def stages(
        self, resolution: int | None = None, *, noise: bool = True
    ) -> Iterator[tuple[int, Stage]]:
        """The network as a chain: how many convolutions came before, and what comes next."""
        for block in self.blocks(resolution):
            layers = block.layers_before
            for stage in block.stages(noise=noise):
                yield layers, stage
                layers += 1
            if self._architecture.has_colour(block.resolution):
                yield layers, functools.partial(self._coloured, block=block, w_index=layers)

    def _coloured(self, state: State, w_plus: Tensor, *, block: Block, w_index: int) -> State:
        image = block.torgb(state.x, w_plus[:, w_index])
        if state.image is not None:
            image = self._upsample(state.image) + image
        return state._replace(image=image)

    def blocks(self, resolution: int | None = None) -> list[Block]:
        """The blocks in the order in which they run, up to a resolution where one is given."""
        last = resolution or self._resolutions[-1]
        blocks = (self.get_submodule(f"b{r}") for r in self._resolutions if r <= last)
        return [block for block in blocks if isinstance(block, Block)]

    def _upsample(self, image: Tensor) -> Tensor:
        return _upsample(image, self.resample_filter)


class Generator(nn.Module):
    """Mapping and synthesis."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.mapping = Mapping(architecture)
        self.synthesis = Synthesis(architecture)

    @classmethod
    def from_checkpoint(cls, checkpoint: Checkpoint) -> Self:
        """A generator with a checkpoint's weights, in evaluation mode."""
        generator = cls(checkpoint.architecture)
        arrays = {name: torch.tensor(array) for name, array in checkpoint.weights.items()}
        generator.load_state_dict(arrays, strict=True)
        return generator.eval().requires_grad_(requires_grad=False)

    def w_plus(self, z: Tensor, label: Tensor | None = None, truncation_psi: float = 1.0) -> Tensor:
        """Z [N, z_dim] to w_plus [N, num_ws, w_dim], pulled to w_avg by `truncation_psi`."""
        w = self.mapping.w_avg.lerp(self.mapping(z, label), truncation_psi)
        return w[:, None].expand(-1, self.architecture.num_ws, -1)


def _normalise(x: Tensor) -> Tensor:
    return x * torch.rsqrt((x**2).mean(dim=1, keepdim=True) + 1e-8)


def _leaky_relu(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.2) * math.sqrt(2)


def _clamp(x: Tensor, bound: float | None, gain: float = 1.0) -> Tensor:
    """The activation times `gain`, bounded before that."""
    x = x if bound is None else x.clamp(-bound, bound)
    return x if gain == 1 else x * gain


def _upsample(x: Tensor, kernel: Tensor) -> Tensor:
    """[N, C, h, w] to [N, C, 2 h, 2 w], by zeros between the values and a low-pass filter."""
    n, channels, h, w = x.shape
    spread = x.new_zeros(n, channels, 2 * h, 2 * w)
    spread[:, :, ::2, ::2] = x
    return _depthwise(F.pad(spread, (2, 1, 2, 1)), kernel.flip(0, 1))


def _low_pass(architecture: Architecture) -> Tensor:
    """The resampling filter in two dimensions, with the gain of four of an upsampling by two."""
    taps = torch.tensor(architecture.resample_filter, dtype=torch.float64)
    square = taps.outer(taps)
    return (4 * square / square.sum()).float()


def _depthwise(x: Tensor, kernel: Tensor, padding: int = 0) -> Tensor:
    channels = x.shape[1]
    return F.conv2d(x, kernel.expand(channels, 1, -1, -1), padding=padding, groups=channels)
