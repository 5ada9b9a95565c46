"""The convolutions of a synthesis network as plain arrays, ready to become graph nodes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dragonnx_export.checkpoints.checkpoint import Checkpoint

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
        resolution: Side of the output.
        upsamples: Whether the output is twice the input's size.
        style: How w becomes the modulation of the input channels.
        weight: [outputs, inputs, 3, 3].
        bias: [outputs].
        noise: [resolution, resolution], its strength folded in, or None.
        clamp: Bound on |output|, or None.
        fir: [4, 4], the low-pass filter after a transposed convolution, gain 4 folded in, as a
            correlation kernel.
    """

    index: int
    resolution: int
    upsamples: bool
    style: Style
    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    noise: NDArray[np.float32] | None
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

    @property
    def input_resolution(self) -> int:
        """Side of the input."""
        return self.resolution // 2 if self.upsamples else self.resolution


@dataclass(frozen=True, kw_only=True)
class RgbLayer:
    """One modulated 1x1 convolution from features to colour, without demodulation.

    Attributes:
        resolution: Side of the input and output.
        style: How w becomes the modulation, the gain 1 / sqrt(inputs) folded in.
        weight: [image_channels, inputs, 1, 1].
        bias: [image_channels].
        clamp: Bound on |output|, or None.
        fir: [4, 4], the filter that upsamples the image so far, gain 4 folded in, as the kernel
            of a transposed convolution.
    """

    resolution: int
    style: Style
    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    clamp: float | None
    fir: NDArray[np.float32]


def synthesis_layers(checkpoint: Checkpoint, resolution: int) -> list[SynthesisLayer]:
    """The convolutions up to the block of a resolution, in the order in which they run."""
    weights, architecture = checkpoint.weights, checkpoint.architecture
    fir = _low_pass(checkpoint)[::-1, ::-1]
    layers: list[SynthesisLayer] = []
    for block in architecture.block_resolutions:
        if block > resolution:
            break
        for name in ("conv1",) if block == 4 else ("conv0", "conv1"):
            key = f"synthesis.b{block}.{name}"
            noise = None
            if architecture.use_noise and weights[f"{key}.noise_strength"] != 0:
                noise = weights[f"{key}.noise_const"] * weights[f"{key}.noise_strength"]
            layers.append(
                SynthesisLayer(
                    index=len(layers),
                    resolution=block,
                    upsamples=name == "conv0",
                    style=_style(checkpoint, key, len(layers)),
                    weight=weights[f"{key}.weight"],
                    bias=weights[f"{key}.bias"],
                    noise=noise,
                    clamp=architecture.conv_clamp,
                    fir=fir,
                )
            )
    return layers


def rgb_layers(checkpoint: Checkpoint) -> list[RgbLayer]:
    """The layers from features to colour, one a block; each reads the next block's first w."""
    layers = []
    for position, block in enumerate(checkpoint.architecture.block_resolutions):
        key = f"synthesis.b{block}.torgb"
        inputs = checkpoint.architecture.channels[block]
        layers.append(
            RgbLayer(
                resolution=block,
                style=_style(checkpoint, key, 2 * position + 1, gain=1 / np.sqrt(inputs)),
                weight=checkpoint.weights[f"{key}.weight"],
                bias=checkpoint.weights[f"{key}.bias"],
                clamp=checkpoint.architecture.conv_clamp,
                fir=_low_pass(checkpoint),
            )
        )
    return layers


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
