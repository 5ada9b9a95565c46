"""The layers of a synthesis network as constants.

A layer holds its arrays as the nodes take them: gains folded in, kernels turned and filters repeated
for each channel. What only some graphs need is made when the first of them asks for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dragonnx_export.graphs.constant import Constant

SQRT2 = float(np.sqrt(2.0))
LEAK = 0.2
"""Slope of the leaky ReLU for negative values."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Style:
    """The affine map from w to one layer's style: `weight @ w + bias`, gains folded in.

    Attributes:
        w_index: Which of the num_ws w's the layer reads.
        weight: [inputs, w_dim].
        bias: [inputs].
    """

    w_index: int
    weight: NDArray[np.float32]
    bias: NDArray[np.float32]


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
        bias: [outputs], the gain folded in.
        noise_cells: The noise of every cell, strength and gain folded in, and a zero at the end that
            stands for all cells outside the image, [height * width + 1]; or None.
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
    noise_cells: Constant | None
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
    def map_bias(self) -> Constant:
        """The bias as maps take it, [1, outputs, 1, 1]."""
        return Constant.of(self.bias[None, :, None, None])

    @cached_property
    def noise(self) -> Constant | None:
        """The noise of the whole map, [1, 1, height, width]."""
        if self.noise_cells is None:
            return None
        height, width = self.size
        return self.noise_cells.first(height * width).shaped(1, 1, height, width)

    @property
    def squares(self) -> NDArray[np.float64]:
        """The weights' squares over that of the gain, summed over the taps, [outputs, inputs]."""
        squares: NDArray[np.float64] = np.square(self.weight, dtype=np.float64).sum(axis=(2, 3))
        return squares / self.gain**2

    @cached_property
    def low_pass(self) -> Constant:
        """The filter for each output channel, [outputs, 1, 4, 4]."""
        return depthwise(self.fir, self.outputs)

    @cached_property
    def low_pass_adjoint(self) -> Constant:
        """The filter with its taps flipped, likewise."""
        return depthwise(self.fir[::-1, ::-1], self.outputs)


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
        resolution: The block's number.
        layers: Its convolutions in the order in which they run: two, and one in the first block.
        skip: What is added to the last one's output, in a residual block.
        rgb: Its layer to colour, where it has one.
    """

    resolution: int
    layers: tuple[SynthesisLayer, ...]
    skip: SkipLayer | None
    rgb: RgbLayer | None


def depthwise(fir: NDArray[np.float32], channels: int) -> Constant:
    """One kernel for every channel: [channels, 1, 4, 4]."""
    return Constant.of(np.tile(fir[None, None], (channels, 1, 1, 1)))
