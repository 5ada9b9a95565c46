"""One synthesis layer, forward: modulated convolution, noise, bias, leaky ReLU, clamp.

Activations are modulated, not weights (StyleGAN2, arXiv 1912.04958, equations 1 to 3, moved from
the weights to the tensors around them), so that the convolution weights stay constant and ONNX
Runtime can pre-pack them:
`x*s -> Conv -> *d -> + noise + bias -> leaky ReLU * gain -> clamp`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dragonnx_export.families.stylegan2.checkpoint import Checkpoint
from dragonnx_export.families.stylegan2.layers import (
    LEAK,
    RgbLayer,
    SkipLayer,
    Style,
    SynthesisLayer,
)
from dragonnx_export.families.stylegan2.windows import Window
from dragonnx_export.graphs.builder import GraphBuilder


def first_input(graph: GraphBuilder, checkpoint: Checkpoint) -> str:
    """The learned constant that the first layer starts from."""
    return graph.constant(checkpoint.weights["synthesis.b4.const"][None])


def style_of(graph: GraphBuilder, style: Style, w_plus: str) -> str:
    """The style s [N, inputs] of a layer."""
    index = graph.constant(np.array(style.w_index, np.int64))
    w = graph.op("Gather", w_plus, index, axis=1)
    return graph.op("Gemm", w, graph.constant(style.weight), graph.constant(style.bias), transB=1)


def demodulation_of(graph: GraphBuilder, layer: SynthesisLayer, style: str) -> str:
    """The factor d [N, outputs] that brings each output channel back to unit variance."""
    taps_squared = np.square(layer.weight, dtype=np.float64).sum(axis=(2, 3))
    energy = graph.op("MatMul", graph.op("Mul", style, style), graph.constant(taps_squared.T))
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
        kernel = graph.constant(layer.weight.transpose(1, 0, 2, 3))
        x = graph.op("ConvTranspose", x, kernel, strides=[2, 2])
        x = window.filtered(graph, x) if window else _low_pass(graph, layer, x)
    else:
        x = graph.op("Conv", x, graph.constant(layer.weight), pads=[0 if window else 1] * 4)
    # The gain after the leaky ReLU moves to the terms before it: it is homogeneous.
    demodulation = graph.op("Mul", demodulation_of(graph, layer, style), graph.constant(layer.gain))
    x = graph.op("Mul", x, per_channel(graph, demodulation, layer.outputs))
    if layer.noise is not None:
        x = graph.op("Add", x, noise_of(graph, layer, window, gain=layer.gain))
    x = graph.op("Add", x, graph.constant(layer.bias[None, :, None, None] * layer.gain))
    y = _clamped(graph, graph.op("LeakyRelu", x, alpha=LEAK), layer.clamp)
    return graph.op("Mul", y, window.inside(graph)) if window and layer.upsamples else y


def noise_of(
    graph: GraphBuilder, layer: SynthesisLayer, window: Window | None, gain: float = 1.0
) -> str:
    """A layer's noise [1 or n, 1, ...], whole or in windows."""
    assert layer.noise is not None, "the caller has looked"  # noqa: S101
    values = np.asarray(layer.noise * gain, np.float32)
    if window:
        return window.noise(graph, layer, values)
    return graph.constant(values[None, None])


def _low_pass(graph: GraphBuilder, layer: SynthesisLayer, x: str) -> str:
    kernel = depthwise(graph, layer.fir, layer.outputs)
    return graph.op("Conv", x, kernel, group=layer.outputs, pads=[1, 1, 1, 1])


def rgb_forward(graph: GraphBuilder, layer: RgbLayer, x: str, w_plus: str) -> str:
    """What a block adds to the image: [N, image_channels, height, width]."""
    style = style_of(graph, layer.style, w_plus)
    x = graph.op("Mul", x, per_channel(graph, style, layer.weight.shape[1]))
    rgb = graph.op("Conv", x, graph.constant(layer.weight), graph.constant(layer.bias))
    return _clamped(graph, rgb, layer.clamp)


def skip_forward(graph: GraphBuilder, layer: SkipLayer, x: str, window: Window | None) -> str:
    """What a residual block adds to its last layer's output, shaped as that: x is its input."""
    x = graph.op("Conv", x, graph.constant(layer.weight))
    if window:
        return window.upsampled(graph, x)
    return upsample(graph, layer.fir, layer.weight.shape[0], x)


def upsample(graph: GraphBuilder, fir: NDArray[np.float32], channels: int, x: str) -> str:
    """A map at twice its size, low-pass filtered."""
    kernel = depthwise(graph, fir, channels)
    return graph.op("ConvTranspose", x, kernel, strides=[2, 2], pads=[1, 1, 1, 1], group=channels)


def depthwise(graph: GraphBuilder, kernel: np.ndarray, channels: int) -> str:
    """One kernel for every channel: [channels, 1, ...]."""
    return graph.constant(np.tile(kernel[None, None], (channels, 1, 1, 1)))


def _clamped(graph: GraphBuilder, x: str, clamp: float | None) -> str:
    if clamp is None:
        return x
    return graph.op("Clip", x, graph.constant(-clamp), graph.constant(clamp))
