"""Layers of one shape, whose styles and demodulations a graph computes together.

A network has few shapes: the constants of all layers of one shape are stacked, so that one batched
product serves them all. A graph that ends earlier takes the beginning of each stack, which needs no
bytes of its own in the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, Self, TypeVar

import numpy as np

from dragonnx_export.families.stylegan2.layers import RgbLayer, SynthesisBlock, SynthesisLayer
from dragonnx_export.graphs.constant import Constant

LayerT = TypeVar("LayerT", SynthesisLayer, RgbLayer)

DEMODULATION_EPSILON = 1e-8
"""Added to the energy of an output channel, whose weights may all be zero."""


@dataclass(frozen=True, eq=False)
class StyledGroup(Generic[LayerT]):
    """Layers of one shape from the coarsest to the finest, L of them.

    Attributes:
        layers: The layers.
        whole: The group of the whole network of which this is the beginning; None for that itself.
    """

    layers: tuple[LayerT, ...]
    whole: Self | None = None

    @property
    def inputs(self) -> int:
        """Number of input channels of each."""
        return self.layers[0].inputs

    @property
    def outputs(self) -> int:
        """Number of output channels of each."""
        return self.layers[0].outputs

    @property
    def name(self) -> str:
        """What tells it from the other groups."""
        return f"{self.inputs}_{self.outputs}"

    @cached_property
    def affine(self) -> Constant:
        """The weights from w to the styles, [L, inputs, w_dim]."""
        if self.whole:
            return self.whole.affine.first(len(self.layers))
        return Constant.of(np.stack([layer.style.weight for layer in self.layers]))

    @cached_property
    def affine_bias(self) -> Constant:
        """Their biases, [L, inputs, 1]."""
        return Constant.of(np.stack([layer.style.bias[:, None] for layer in self.layers]))

    def first(self, count: int) -> Self:
        """The group of the first so many layers."""
        if count == len(self.layers):
            return self
        return type(self)(self.layers[:count], self.whole or self)

    def up_to(self, resolution: int) -> Self | None:
        """The group of the layers in blocks up to a resolution; None where there are none."""
        count = sum(layer.resolution <= resolution for layer in self.layers)
        return self.first(count) if count else None


class LayerGroup(StyledGroup[SynthesisLayer]):
    """Convolutions of one shape."""

    @cached_property
    def squares(self) -> Constant:
        """Of the weights, over that of the gain, summed over the taps, [L, outputs, inputs]."""
        if isinstance(self.whole, LayerGroup):
            return self.whole.squares.first(len(self.layers))
        return Constant.of(np.stack([layer.squares for layer in self.layers]))

    @cached_property
    def epsilon(self) -> Constant:
        """What is added to their product with the squared styles, [L, 1, 1]."""
        gains = np.array([layer.gain for layer in self.layers])
        return Constant.of(DEMODULATION_EPSILON / gains[:, None, None] ** 2)

    @cached_property
    def bias(self) -> Constant:
        """The layers' biases, gains folded in, [L, outputs, 1]."""
        return Constant.of(np.stack([layer.bias[:, None] for layer in self.layers]))


class ColourGroup(StyledGroup[RgbLayer]):
    """Layers to colour from equally many channels."""

    @property
    def name(self) -> str:
        """What tells it from the other groups."""
        return f"colour_{self.inputs}"


def layer_groups(blocks: Iterable[SynthesisBlock]) -> Iterator[LayerGroup]:
    """The convolutions of these blocks by their shape."""
    for layers in _by_shape(layer for block in blocks for layer in block.layers):
        yield LayerGroup(layers)


def colour_groups(blocks: Iterable[SynthesisBlock]) -> Iterator[ColourGroup]:
    """Their layers to colour by the number of inputs."""
    for layers in _by_shape(block.rgb for block in blocks if block.rgb):
        yield ColourGroup(layers)


def _by_shape(layers: Iterable[LayerT]) -> Iterator[tuple[LayerT, ...]]:
    shapes: dict[tuple[int, int], list[LayerT]] = {}
    for layer in layers:
        shapes.setdefault((layer.inputs, layer.outputs), []).append(layer)
    for found in shapes.values():
        yield tuple(found)
