"""The graphs of the family: feature map and image of a w_plus, and their pullbacks."""

from __future__ import annotations

import onnx
from onnx import TensorProto

from dragonnx.model.facts import graph_name
from dragonnx_export.families.stylegan3.forward import output_shape, pull_back, run_layers
from dragonnx_export.families.stylegan3.layers import SynthesisLayers
from dragonnx_export.families.stylegan3.windows import windows_of
from dragonnx_export.graphs.builder import GraphBuilder
from dragonnx_export.graphs.pixels import pixels
from dragonnx_export.graphs.weight_file import WeightFile


def features_graph(
    network: SynthesisLayers, weights: WeightFile, layer: int, cut: int | None = None
) -> onnx.ModelProto:
    """Input w_plus [1, num_ws, w_dim]; outputs features, and what `pullback_graph` takes.

    The features [1, C, h, w] are the output of a layer, counted from 0, margin included. With a cut,
    maps are windows from that layer's activation on, and what `windows` describes is an input.
    """
    graph = GraphBuilder(graph_name("features", cut), weights)
    run_layers(graph, network, _latent(graph, network), layer + 1, "features", cut)
    return graph.model()


def pullback_graph(
    network: SynthesisLayers, weights: WeightFile, layer: int, rows: int, cut: int | None = None
) -> onnx.ModelProto:
    """Inputs: w_plus, what `features_graph` took and gave but the features, and grad_features.

    Output grad_w_plus [1, rows, w_dim]: the gradient for the first w's.
    """
    graph = GraphBuilder(graph_name("pullback", cut), weights)
    w_plus = _latent(graph, network)
    window = windows_of(graph, network.layers[: layer + 1], cut).get(layer)
    grad = graph.input("grad_features", output_shape(network.layers[layer], window))
    pulled = pull_back(graph, network, w_plus, layer + 1, grad, rows, cut)
    graph.output("grad_w_plus", pulled, [1, rows, network.architecture.w_dim])
    return graph.model()


def image_graph(network: SynthesisLayers, weights: WeightFile) -> onnx.ModelProto:
    """Input w_plus; outputs image [1, C, H, W], about -1 to 1, and pixels, uint8 [1, H, W, C]."""
    graph = GraphBuilder("image", weights)
    layers = network.layers
    image = run_layers(graph, network, _latent(graph, network), len(layers), None)
    shape = output_shape(layers[-1])
    image = graph.output("image", image, shape)
    _, channels, height, width = shape
    graph.output("pixels", pixels(graph, image), [1, height, width, channels], TensorProto.UINT8)
    return graph.model()


def image_layers_graph(network: SynthesisLayers, weights: WeightFile) -> onnx.ModelProto:
    """Input w_plus; outputs image, and what `image_pullback_graph` takes.

    It stands apart from `image`, which may forget a layer's output once it is used.
    """
    graph = GraphBuilder("image_layers", weights)
    run_layers(graph, network, _latent(graph, network), len(network.layers), "image")
    return graph.model()


def image_pullback_graph(network: SynthesisLayers, weights: WeightFile) -> onnx.ModelProto:
    """Inputs: w_plus, what `image_layers_graph` gave but the image, and grad_image.

    Output grad_w_plus [1, num_ws, w_dim].
    """
    graph = GraphBuilder("image_pullback", weights)
    w_plus = _latent(graph, network)
    layers, a = network.layers, network.architecture
    grad = graph.input("grad_image", output_shape(layers[-1]))
    pulled = pull_back(graph, network, w_plus, len(layers), grad, a.num_ws)
    graph.output("grad_w_plus", pulled, [1, a.num_ws, a.w_dim])
    return graph.model()


def _latent(graph: GraphBuilder, network: SynthesisLayers) -> str:
    a = network.architecture
    return graph.input("w_plus", [1, a.num_ws, a.w_dim])
