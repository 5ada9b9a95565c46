"""The layers of a generator as their graphs take them: all that is constant is computed here."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dragonnx_export.families.stylegan3.architecture import Architecture, Layer
from dragonnx_export.families.stylegan3.checkpoint import Contents
from dragonnx_export.families.stylegan3.resampling import lowering, raising
from dragonnx_export.graphs.constant import Constant

LEAK = 0.2
"""Slope of the leaky ReLU below zero."""
GAIN = math.sqrt(2)
"""What its output is multiplied with."""

_Array = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class SynthesisLayer:
    """One layer with its weights.

    Attributes:
        index: Its place, from 0.
        facts: Its sizes.
        resolution: Of the image.
        style_weight: From w to the style of the input channels, [w_dim, inputs], all gains folded in.
        style_bias: [inputs], likewise.
        weight: [outputs, inputs, k, k], as the checkpoint has it.
        weight_scale: What an output's are multiplied with, [outputs, 1, 1, 1]: it gives them a mean
            square of one where the layer is demodulated.
        input_gain: What keeps the scale of its input at one.
        bias: [outputs].
        up_filter: [up_taps], or None.
        down_filter: [down_taps], or [down_taps, down_taps] where it is radial, or None.
        output_scale: What the layer's output is multiplied with.
    """

    index: int
    facts: Layer
    resolution: int
    style_weight: Constant
    style_bias: Constant
    weight: _Array
    weight_scale: NDArray[np.float64]
    input_gain: float
    bias: _Array
    up_filter: _Array | None
    down_filter: _Array | None
    output_scale: float

    @property
    def gain(self) -> float:
        """Of the activation, which goes before it: it is homogeneous."""
        return 1.0 if self.facts.colour else GAIN

    @cached_property
    def kernel(self) -> Constant:
        """The convolution's weights."""
        return Constant.of(self.weight * (self.weight_scale * self.input_gain))

    @cached_property
    def squares(self) -> Constant:
        """The weights' squares over the taps and without the input's gain, [inputs, outputs]."""
        return Constant.of(np.square(self.weight * self.weight_scale).sum(axis=(2, 3)).T)

    @cached_property
    def map_bias(self) -> Constant:
        """The bias as maps take it, [1, outputs, 1, 1]."""
        return Constant.of(self.bias[None, :, None, None])

    @property
    def raising_taps(self) -> NDArray[np.float64]:
        """Of the filter that goes with raising the rate along an axis; half of the gain is in it."""
        taps = np.ones(1) if self.up_filter is None else self.up_filter.astype(np.float64)
        return taps * self.facts.up * math.sqrt(self.gain)

    @property
    def lowering_taps(self) -> NDArray[np.float64]:
        """Of the one that goes with lowering it, if it is separable; half of the scale is in it."""
        taps = np.ones(1) if self.down_filter is None else self.down_filter.astype(np.float64)
        return taps * math.sqrt(self.output_scale)

    @cached_property
    def raise_rows(self) -> Constant:
        """What raises the rate along an axis, [raised, convolved]."""
        return Constant.of(raising(self.facts, self.raising_taps))

    @cached_property
    def lower_rows(self) -> Constant:
        """What lowers the rate along an axis, [out_size, raised]."""
        return Constant.of(lowering(self.facts, self.lowering_taps))

    @cached_property
    def radial_kernel(self) -> Constant:
        """The radial filter for each channel, [outputs, 1, taps, taps], as a correlation kernel."""
        assert self.down_filter is not None, "the facts say so"  # noqa: S101
        taps = self.down_filter[::-1, ::-1] * self.output_scale
        return Constant.of(np.tile(taps[None, None], (self.facts.outputs, 1, 1, 1)))

    @cached_property
    def radial_adjoint(self) -> Constant:
        """The same for its adjoint, [outputs * down^2, 1, m, m]: a kernel for each place in a step.

        Cells at the raised rate that lie equally in their step of `down` are a map of their own, and
        each is a convolution of the lowered one.
        """
        assert self.down_filter is not None, "the facts say so"  # noqa: S101
        down, taps = self.facts.down, self.down_filter[::-1, ::-1] * self.output_scale
        side = -(-self.facts.down_taps // down)
        padded = np.zeros((side * down, side * down), np.float32)
        padded[: len(taps), : len(taps)] = taps
        # Tap (m * down + p) reaches the cell p of step s from the lowered cell s - m.
        places = padded.reshape(side, down, side, down).transpose(1, 3, 0, 2)[..., ::-1, ::-1]
        kernels = places.reshape(1, down * down, 1, side, side)
        kernels = np.tile(kernels, (self.facts.outputs, 1, 1, 1, 1))
        return Constant.of(kernels.reshape(-1, 1, side, side))


@dataclass(frozen=True, kw_only=True, eq=False)
class FirstFeatures:
    """The waves that the first layer reads, and how a w turns and moves them.

    Attributes:
        turn_weight: From w to (cosine, sine, x, y), [w_dim, 4], not yet of length one.
        turn_bias: [4].
        freqs: Waves across the image along x and y, [C, 2].
        phases: In waves, [C].
        transform: [3, 3], what is done to every image besides.
        weight: From waves to features, [C, C, 1, 1], the gain 1 / sqrt(C) folded in.
        places: Of the map's columns, as of its rows: 0 in the middle, 1 from side to side of the image.
        bandwidth: Frequency from which on waves fade.
        rate: Cells across the image; waves are gone at half of it.
    """

    turn_weight: Constant
    turn_bias: Constant
    freqs: Constant
    phases: _Array
    transform: _Array
    weight: Constant
    places: _Array
    bandwidth: float
    rate: int

    @property
    def channels(self) -> int:
        """Number of waves, and of features."""
        return len(self.phases)


@dataclass(frozen=True, kw_only=True, eq=False)
class SynthesisLayers:
    """All that a synthesis network is made of."""

    architecture: Architecture
    first: FirstFeatures
    layers: tuple[SynthesisLayer, ...]

    @classmethod
    def of(cls, checkpoint: Contents) -> SynthesisLayers:
        """Of a checkpoint."""
        a, arrays = checkpoint.architecture, checkpoint.weights
        read = a.layers[0]
        to_w = 1 / math.sqrt(a.w_dim)
        name = "synthesis.input"
        weight = arrays[f"{name}.weight"].astype(np.float64) / math.sqrt(read.inputs)
        size = read.in_size
        first = FirstFeatures(
            turn_weight=Constant.of(arrays[f"{name}.affine.weight"].T * np.float64(to_w)),
            turn_bias=Constant.of(arrays[f"{name}.affine.bias"]),
            freqs=Constant.of(arrays[f"{name}.freqs"]),
            phases=arrays[f"{name}.phases"],
            transform=arrays[f"{name}.transform"],
            weight=Constant.of(weight[:, :, None, None]),
            places=((np.arange(size) + 0.5 - size / 2) / read.in_rate).astype(np.float32),
            bandwidth=a.bandwidth,
            rate=read.in_rate,
        )
        layers = tuple(_layer(checkpoint, position) for position in range(len(a.layers)))
        return cls(architecture=a, first=first, layers=layers)


def _layer(checkpoint: Contents, position: int) -> SynthesisLayer:
    a, arrays = checkpoint.architecture, checkpoint.weights
    facts = a.layers[position]
    name = f"synthesis.{facts.name}"
    weight = arrays[f"{name}.weight"]
    gain, weight_scale = 1.0, np.ones((facts.outputs, 1, 1, 1))
    if facts.colour:
        gain /= math.sqrt(facts.inputs * facts.kernel**2)
    else:
        squares = np.square(weight.astype(np.float64))
        weight_scale = 1 / np.sqrt(squares.mean(axis=(1, 2, 3), keepdims=True))
    to_style = np.float64(gain / math.sqrt(a.w_dim))
    return SynthesisLayer(
        index=position,
        facts=facts,
        resolution=a.resolution,
        style_weight=Constant.of(arrays[f"{name}.affine.weight"].T * to_style),
        style_bias=Constant.of(arrays[f"{name}.affine.bias"] * np.float64(gain)),
        weight=weight,
        weight_scale=weight_scale,
        input_gain=1 / math.sqrt(float(arrays[f"{name}.magnitude_ema"])),
        bias=arrays[f"{name}.bias"],
        up_filter=arrays.get(f"{name}.up_filter"),
        down_filter=arrays.get(f"{name}.down_filter"),
        output_scale=a.output_scale if facts.colour else 1.0,
    )
