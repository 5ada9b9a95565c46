"""A synthesis network as the constants of its layers, built once for all graphs of a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from dragonnx_export.families.stylegan2.architecture import RESIDUAL_GAIN, Architecture
from dragonnx_export.families.stylegan2.checkpoint import Checkpoint
from dragonnx_export.families.stylegan2.layer_groups import (
    ColourGroup,
    LayerGroup,
    colour_groups,
    layer_groups,
)
from dragonnx_export.families.stylegan2.layers import (
    SQRT2,
    RgbLayer,
    SkipLayer,
    Style,
    SynthesisBlock,
    SynthesisLayer,
    depthwise,
)
from dragonnx_export.graphs.constant import Constant


@dataclass(frozen=True, kw_only=True, eq=False)
class SynthesisLayers:
    """A whole synthesis network.

    Attributes:
        architecture: The generator's.
        first_input: The learned constant that the first layer starts from, [1, C, base_height, base_width].
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

    def groups(self, resolution: int) -> tuple[LayerGroup, ...]:
        """The convolutions of these blocks by their shape."""
        return tuple(filter(None, (group.up_to(resolution) for group in self._groups)))

    def colour_groups(self, resolution: int) -> tuple[ColourGroup, ...]:
        """The layers to colour of these blocks by their number of inputs."""
        return tuple(filter(None, (group.up_to(resolution) for group in self._colour_groups)))

    @cached_property
    def _groups(self) -> tuple[LayerGroup, ...]:
        return tuple(layer_groups(self.blocks))

    @cached_property
    def _colour_groups(self) -> tuple[ColourGroup, ...]:
        return tuple(colour_groups(self.blocks))


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
    gain = SQRT2 * architecture.layer_gain(index)
    noise = None
    if architecture.use_noise and weights[f"{key}.noise_strength"] != 0:
        values = weights[f"{key}.noise_const"] * (weights[f"{key}.noise_strength"] * gain)
        noise = Constant.of(np.append(values, 0))
    clamp = architecture.conv_clamp
    return SynthesisLayer(
        index=index,
        resolution=block,
        size=architecture.block_size(block),
        upsamples=name == "conv0",
        style=_style(checkpoint, key, index),
        weight=weights[f"{key}.weight"],
        bias=np.asarray(weights[f"{key}.bias"] * gain, np.float32),
        noise_cells=noise,
        gain=gain,
        clamp=None if clamp is None else clamp * architecture.layer_gain(index),
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
        upsampling=depthwise(_low_pass(checkpoint), architecture.image_channels),
    )


def _skip(checkpoint: Checkpoint, block: int) -> SkipLayer:
    weight = checkpoint.weights[f"synthesis.b{block}.skip.weight"].astype(np.float64)
    gain = RESIDUAL_GAIN / np.sqrt(weight.shape[1])
    return SkipLayer(
        kernel=Constant.of(weight * gain),
        upsampling=depthwise(_low_pass(checkpoint), weight.shape[0]),
    )


def _style(checkpoint: Checkpoint, key: str, w_index: int, gain: float = 1.0) -> Style:
    weight = checkpoint.weights[f"{key}.affine.weight"].astype(np.float64)
    bias = checkpoint.weights[f"{key}.affine.bias"].astype(np.float64)
    equalised = gain / np.sqrt(checkpoint.architecture.w_dim)
    return Style(
        w_index=w_index,
        weight=np.asarray(weight * equalised, np.float32),
        bias=np.asarray(bias * gain, np.float32),
    )


def _low_pass(checkpoint: Checkpoint) -> NDArray[np.float32]:
    """The resampling filter in two dimensions; upsampling by two wants a gain of four."""
    taps = np.array(checkpoint.architecture.resample_filter, np.float64)
    square = np.outer(taps, taps)
    return np.asarray(4 * square / square.sum(), np.float32)
