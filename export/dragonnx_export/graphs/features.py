"""The feature map of a w_plus, with the layer outputs that the pullback needs."""

from __future__ import annotations

import onnx

from dragonnx.bundle import graph_name
from dragonnx_export.checkpoints.checkpoint import Checkpoint
from dragonnx_export.graphs.builder import GraphBuilder
from dragonnx_export.graphs.forward import first_input, layer_forward
from dragonnx_export.graphs.layers import synthesis_layers
from dragonnx_export.graphs.weight_file import WeightFile
from dragonnx_export.graphs.windows import declare_windows, map_shape


def layer_name(index: int) -> str:
    """Name of the tensor that holds a layer's output; the last layer's is `features`."""
    return f"layer_{index}"


def features_graph(
    checkpoint: Checkpoint, weights: WeightFile, feature_resolution: int, cut: int | None = None
) -> onnx.ModelProto:
    """Input w_plus [N, num_ws, w_dim], and where there is a cut the windows' inputs and N = 1.

    Outputs features [N, C, h, w], the output of the block of that resolution, and layer_0,
    layer_1, ...: the outputs of all convolutions before its last. From the second layer of the
    block `cut` on, they are windows [n, C, s, s].
    """
    architecture = checkpoint.architecture
    graph = GraphBuilder(graph_name("features", cut), weights)
    w_plus = graph.input("w_plus", ["batch", architecture.num_ws, architecture.w_dim])
    windows = declare_windows(graph, cut, feature_resolution)
    x = first_input(graph, checkpoint)
    layers = synthesis_layers(checkpoint, feature_resolution)
    for layer in layers:
        window = windows.get(layer.resolution)
        x = layer_forward(graph, layer, x, w_plus, window)
        name = "features" if layer is layers[-1] else layer_name(layer.index)
        graph.output(name, x, map_shape(layer, window))
    return graph.model()
