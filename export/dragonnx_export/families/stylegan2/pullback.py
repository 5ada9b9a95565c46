"""The gradient of the feature map as a graph: dL/dF in, dL/dw_plus out."""

from __future__ import annotations

import onnx

from dragonnx.model.facts import graph_name
from dragonnx_export.families.stylegan2.block_backward import block_backward, declare_outputs
from dragonnx_export.families.stylegan2.layers import SynthesisLayers
from dragonnx_export.families.stylegan2.windows import declare_windows, map_shape
from dragonnx_export.graphs.builder import GraphBuilder
from dragonnx_export.graphs.weight_file import WeightFile


def pullback_graph(
    network: SynthesisLayers,
    weights: WeightFile,
    feature_resolution: int,
    trainable_layers: int,
    cut: int | None = None,
) -> onnx.ModelProto:
    """Inputs: what `features_graph` took and gave, and grad_features, shaped as features.

    Output grad_w_plus [N, trainable_layers, w_dim]: the gradient for the first layers.
    """
    architecture = network.architecture
    blocks = network.up_to(feature_resolution)
    graph = GraphBuilder(graph_name("pullback", cut), weights)
    w_plus = graph.input("w_plus", ["batch", architecture.num_ws, architecture.w_dim])
    windows = declare_windows(graph, cut, blocks)
    outputs = [
        declare_outputs(
            graph,
            block,
            windows.get(block.resolution),
            last="features" if block is blocks[-1] else None,
            # A sum's gradient does not depend on it: only what reads it as its input needs it.
            read=block is not blocks[-1],
        )
        for block in blocks
    ]
    last_window = windows.get(feature_resolution)
    grad: str | None = graph.input("grad_features", map_shape(blocks[-1].layers[-1], last_window))
    grad_w: dict[int, str] = {}
    for position, block in reversed(list(enumerate(blocks))):
        assert grad, "only the first block has nothing before it"  # noqa: S101
        grad = block_backward(
            graph,
            block,
            x=outputs[position - 1].block if position else graph.constant(network.first_input),
            outputs=outputs[position],
            w_plus=w_plus,
            grad=grad,
            trainable_layers=trainable_layers,
            add_grad_w=grad_w.__setitem__,
            window=windows.get(block.resolution),
            cut=cut,
        )
    grad_w_plus = graph.op("Concat", *(grad_w[index] for index in sorted(grad_w)), axis=1)
    graph.output("grad_w_plus", grad_w_plus, ["batch", len(grad_w), architecture.w_dim])
    return graph.model()
