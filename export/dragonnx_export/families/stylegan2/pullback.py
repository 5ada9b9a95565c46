"""The gradient of the feature map as a graph: dL/dF in, dL/dw_plus out."""

from __future__ import annotations

import onnx

from dragonnx.model.facts import graph_name
from dragonnx_export.families.stylegan2.block_backward import Backward, Gradient, declare_outputs
from dragonnx_export.families.stylegan2.modulation import Modulation
from dragonnx_export.families.stylegan2.synthesis import SynthesisLayers
from dragonnx_export.families.stylegan2.windows import map_shape, windows_of
from dragonnx_export.graphs.builder import GraphBuilder
from dragonnx_export.graphs.weight_file import WeightFile


def pullback_graph(
    network: SynthesisLayers,
    weights: WeightFile,
    feature_resolution: int,
    trainable_layers: int,
    cut: int | None = None,
) -> onnx.ModelProto:
    """Inputs: what `features_graph` gave, what it took of windows, and grad_features, shaped as features.

    Output grad_w_plus [1, trainable_layers, w_dim]: the gradient for the first layers.
    """
    architecture = network.architecture
    blocks = network.up_to(feature_resolution)
    graph = GraphBuilder(graph_name("pullback", cut), weights)
    modulation = Modulation.declared(graph, network, feature_resolution)
    windows = windows_of(graph, cut, blocks)
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
    grad_features = graph.input("grad_features", map_shape(blocks[-1].layers[-1], last_window))
    backward = Backward(graph, blocks, modulation, trainable_layers, cut=cut)
    gradient: Gradient | None = Gradient(grad_features)
    for position, block in reversed(list(enumerate(blocks))):
        assert gradient, "only the first block has nothing before it"  # noqa: S101
        gradient = backward.through_block(
            block,
            gradient,
            x=outputs[position - 1].block if position else graph.constant(network.first_input),
            outputs=outputs[position],
            window=windows.get(block.resolution),
        )
    grad_w_plus, count = backward.styles.grad_w_plus(architecture.w_dim)
    graph.output("grad_w_plus", grad_w_plus, [1, count, architecture.w_dim])
    return graph.model()
