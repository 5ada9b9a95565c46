"""The feature map of a w_plus, with the layer outputs that the pullback needs."""

from __future__ import annotations

import onnx

from dragonnx_export.checkpoints.checkpoint import Checkpoint
from dragonnx_export.graphs.builder import GraphBuilder
from dragonnx_export.graphs.forward import layer_forward
from dragonnx_export.graphs.layers import synthesis_layers
from dragonnx_export.graphs.weight_file import WeightFile


def layer_name(index: int) -> str:
    """Name of the tensor that holds a layer's output; the last layer's is `features`."""
    return f"layer_{index}"


def features_graph(
    checkpoint: Checkpoint, weights: WeightFile, feature_resolution: int
) -> onnx.ModelProto:
    """Input w_plus [N, num_ws, w_dim].

    Outputs features [N, C, h, w], the output of the block of that resolution, and layer_0,
    layer_1, ...: the outputs of all convolutions before its last.
    """
    architecture = checkpoint.architecture
    graph = GraphBuilder("features", weights)
    w_plus = graph.input("w_plus", ["batch", architecture.num_ws, architecture.w_dim])
    x = graph.constant(checkpoint.weights["synthesis.b4.const"][None])
    layers = synthesis_layers(checkpoint, feature_resolution)
    for layer in layers:
        x = layer_forward(graph, layer, x, w_plus)
        name = "features" if layer is layers[-1] else layer_name(layer.index)
        graph.output(name, x, ["batch", layer.outputs, layer.resolution, layer.resolution])
    return graph.model()
