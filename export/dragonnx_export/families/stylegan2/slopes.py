"""Through an activation and a demodulation at once: one factor a channel on each side of the kink.

The gradient at a layer's output arrives as dL/d(x * s) of the layer that follows, without s. What it
is multiplied with to become the gradient at the convolution is constant over a channel but for the
sign of the output: s times the demodulation and gain, and 0.2 of that. So the map is touched once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from dragonnx_export.families.stylegan2.layer_groups import LayerGroup
from dragonnx_export.families.stylegan2.layers import LEAK, SynthesisBlock, SynthesisLayer
from dragonnx_export.families.stylegan2.modulation import Modulation
from dragonnx_export.graphs.builder import GraphBuilder
from dragonnx_export.graphs.packed import Packed

_STEEP = 1e38
"""Makes of any positive float32 a number above one."""

Followers = Mapping[int, SynthesisLayer | None]
"""By the index of a layer: the one that alone reads its output. None where several do, or none."""


def followers_of(blocks: Sequence[SynthesisBlock], *, coloured: bool) -> Followers:
    """The followers of the layers of some blocks.

    Args:
        blocks: From the first.
        coloured: Whether colours are read from them.
    """
    found: dict[int, SynthesisLayer | None] = {}
    for block, following in zip(blocks, [*blocks[1:], None], strict=True):
        for layer, reader in pairwise(block.layers):
            found[layer.index] = reader
        others = block.skip or (coloured and block.rgb) or (following and following.skip)
        alone = following is not None and not others
        found[block.layers[-1].index] = following.layers[0] if following and alone else None
    return found


class Slopes:
    """The factors of every layer of a graph.

    Args:
        graph: Where the nodes go.
        modulation: What modulated the layers.
        followers: Of its layers.
    """

    def __init__(self, graph: GraphBuilder, modulation: Modulation, followers: Followers) -> None:
        self._graph = graph
        self._modulation = modulation
        self._followers = followers
        self._factors: dict[LayerGroup, Packed] = {}
        self._leaked: dict[LayerGroup, Packed] = {}

    def factors(self, group: LayerGroup) -> Packed:
        """The factors of a graph's group where outputs are positive, [L, outputs, 1, 1]."""
        if group not in self._factors:
            graph = self._graph
            (each,) = (each for each in self._modulation.groups if each.group is group)
            factors = each.demodulations
            readers = [self._followers[layer.index] for layer in group.layers]
            if any(readers):
                one = graph.constant(np.ones((1, group.outputs, 1, 1)))
                styles = [self._modulation.style(each) if each else one for each in readers]
                product = graph.op("Mul", factors.tensor, graph.stack(styles))
                factors = Packed(graph, product, factors.count)
            self._factors[group] = factors
        return self._factors[group]

    def through(self, layer: SynthesisLayer, y: str, grad: str, *, windowed: bool) -> str:
        """The gradient at a convolution, shaped as that at the layer's output y.

        A windowed map is small, and costs less the fewer nodes there are. On a whole one `Where`
        is slow on the CPU, where it takes one core only.
        """
        graph = self._graph
        (group,) = (e.group for e in self._modulation.groups if layer in e.group.layers)
        position, factors = group.layers.index(layer), self.factors(group)
        above = factors.part(position)
        if windowed:
            if group not in self._leaked:
                leaked = graph.op("Mul", factors.tensor, graph.constant(LEAK))
                self._leaked[group] = Packed(graph, leaked, factors.count)
            below = self._leaked[group].part(position)
            positive = graph.op("Greater", y, graph.constant(0.0))
            return graph.op("Mul", grad, graph.op("Where", positive, above, below))
        positive = graph.op("HardSigmoid", y, alpha=_STEEP, beta=0.0)
        slope = graph.op("Clip", positive, graph.constant(LEAK), graph.constant(1.0))
        return graph.op("Mul", graph.op("Mul", grad, slope), above)
