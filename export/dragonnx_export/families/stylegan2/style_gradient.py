"""From sums over maps to the gradient of w_plus, all layers of one shape in a few nodes.

For a layer with style s, demodulation and gain d, noise n and bias b, gains folded in, and the
gradient g at its convolution, that of its style is

    direct_i - s_i * sum_o W2[o, i] * d_o * (dot_o * f_o - b_o * sum g_o - sum (g * n)_o)

with direct the sum of dL/d(x * s) * x over the map, W2 the convolution weights' squares over that of
the gain, and dot * f the sum of dL/dy * y, in which f is a factor a channel that stands for all of the
map. What is in brackets is the sum of g times the convolution's own part of y: a leaky ReLU can be
inverted from its output, so nothing of the forward pass is computed again.

A layer to colour has no demodulation, and so only the first part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dragonnx_export.families.stylegan2.layer_groups import ColourGroup, LayerGroup
from dragonnx_export.families.stylegan2.layers import RgbLayer, SynthesisLayer
from dragonnx_export.families.stylegan2.modulation import GroupModulation, Modulation
from dragonnx_export.families.stylegan2.slopes import Slopes
from dragonnx_export.graphs.builder import GraphBuilder
from dragonnx_export.graphs.packed import Packed


@dataclass(frozen=True)
class LayerSums:
    """Sums over a layer's map, as formulas at the head of the file name them, [1, channels, 1, 1].

    Attributes:
        direct: Of the gradient at the modulated input times the input.
        dot: Of the gradient at the output times the output, but for the factor f.
        grad: Of the gradient at the convolution.
        noise: Of that times the noise; None where there is none.
    """

    direct: str
    dot: str
    grad: str
    noise: str | None


class StyleGradients:
    """Collects the sums of a pullback's layers, then gives the gradient of w_plus.

    Args:
        graph: Where the nodes go.
        modulation: What modulated the layers.
        slopes: The factors of their gradients.
    """

    def __init__(self, graph: GraphBuilder, modulation: Modulation, slopes: Slopes) -> None:
        self._graph, self._modulation, self._slopes = graph, modulation, slopes
        self._layers: dict[int, LayerSums] = {}
        self._colours: dict[int, str] = {}

    def add(self, layer: SynthesisLayer, sums: LayerSums) -> None:
        """Add what a convolution gives."""
        self._layers[layer.index] = sums

    def add_colour(self, layer: RgbLayer, direct: str) -> None:
        """Add the gradient of the style of a layer to colour, [1, 1, inputs]."""
        self._colours[layer.resolution] = direct

    def grad_w_plus(self, w_dim: int) -> tuple[str, int]:
        """dL/dw_plus [1, count, w_dim] of the first w's, those that added layers read; their count."""
        graph = self._graph
        found: list[tuple[list[int], str]] = []
        for each in self._modulation.groups:
            count = sum(layer.index in self._layers for layer in each.group.layers)
            if count:
                group = each.group.first(count)
                found.append(self._through_affine(group, self._of_group(each, group)))
        for colours, _ in self._modulation.colours:
            rows = [self._colours[layer.resolution] for layer in colours.layers]
            found.append(self._through_affine(colours, graph.stack(rows)))
        if len(found) == 1 and found[0][0] == list(range(len(found[0][0]))):
            ((indices, grad_w),) = found
            return graph.reshape(grad_w, (1, len(indices), w_dim)), len(indices)
        by_w: dict[int, str] = {}
        for indices, grad_w in found:
            for index, part in zip(indices, graph.split(grad_w, len(indices)), strict=True):
                # A block's last w serves its colours and the next block.
                by_w[index] = graph.op("Add", by_w[index], part) if index in by_w else part
        return graph.stack([by_w[index] for index in sorted(by_w)], axis=1), len(by_w)

    def _of_group(self, each: GroupModulation, group: LayerGroup) -> str:
        """The gradient of the styles of a group's first layers, [L, 1, inputs]."""
        graph, count = self._graph, len(group.layers)
        styles, demodulations, factors = (
            self._first(packed, count)
            for packed in (each.styles, each.demodulations, self._slopes.factors(each.group))
        )
        sums = [self._layers[layer.index] for layer in group.layers]
        dots = graph.op("Mul", graph.stack([layer.dot for layer in sums]), factors)
        biases = graph.constant(group.bias.shaped(count, group.outputs, 1, 1))
        grads = graph.op("Mul", graph.stack([layer.grad for layer in sums]), biases)
        dots = graph.op("Sub", dots, grads)
        if any(layer.noise for layer in sums):
            none = graph.constant(np.zeros((1, group.outputs, 1, 1)))
            dots = graph.op("Sub", dots, graph.stack([layer.noise or none for layer in sums]))
        per_output = graph.op("Mul", dots, demodulations)
        per_output = graph.reshape(per_output, (count, 1, group.outputs))
        per_input = graph.op("MatMul", per_output, graph.constant(group.squares))
        per_input = graph.reshape(per_input, (count, group.inputs, 1, 1))
        through_demodulation = graph.op("Mul", per_input, styles)
        direct = graph.stack([layer.direct for layer in sums])
        grad_styles = graph.op("Sub", direct, through_demodulation)
        return graph.reshape(grad_styles, (count, 1, group.inputs))

    def _first(self, packed: Packed, count: int) -> str:
        """What the first layers have of what is packed for a whole group."""
        if count == packed.count:
            return packed.tensor
        bounds = (self._graph.constant(np.array([k], np.int64)) for k in (0, count, 0))
        return self._graph.op("Slice", packed.tensor, *bounds)

    def _through_affine(
        self, group: LayerGroup | ColourGroup, grad_styles: str
    ) -> tuple[list[int], str]:
        """Which w's a group reads, and the gradient [L, 1, w_dim] of each, from that of its styles."""
        grad_w = self._graph.op("MatMul", grad_styles, self._graph.constant(group.affine))
        return [layer.style.w_index for layer in group.layers], grad_w


def over_map(graph: GraphBuilder, x: str) -> str:
    """The sum over the map, [1, C, 1, 1]; windows belong to one latent, so they are summed too."""
    return graph.sum(x, (0, 2, 3), keepdims=True)
