"""The layers of a synthesis network as constants, built once for all graphs of a checkpoint.

A layer holds its arrays as the nodes take them: gains folded in, kernels turned and filters repeated
for each channel. What only some graphs need is made when the first of them asks for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from dragonnx_export.families.stylegan2.architecture import RESIDUAL_GAIN, Architecture
from dragonnx_export.families.stylegan2.checkpoint import Checkpoint
from dragonnx_export.graphs.constant import Constant

SQRT2 = float(np.sqrt(2.0))
LEAK = 0.2
"""Slope of the leaky ReLU for negative values."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Style:
    """The affine map from w to one layer's style: `w @ weight.T + bias`, gains folded in.

    Attributes:
        w_index: Which of the num_ws w's the layer reads.
        weight: [inputs, w_dim].
        bias: [inputs].
    """

    w_index: int
    weight: Constant
    bias: Constant


@dataclass(frozen=True, kw_only=True, eq=False)
class SynthesisLayer:
    """One modulated 3x3 convolution with its noise, bias and leaky ReLU.

    Attributes:
        index: Place among the network's convolutions, from 0.
        resolution: The block's.
        size: Height and width of the output.
        upsamples: Whether the output is twice the input's size.
        style: How w becomes the modulation of the input channels.
        weight: [outputs, inputs, 3, 3].
        bias: [outputs].
        noise: [1, 1, height, width], its strength folded in, or None.
        gain: What the leaky ReLU's output is multiplied with: sqrt 2, and sqrt 1/2 besides where
            the block adds it to another half.
        clamp: Bound on |output|, gain included, or None.
        fir: [4, 4], the low-pass filter after a transposed convolution, gain 4 folded in, as a
            correlation kernel.
    """

    index: int
    resolution: int
    size: tuple[int, int]
    upsamples: bool
    style: Style
    weight: NDArray[np.float32]
    bias: Constant
    noise: Constant | None
    gain: float
    clamp: float | None
    fir: NDArray[np.float32]

    @property
    def outputs(self) -> int:
        """Number of output channels."""
        return int(self.weight.shape[0])

    @property
    def inputs(self) -> int:
        """Number of input channels."""
        return int(self.weight.shape[1])

    @cached_property
    def kernel(self) -> Constant:
        """The weights as the convolution takes them: [inputs, outputs, 3, 3] where it upsamples."""
        return Constant.of(self.weight.transpose(1, 0, 2, 3) if self.upsamples else self.weight)

    @cached_property
    def squares_by_input(self) -> Constant:
        """The weights' squares summed over the taps, [inputs, outputs]."""
        return Constant.of(self._squares.T)

    @cached_property
    def squares_by_output(self) -> Constant:
        """The same, [outputs, inputs]."""
        return Constant.of(self._squares)

    @cached_property
    def scaled_bias(self) -> Constant:
        """The bias times the gain, [1, outputs, 1, 1]."""
        return Constant.of(self.bias.values[None, :, None, None] * self.gain)

    @cached_property
    def scaled_noise(self) -> Constant | None:
        """The noise times the gain."""
        return None if self.noise is None else Constant.of(self.noise.values * self.gain)

    @cached_property
    def low_pass(self) -> Constant:
        """The filter for each output channel, [outputs, 1, 4, 4]."""
        return _depthwise(self.fir, self.outputs)

    @cached_property
    def low_pass_adjoint(self) -> Constant:
        """The filter with its taps flipped, likewise."""
        return _depthwise(self.fir[::-1, ::-1], self.outputs)

    @property
    def _squares(self) -> NDArray[np.float64]:
        squares: NDArray[np.float64] = np.square(self.weight, dtype=np.float64).sum(axis=(2, 3))
        return squares


@dataclass(frozen=True, kw_only=True, eq=False)
class RgbLayer:
    """One modulated 1x1 convolution from features to colour, without demodulation.

    Attributes:
        resolution: The block's.
        size: Height and width of input and output.
        style: How w becomes the modulation, the gain 1 / sqrt(inputs) folded in.
        kernel: The weights, [image_channels, inputs, 1, 1].
        bias: [image_channels].
        clamp: Bound on |output|, or None.
        upsampling: [image_channels, 1, 4, 4], the filter that upsamples the image so far, gain 4
            folded in, as the kernel of a transposed convolution.
    """

    resolution: int
    size: tuple[int, int]
    style: Style
    kernel: Constant
    bias: Constant
    clamp: float | None
    upsampling: Constant

    @property
    def outputs(self) -> int:
        """Number of colours."""
        return int(self.kernel.values.shape[0])

    @property
    def inputs(self) -> int:
        """Number of input channels."""
        return int(self.kernel.values.shape[1])

    @cached_property
    def matrix(self) -> Constant:
        """The weights, [image_channels, inputs]."""
        return Constant.of(self.kernel.values[:, :, 0, 0])

    @cached_property
    def adjoint_kernel(self) -> Constant:
        """The weights, [inputs, image_channels, 1, 1]."""
        return Constant.of(self.kernel.values.transpose(1, 0, 2, 3))


@dataclass(frozen=True, kw_only=True, eq=False)
class SkipLayer:
    """A residual block's way around its convolutions: a 1x1 convolution, then upsampling by two.

    Attributes:
        kernel: [outputs, inputs, 1, 1], the gains 1 / sqrt(inputs) and sqrt 1/2 folded in.
        upsampling: [outputs, 1, 4, 4], the filter that upsamples, gain 4 folded in, as the kernel
            of a transposed convolution.
    """

    kernel: Constant
    upsampling: Constant

    @cached_property
    def adjoint_kernel(self) -> Constant:
        """The weights, [inputs, outputs, 1, 1]."""
        return Constant.of(self.kernel.values.transpose(1, 0, 2, 3))


@dataclass(frozen=True, kw_only=True, eq=False)
class SynthesisBlock:
    """The layers of one resolution.

    Attributes:
        resolution: Height of what the block gives.
        layers: Its convolutions in the order in which they run: two, and one in the first block.
        skip: What is added to the last one's output, in a residual block.
        rgb: Its layer to colour, where it has one.
    """

    resolution: int
    layers: tuple[SynthesisLayer, ...]
    skip: SkipLayer | None
    rgb: RgbLayer | None


@dataclass(frozen=True, kw_only=True, eq=False)
class SynthesisLayers:
    """A whole synthesis network.

    Attributes:
        architecture: The generator's.
        first_input: The learned constant that the first layer starts from, [1, C, 4, base_width].
        blocks: From the coarsest to the finest.
    """

    architecture: Architecture
    first_input: Constant
    blocks: tuple[SynthesisBlock, ...]

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> Self:
        """The network of a checkpoint."""
        return cls(
            architecture=checkpoint.architecture,
            first_input=Constant.of(checkpoint.weights["synthesis.b4.const"][None]),
            blocks=tuple(_block(checkpoint, r) for r in checkpoint.architecture.block_resolutions),
        )

    def up_to(self, resolution: int) -> tuple[SynthesisBlock, ...]:
        """The blocks up to that of a resolution."""
        return tuple(block for block in self.blocks if block.resolution <= resolution)


def _block(checkpoint: Checkpoint, resolution: int) -> SynthesisBlock:
    architecture = checkpoint.architecture
    after = architecture.layers_up_to(resolution)
    names = ("conv1",) if resolution == architecture.block_resolutions[0] else ("conv0", "conv1")
    first = after - len(names)
    return SynthesisBlock(
        resolution=resolution,
        layers=tuple(
            _layer(checkpoint, resolution, name, first + k) for k, name in enumerate(names)
        ),
        skip=_skip(checkpoint, resolution) if architecture.variant == "resnet" and first else None,
        # Colours read the w after the block's, which is also the next block's first.
        rgb=_rgb(checkpoint, resolution, after) if architecture.has_colour(resolution) else None,
    )


def _layer(checkpoint: Checkpoint, block: int, name: str, index: int) -> SynthesisLayer:
    weights, architecture = checkpoint.weights, checkpoint.architecture
    key = f"synthesis.b{block}.{name}"
    noise = None
    if architecture.use_noise and weights[f"{key}.noise_strength"] != 0:
        values = weights[f"{key}.noise_const"] * weights[f"{key}.noise_strength"]
        noise = Constant.of(values[None, None])
    gain = architecture.layer_gain(index)
    clamp = architecture.conv_clamp
    return SynthesisLayer(
        index=index,
        resolution=block,
        size=architecture.block_size(block),
        upsamples=name == "conv0",
        style=_style(checkpoint, key, index),
        weight=weights[f"{key}.weight"],
        bias=Constant.of(weights[f"{key}.bias"]),
        noise=noise,
        gain=SQRT2 * gain,
        clamp=None if clamp is None else clamp * gain,
        fir=_low_pass(checkpoint)[::-1, ::-1],
    )


def _rgb(checkpoint: Checkpoint, block: int, w_index: int) -> RgbLayer:
    key = f"synthesis.b{block}.torgb"
    architecture = checkpoint.architecture
    gain = 1 / np.sqrt(architecture.channels[block])
    return RgbLayer(
        resolution=block,
        size=architecture.block_size(block),
        style=_style(checkpoint, key, w_index, gain=gain),
        kernel=Constant.of(checkpoint.weights[f"{key}.weight"]),
        bias=Constant.of(checkpoint.weights[f"{key}.bias"]),
        clamp=architecture.conv_clamp,
        upsampling=_depthwise(_low_pass(checkpoint), architecture.image_channels),
    )


def _skip(checkpoint: Checkpoint, block: int) -> SkipLayer:
    weight = checkpoint.weights[f"synthesis.b{block}.skip.weight"].astype(np.float64)
    gain = RESIDUAL_GAIN / np.sqrt(weight.shape[1])
    return SkipLayer(
        kernel=Constant.of(weight * gain),
        upsampling=_depthwise(_low_pass(checkpoint), weight.shape[0]),
    )


def _style(checkpoint: Checkpoint, key: str, w_index: int, gain: float = 1.0) -> Style:
    weight = checkpoint.weights[f"{key}.affine.weight"].astype(np.float64)
    bias = checkpoint.weights[f"{key}.affine.bias"].astype(np.float64)
    equalised = gain / np.sqrt(checkpoint.architecture.w_dim)
    return Style(
        w_index=w_index, weight=Constant.of(weight * equalised), bias=Constant.of(bias * gain)
    )


def _low_pass(checkpoint: Checkpoint) -> NDArray[np.float32]:
    """The resampling filter in two dimensions; upsampling by two wants a gain of four."""
    taps = np.array(checkpoint.architecture.resample_filter, np.float64)
    square = np.outer(taps, taps)
    return np.asarray(4 * square / square.sum(), np.float32)


def _depthwise(fir: NDArray[np.float32], channels: int) -> Constant:
    """One kernel for every channel: [channels, 1, 4, 4]."""
    return Constant.of(np.tile(fir[None, None], (channels, 1, 1, 1)))
