"""One synthesis layer, forward: modulated convolution, noise, bias, leaky ReLU, clamp.

Activations are modulated, not weights (StyleGAN2, arXiv 1912.04958, equations 1 to 3, moved from
the weights to the tensors around them), so that the convolution weights stay constant and ONNX
Runtime can pre-pack them:
`x*s -> Conv -> *d -> + noise + bias -> leaky ReLU * gain -> clamp`.
"""

from __future__ import annotations

import numpy as np

from dragonnx_export.families.stylegan2.layers import (
    LEAK,
    RgbLayer,
    SkipLayer,
    Style,
    SynthesisLayer,
)
from dragonnx_export.families.stylegan2.windows import Window
from dragonnx_export.graphs.builder import GraphBuilder
from dragonnx_export.graphs.constant import Constant


def style_of(graph: GraphBuilder, style: Style, w_plus: str) -> str:
    """The style s [N, inputs] of a layer."""
    index = graph.constant(np.array(style.w_index, np.int64))
    w = graph.op("Gather", w_plus, index, axis=1)
    return graph.op("Gemm", w, graph.constant(style.weight), graph.constant(style.bias), transB=1)


def demodulation_of(graph: GraphBuilder, layer: SynthesisLayer, style: str) -> str:
    """The factor d [N, outputs] that brings each output channel back to unit variance."""
    squares = graph.constant(layer.squares_by_input)
    energy = graph.op("MatMul", graph.op("Mul", style, style), squares)
    norm = graph.op("Sqrt", graph.op("Add", energy, graph.constant(1e-8)))
    return graph.op("Reciprocal", norm)


def per_channel(graph: GraphBuilder, vector: str, channels: int) -> str:
    """[N, channels] as [N, channels, 1, 1], to multiply maps with."""
    return graph.reshape(vector, (-1, channels, 1, 1))


def layer_forward(
    graph: GraphBuilder, layer: SynthesisLayer, x: str, w_plus: str, window: Window | None = None
) -> str:
    """The output y [N, outputs, height, width] of a layer for the input x.

    With a window, x and y are windows: of s + 2 cells a side after the layer that upsamples,
    zero outside the image, and of s after the other.
    """
    style = style_of(graph, layer.style, w_plus)
    x = graph.op("Mul", x, per_channel(graph, style, layer.inputs))
    if layer.upsamples:
        x = graph.op("ConvTranspose", x, graph.constant(layer.kernel), strides=[2, 2])
        x = window.filtered(graph, x) if window else _low_pass(graph, layer, x)
    else:
        x = graph.op("Conv", x, graph.constant(layer.kernel), pads=[0 if window else 1] * 4)
    # The gain after the leaky ReLU moves to the terms before it: it is homogeneous.
    demodulation = graph.op("Mul", demodulation_of(graph, layer, style), graph.constant(layer.gain))
    x = graph.op("Mul", x, per_channel(graph, demodulation, layer.outputs))
    if layer.scaled_noise is not None:
        x = graph.op("Add", x, noise_of(graph, layer, layer.scaled_noise, window))
    x = graph.op("Add", x, graph.constant(layer.scaled_bias))
    y = _clamped(graph, graph.op("LeakyRelu", x, alpha=LEAK), layer.clamp)
    return graph.op("Mul", y, window.inside(graph)) if window and layer.upsamples else y


def noise_of(
    graph: GraphBuilder, layer: SynthesisLayer, noise: Constant, window: Window | None
) -> str:
    """A layer's noise [1 or n, 1, ...], whole or in windows."""
    return window.noise(graph, layer, noise) if window else graph.constant(noise)


def _low_pass(graph: GraphBuilder, layer: SynthesisLayer, x: str) -> str:
    kernel = graph.constant(layer.low_pass)
    return graph.op("Conv", x, kernel, group=layer.outputs, pads=[1, 1, 1, 1])


def rgb_forward(graph: GraphBuilder, layer: RgbLayer, x: str, w_plus: str) -> str:
    """What a block adds to the image: [N, image_channels, height, width]."""
    style = style_of(graph, layer.style, w_plus)
    x = graph.op("Mul", x, per_channel(graph, style, layer.inputs))
    rgb = graph.op("Conv", x, graph.constant(layer.kernel), graph.constant(layer.bias))
    return _clamped(graph, rgb, layer.clamp)


def skip_forward(graph: GraphBuilder, layer: SkipLayer, x: str, window: Window | None) -> str:
    """What a residual block adds to its last layer's output, shaped as that: x is its input."""
    x = graph.op("Conv", x, graph.constant(layer.kernel))
    return window.upsampled(graph, x) if window else upsample(graph, layer.upsampling, x)


def upsample(graph: GraphBuilder, kernel: Constant, x: str) -> str:
    """A map at twice its size, low-pass filtered by a kernel [channels, 1, 4, 4]."""
    options = {"strides": [2, 2], "pads": [1, 1, 1, 1], "group": len(kernel.values)}
    return graph.op("ConvTranspose", x, graph.constant(kernel), **options)


def _clamped(graph: GraphBuilder, x: str, clamp: float | None) -> str:
    if clamp is None:
        return x
    return graph.op("Clip", x, graph.constant(-clamp), graph.constant(clamp))
