"""The convolutions of a synthesis network as plain arrays, ready to become graph nodes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dragonnx_export.families.stylegan2.architecture import RESIDUAL_GAIN
from dragonnx_export.families.stylegan2.checkpoint import Checkpoint

SQRT2 = float(np.sqrt(2.0))
LEAK = 0.2
"""Slope of the leaky ReLU for negative values."""


@dataclass(frozen=True, kw_only=True)
class Style:
    """The affine map from w to one layer's style: `w @ weight.T + bias`, gains folded in.

    Attributes:
        w_index: Which of the num_ws w's the layer reads.
        weight: [inputs, w_dim].
        bias: [inputs].
    """

    w_index: int
    weight: NDArray[np.float32]
    bias: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
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
        noise: [height, width], its strength folded in, or None.
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
    bias: NDArray[np.float32]
    noise: NDArray[np.float32] | None
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


@dataclass(frozen=True, kw_only=True)
class RgbLayer:
    """One modulated 1x1 convolution from features to colour, without demodulation.

    Attributes:
        resolution: The block's.
        size: Height and width of input and output.
        style: How w becomes the modulation, the gain 1 / sqrt(inputs) folded in.
        weight: [image_channels, inputs, 1, 1].
        bias: [image_channels].
        clamp: Bound on |output|, or None.
        fir: [4, 4], the filter that upsamples the image so far, gain 4 folded in, as the kernel
            of a transposed convolution.
    """

    resolution: int
    size: tuple[int, int]
    style: Style
    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    clamp: float | None
    fir: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class SkipLayer:
    """A residual block's way around its convolutions: a 1x1 convolution, then upsampling by two.

    Attributes:
        weight: [outputs, inputs, 1, 1], the gains 1 / sqrt(inputs) and sqrt 1/2 folded in.
        fir: [4, 4], the filter that upsamples, gain 4 folded in, as the kernel of a transposed
            convolution.
    """

    weight: NDArray[np.float32]
    fir: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
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


def synthesis_blocks(checkpoint: Checkpoint, resolution: int) -> list[SynthesisBlock]:
    """The blocks up to that of a resolution."""
    architecture = checkpoint.architecture
    blocks: list[SynthesisBlock] = []
    index = 0
    for block in architecture.block_resolutions:
        if block > resolution:
            break
        names = ("conv1",) if block == 4 else ("conv0", "conv1")
        layers = [_layer(checkpoint, block, name, index + k) for k, name in enumerate(names)]
        index += len(layers)
        residual = architecture.variant == "resnet" and block > 4
        blocks.append(
            SynthesisBlock(
                resolution=block,
                layers=tuple(layers),
                skip=_skip(checkpoint, block) if residual else None,
                # Colours read the w after the block's, which is also the next block's first.
                rgb=_rgb(checkpoint, block, index) if architecture.has_colour(block) else None,
            )
        )
    return blocks


def _layer(checkpoint: Checkpoint, block: int, name: str, index: int) -> SynthesisLayer:
    weights, architecture = checkpoint.weights, checkpoint.architecture
    key = f"synthesis.b{block}.{name}"
    noise = None
    if architecture.use_noise and weights[f"{key}.noise_strength"] != 0:
        noise = weights[f"{key}.noise_const"] * weights[f"{key}.noise_strength"]
    gain = architecture.layer_gain(index)
    clamp = architecture.conv_clamp
    return SynthesisLayer(
        index=index,
        resolution=block,
        size=architecture.block_size(block),
        upsamples=name == "conv0",
        style=_style(checkpoint, key, index),
        weight=weights[f"{key}.weight"],
        bias=weights[f"{key}.bias"],
        noise=noise,
        gain=SQRT2 * gain,
        clamp=None if clamp is None else clamp * gain,
        fir=_low_pass(checkpoint)[::-1, ::-1],
    )


def _rgb(checkpoint: Checkpoint, block: int, w_index: int) -> RgbLayer:
    key = f"synthesis.b{block}.torgb"
    inputs = checkpoint.architecture.channels[block]
    return RgbLayer(
        resolution=block,
        size=checkpoint.architecture.block_size(block),
        style=_style(checkpoint, key, w_index, gain=1 / np.sqrt(inputs)),
        weight=checkpoint.weights[f"{key}.weight"],
        bias=checkpoint.weights[f"{key}.bias"],
        clamp=checkpoint.architecture.conv_clamp,
        fir=_low_pass(checkpoint),
    )


def _skip(checkpoint: Checkpoint, block: int) -> SkipLayer:
    weight = checkpoint.weights[f"synthesis.b{block}.skip.weight"].astype(np.float64)
    gain = RESIDUAL_GAIN / np.sqrt(weight.shape[1])
    return SkipLayer(weight=(weight * gain).astype(np.float32), fir=_low_pass(checkpoint))


def _style(checkpoint: Checkpoint, key: str, w_index: int, gain: float = 1.0) -> Style:
    weight = checkpoint.weights[f"{key}.affine.weight"].astype(np.float64)
    bias = checkpoint.weights[f"{key}.affine.bias"].astype(np.float64)
    equalised = gain / np.sqrt(checkpoint.architecture.w_dim)
    return Style(
        w_index=w_index,
        weight=(weight * equalised).astype(np.float32),
        bias=(bias * gain).astype(np.float32),
    )


def _low_pass(checkpoint: Checkpoint) -> NDArray[np.float32]:
    """The resampling filter in two dimensions; upsampling by two wants a gain of four."""
    taps = np.array(checkpoint.architecture.resample_filter, np.float64)
    square = np.outer(taps, taps)
    return np.asarray(4 * square / square.sum(), np.float32)
