"""The feature map of a w_plus, with the layer outputs that the pullback needs."""

from __future__ import annotations

import onnx

from dragonnx.model.facts import graph_name
from dragonnx_export.families.stylegan2.forward import layer_forward, skip_forward
from dragonnx_export.families.stylegan2.layers import SynthesisBlock
from dragonnx_export.families.stylegan2.modulation import Modulation
from dragonnx_export.families.stylegan2.synthesis import SynthesisLayers
from dragonnx_export.families.stylegan2.windows import map_shape, windows_of
from dragonnx_export.graphs.builder import GraphBuilder
from dragonnx_export.graphs.weight_file import WeightFile


def features_graph(
    network: SynthesisLayers, weights: WeightFile, feature_resolution: int, cut: int | None = None
) -> onnx.ModelProto:
    """Input w_plus [1, num_ws, w_dim], and where there is a cut what `windows` describes.

    Outputs features [1, C, h, w], the output of the block of that resolution, what `output_names`
    names of it and the blocks before, and what modulated their layers. From the first layer of the
    block `cut` on, maps are windows [n, C, s, s].
    """
    graph = GraphBuilder(graph_name("features", cut), weights)
    modulation = Modulation.computed(graph, network, feature_resolution, cut=cut)
    blocks = network.up_to(feature_resolution)
    windows = windows_of(graph, cut, blocks)
    x = graph.constant(network.first_input)
    for block in blocks:
        window = windows.get(block.resolution)
        names, name = output_names(block, "features" if block is blocks[-1] else None)
        y = x
        for layer, layer_name in zip(block.layers, names, strict=True):
            y = layer_forward(graph, layer, y, modulation, window)
            y = graph.output(layer_name, y, map_shape(layer, window))
        if block.skip:
            y = graph.op("Add", y, skip_forward(graph, block.skip, x, window))
            y = graph.output(name, y, map_shape(block.layers[-1], window))
        x = y
    modulation.give_out(graph)
    return graph.model()


def output_names(block: SynthesisBlock, last: str | None = None) -> tuple[list[str], str]:
    """Names of the outputs of a block's layers and of the block, which is what the next one reads.

    They are layer_0, layer_1, ..., counted through all blocks. A block's output is that of its
    last layer, or block_R in a residual block of resolution R; or it has the name `last`.
    """
    names = [f"layer_{layer.index}" for layer in block.layers]
    if block.skip:
        return names, last or f"block_{block.resolution}"
    names[-1] = last or names[-1]
    return names, names[-1]
