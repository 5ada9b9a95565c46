"""A layer forward and back, from nodes."""

from __future__ import annotations

from dragonnx_export.families.stylegan3.activation import activated, activation_backward
from dragonnx_export.families.stylegan3.first import first_backward, first_features
from dragonnx_export.families.stylegan3.layers import SynthesisLayer, SynthesisLayers
from dragonnx_export.families.stylegan3.styles import (
    Modulation,
    modulation,
    row_of,
    style_backward,
)
from dragonnx_export.families.stylegan3.windows import LayerWindow, Windows, windows_of
from dragonnx_export.graphs.adjoint_kernel import adjoint_kernel
from dragonnx_export.graphs.builder import GraphBuilder

FIRST = "first_features"
"""Name of the output that holds what the first layer reads."""


def convolved_name(layer: SynthesisLayer) -> str:
    """Name of the output that holds a layer's convolution with its bias, before its activation."""
    return f"convolved_{layer.index}"


def output_name(layer: SynthesisLayer) -> str:
    """Name of the output that holds what the layer gives."""
    return f"layer_{layer.index}"


def convolved_shape(layer: SynthesisLayer, window: LayerWindow | None = None) -> list[int | str]:
    """For the declaration of an input or output."""
    if window:
        return window.convolved_shape()
    side = layer.facts.convolved_size
    return [1, layer.facts.outputs, side, side]


def output_shape(layer: SynthesisLayer, window: LayerWindow | None = None) -> list[int | str]:
    """For the declaration of an input or output."""
    if window:
        return window.output_shape()
    return [1, layer.facts.outputs, layer.facts.out_size, layer.facts.out_size]


def first_shape(network: SynthesisLayers) -> list[int | str]:
    """For the declaration of an input or output."""
    size = len(network.first.places)
    return [1, network.first.channels, size, size]


def run_layers(
    graph: GraphBuilder,
    network: SynthesisLayers,
    w_plus: str,
    count: int,
    result: str | None,
    cut: int | None = None,
) -> str:
    """The first layers, from a w_plus to the output of the last of them.

    Args:
        graph: Where the nodes go.
        network: All layers.
        w_plus: [1, num_ws, w_dim].
        count: How many layers.
        result: The name under which the last one's output is given out, beside all that
            `pull_back` takes of the others; None gives nothing out.
        cut: The layer from whose activation on windows are computed; None for whole maps.
    """
    x = first_features(graph, network.first, row_of(graph, w_plus, 0))
    if result:
        x = graph.output(FIRST, x, first_shape(network))
    layers = network.layers[:count]
    windows = windows_of(graph, layers, cut)
    for layer in layers:
        window = windows.get(layer.index)
        made = modulation(graph, layer, row_of(graph, w_plus, layer.index + 1))
        convolved = _convolved(graph, layer, x, made, window)
        if result:
            shape = convolved_shape(layer, window)
            convolved = graph.output(convolved_name(layer), convolved, shape)
        x = activated(graph, layer, convolved, window)
        if result:
            name = result if layer is layers[-1] else output_name(layer)
            x = graph.output(name, x, output_shape(layer, window))
    return x


def pull_back(
    graph: GraphBuilder,
    network: SynthesisLayers,
    w_plus: str,
    count: int,
    grad: str,
    rows: int,
    cut: int | None = None,
) -> str:
    """The gradient of the first w's [1, rows, w_dim] from that of a layer's output.

    Declares as inputs what `run_layers` gave out.

    ONNX Runtime runs nodes in an order of its own: before a node, all that it takes, and of that first
    what comes last in the file. So what is cheap to make late, and large, comes before the gradient that
    it waits for, and rows are joined one by one, from the last layer on. In another order all layers'
    maps are there at a time: at 512 px in config T 6 GB in place of 2.

    Args:
        graph: Where the nodes go.
        network: All layers.
        w_plus: [1, num_ws, w_dim].
        count: How many layers ran.
        grad: Of the last one's output.
        rows: For how many w's; no more than the layers read.
        cut: As in `run_layers`.
    """
    layers = network.layers[:count]
    windows = windows_of(graph, layers, cut)
    grads: list[str] = []
    for layer in reversed(layers):
        window = windows.get(layer.index)
        made = modulation(graph, layer, row_of(graph, w_plus, layer.index + 1))
        convolved = graph.input(convolved_name(layer), convolved_shape(layer, window))
        plain = None
        if made.demodulation and layer.index + 1 < rows:
            plain = graph.op("Sub", convolved, graph.constant(layer.map_bias))
        at_convolved = activation_backward(graph, layer, convolved, grad, window)
        at_read = _convolution_backward(graph, layer, made, at_convolved, window)
        if layer.index + 1 < rows:
            read = _declared_input(graph, network, layer, windows)
            at_style = _over_maps(graph, graph.op("Mul", at_read, read))
            moved = _over_maps(graph, graph.op("Mul", at_convolved, plain)) if plain else None
            grads.append(style_backward(graph, layer, made, at_style, moved))
        grad = graph.op("Mul", at_read, _as_map(graph, made.style))
    grads.append(first_backward(graph, network.first, row_of(graph, w_plus, 0), grad))
    stacked = grads[0]
    for earlier in grads[1:]:
        stacked = graph.stack([earlier, stacked])
    return graph.reshape(stacked, (1, rows, network.architecture.w_dim))


def _convolved(
    graph: GraphBuilder,
    layer: SynthesisLayer,
    x: str,
    made: Modulation,
    window: LayerWindow | None,
) -> str:
    """The modulated convolution with its bias, [1, outputs, n, n], or windows of it."""
    x = graph.op("Mul", x, _as_map(graph, made.style))
    kernel = graph.constant(layer.kernel)
    bias = graph.constant(layer.map_bias)
    y = graph.op("Conv", x, kernel, pads=[0 if _reads(window) else layer.facts.kernel - 1] * 4)
    if made.demodulation:
        y = graph.op("Mul", y, _as_map(graph, made.demodulation))
    return graph.op("Add", y, bias)


def _convolution_backward(
    graph: GraphBuilder,
    layer: SynthesisLayer,
    made: Modulation,
    grad: str,
    window: LayerWindow | None,
) -> str:
    """The gradient of the convolution's modulated input from that of its output with bias."""
    if made.demodulation:
        grad = graph.op("Mul", grad, _as_map(graph, made.demodulation))
    pads = [layer.facts.kernel - 1 if _reads(window) else 0] * 4
    return graph.op("Conv", grad, adjoint_kernel(graph, layer.kernel), pads=pads)


def _reads(window: LayerWindow | None) -> bool:
    """Whether a layer convolves windows: they hold the zeros around the map, as far as they reach there."""
    return window is not None and not window.reads_map


def _over_maps(graph: GraphBuilder, maps: str) -> str:
    """The sum over all places of maps or windows [n, C, h, w], [1, C]."""
    return graph.reshape(graph.sum(maps, (0, 2, 3)), (1, -1))


def _declared_input(
    graph: GraphBuilder, network: SynthesisLayers, layer: SynthesisLayer, windows: Windows
) -> str:
    """What a layer read, as `run_layers` gave it out."""
    if layer.index == 0:
        return graph.input(FIRST, first_shape(network))
    before = network.layers[layer.index - 1]
    shape = output_shape(before, windows.get(before.index))
    return graph.input(output_name(before), shape)


def _as_map(graph: GraphBuilder, row: str) -> str:
    """A row [1, C] as maps take it, [1, C, 1, 1]."""
    return graph.reshape(row, (1, -1, 1, 1))
