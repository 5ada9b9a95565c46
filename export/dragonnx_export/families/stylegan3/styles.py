"""What a w makes of a layer: its style and what demodulates it; and the way back to w."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dragonnx_export.families.stylegan3.layers import SynthesisLayer
from dragonnx_export.graphs.builder import GraphBuilder
from dragonnx_export.graphs.row_product import row_product

_EPSILON = 1e-8


@dataclass(frozen=True)
class Modulation:
    """How a layer's convolution is modulated. All are names of tensors.

    Attributes:
        style: Of the input channels, [1, inputs]; of a mean square of one where it is demodulated.
        scale: What the style was multiplied with to have that, [1, 1]; None where it was not.
        demodulation: Of the output channels, [1, outputs]; None where there is none.
    """

    style: str
    scale: str | None = None
    demodulation: str | None = None


def row_of(graph: GraphBuilder, w_plus: str, index: int) -> str:
    """One w of a w_plus [1, num_ws, w_dim], as [1, w_dim]."""
    return graph.op("Gather", w_plus, graph.constant(np.array(index, np.int64)), axis=1)


def modulation(graph: GraphBuilder, layer: SynthesisLayer, w: str) -> Modulation:
    """What a w [1, w_dim] makes of a layer."""
    style = row_product(graph, w, layer.style_weight, layer.style_bias)
    if layer.facts.colour:
        return Modulation(style)
    axis = graph.constant(np.array([1], np.int64))
    mean_square = graph.op("ReduceMean", graph.op("Mul", style, style), axis, keepdims=1)
    scale = graph.op("Reciprocal", graph.op("Sqrt", mean_square))
    style = graph.op("Mul", style, scale)
    power = row_product(graph, graph.op("Mul", style, style), layer.squares, [_EPSILON])
    return Modulation(style, scale, graph.op("Reciprocal", graph.op("Sqrt", power)))


def style_backward(
    graph: GraphBuilder, layer: SynthesisLayer, made: Modulation, grad_style: str, moved: str | None
) -> str:
    """The gradient of a w [1, w_dim].

    Args:
        graph: Where the nodes go.
        layer: The layer.
        made: Of it.
        grad_style: Of the style [1, inputs], as far as it modulates the input.
        moved: Sum over the map of the convolution's output, demodulated, times its gradient,
            [1, outputs]: what demodulation is worth. None where there is none.
    """
    if moved is not None and made.demodulation is not None and made.scale is not None:
        # d = (s^2 squares + epsilon)^(-1/2), hence dL/ds = -s * squares (d^2 * moved).
        weighed = graph.op("Mul", graph.op("Mul", made.demodulation, made.demodulation), moved)
        weighed = graph.op("Gemm", weighed, graph.constant(layer.squares), transB=1)
        grad_style = graph.op("Sub", grad_style, graph.op("Mul", made.style, weighed))
        # Of a row scaled to a mean square of one only what is across it counts.
        axis = graph.constant(np.array([1], np.int64))
        along = graph.op("Mul", made.style, grad_style)
        along = graph.op("ReduceMean", along, axis, keepdims=1)
        across = graph.op("Sub", grad_style, graph.op("Mul", made.style, along))
        grad_style = graph.op("Mul", across, made.scale)
    return graph.op("Gemm", grad_style, graph.constant(layer.style_weight), transB=1)
