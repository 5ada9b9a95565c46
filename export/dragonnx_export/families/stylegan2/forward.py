"""One synthesis layer, forward: modulated convolution, noise, bias, leaky ReLU, clamp.

Activations are modulated, not weights (StyleGAN2, arXiv 1912.04958, equations 1 to 3, moved from
the weights to the tensors around them), so that the convolution weights stay constant and ONNX
Runtime can pre-pack them:
`x*s -> Conv -> *d -> + noise + bias -> leaky ReLU -> clamp`.
The gain after the leaky ReLU is in d, noise and bias: it is homogeneous.
"""

from __future__ import annotations

import math

from dragonnx_export.families.stylegan2.layers import LEAK, RgbLayer, SkipLayer, SynthesisLayer
from dragonnx_export.families.stylegan2.modulation import Modulation
from dragonnx_export.families.stylegan2.windows import Window
from dragonnx_export.graphs.builder import GraphBuilder
from dragonnx_export.graphs.constant import Constant

_FOLDED_CELLS = 64
"""In a map of so many cells ONNX Runtime may add noise and bias up while it loads the graph; in
larger ones the sum would take memory for every channel."""


def layer_forward(
    graph: GraphBuilder,
    layer: SynthesisLayer,
    x: str,
    modulation: Modulation,
    window: Window | None = None,
) -> str:
    """The output y [1 or n, outputs, height, width] of a layer for the input x.

    With a window, x and y are windows: of s + 2 cells a side after the layer that upsamples,
    zero outside the image, and of s after the other.
    """
    x = graph.op("Mul", x, modulation.style(layer))
    kernel = graph.constant(layer.kernel)
    if not layer.upsamples:
        x = graph.op("Conv", x, kernel, pads=[0 if window else 1] * 4)
    elif window:
        x = window.upsampled_convolution(x, kernel, modulation.counterbias(layer))
    else:
        x = graph.op("ConvTranspose", x, kernel, strides=[2, 2])
        low_pass = graph.constant(layer.low_pass)
        x = graph.op("Conv", x, low_pass, group=layer.outputs, pads=[1, 1, 1, 1])
    x = graph.op("Mul", x, modulation.demodulation(layer))
    added = [] if window and layer.upsamples else [graph.constant(layer.map_bias)]
    if noise := noise_of(graph, layer, window):
        added.append(noise)
        if not window and math.prod(layer.size) <= _FOLDED_CELLS:
            added = [graph.op("Add", *added)]
    for each in added:
        x = graph.op("Add", x, each)
    return _clamped(graph, graph.op("LeakyRelu", x, alpha=LEAK), layer.clamp)


def noise_of(graph: GraphBuilder, layer: SynthesisLayer, window: Window | None) -> str | None:
    """A layer's noise [1 or n, 1, ...], whole or in windows; None where it has none."""
    if layer.noise_cells is None or layer.noise is None:
        return None
    if window:
        return window.noise(layer.noise_cells, upsamples=layer.upsamples)
    return graph.constant(layer.noise)


def rgb_forward(graph: GraphBuilder, layer: RgbLayer, x: str, modulation: Modulation) -> str:
    """What a block adds to the image: [1, image_channels, height, width].

    Here weights are modulated: they are a few thousand numbers, and the map has millions.
    """
    kernel = graph.op("Mul", graph.constant(layer.kernel), modulation.colour_style(layer))
    rgb = graph.op("Conv", x, kernel, graph.constant(layer.bias))
    return _clamped(graph, rgb, layer.clamp)


def skip_forward(graph: GraphBuilder, layer: SkipLayer, x: str, window: Window | None) -> str:
    """What a residual block adds to its last layer's output, shaped as that: x is its input."""
    x = graph.op("Conv", x, graph.constant(layer.kernel))
    return window.upsampled(x) if window else upsample(graph, layer.upsampling, x)


def upsample(graph: GraphBuilder, kernel: Constant, x: str) -> str:
    """A map at twice its size, low-pass filtered by a kernel [channels, 1, 4, 4]."""
    options = {"strides": [2, 2], "pads": [1, 1, 1, 1], "group": len(kernel.values)}
    return graph.op("ConvTranspose", x, graph.constant(kernel), **options)


def _clamped(graph: GraphBuilder, x: str, clamp: float | None) -> str:
    if clamp is None:
        return x
    return graph.op("Clip", x, graph.constant(-clamp), graph.constant(clamp))
