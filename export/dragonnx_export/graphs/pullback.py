"""The gradient of the feature map as a graph: dL/dF in, dL/dw_plus out."""

from __future__ import annotations

from collections.abc import Sequence

import onnx

from dragonnx.bundle import graph_name
from dragonnx_export.checkpoints.checkpoint import Checkpoint
from dragonnx_export.graphs.backward import layer_backward
from dragonnx_export.graphs.builder import GraphBuilder
from dragonnx_export.graphs.features import layer_name
from dragonnx_export.graphs.forward import first_input
from dragonnx_export.graphs.layers import SynthesisLayer, synthesis_layers
from dragonnx_export.graphs.weight_file import WeightFile
from dragonnx_export.graphs.windows import declare_windows, map_shape


def pullback_graph(
    checkpoint: Checkpoint,
    weights: WeightFile,
    feature_resolution: int,
    trainable_layers: int,
    cut: int | None = None,
) -> onnx.ModelProto:
    """Inputs: what `features_graph` took and gave, and grad_features, shaped as features.

    Output grad_w_plus [N, trainable_layers, w_dim]: the gradient for the first layers.
    """
    architecture = checkpoint.architecture
    layers = synthesis_layers(checkpoint, feature_resolution)
    graph = GraphBuilder(graph_name("pullback", cut), weights)
    w_plus = graph.input("w_plus", ["batch", architecture.num_ws, architecture.w_dim])
    windows = declare_windows(graph, cut, feature_resolution)
    outputs = [
        graph.input(
            "features" if layer is layers[-1] else layer_name(layer.index),
            map_shape(layer, windows.get(layer.resolution)),
        )
        for layer in layers
    ]
    last = layers[-1]
    grad = graph.input("grad_features", map_shape(last, windows.get(last.resolution)))
    grad_w: list[str] = []
    for layer in reversed(layers):
        trainable = layer.style.w_index < trainable_layers
        step = layer_backward(
            graph,
            layer,
            x=layer_input(graph, checkpoint, layer, outputs) if trainable else None,
            y=outputs[layer.index],
            w_plus=w_plus,
            grad=grad,
            window=windows.get(layer.resolution),
            cut=cut,
        )
        if step.grad_w:
            grad_w.append(step.grad_w)
        if layer.index:
            grad = step.grad_input(graph, layer)
    grad_w.reverse()
    grad_w_plus = graph.op("Concat", *grad_w, axis=1)
    graph.output("grad_w_plus", grad_w_plus, ["batch", len(grad_w), architecture.w_dim])
    return graph.model()


def layer_input(
    graph: GraphBuilder, checkpoint: Checkpoint, layer: SynthesisLayer, outputs: Sequence[str]
) -> str:
    """What a layer got: the output of the layer before it, or the constant."""
    return outputs[layer.index - 1] if layer.index else first_input(graph, checkpoint)
