"""The image of a w_plus: the whole synthesis network with its skip connections."""

from __future__ import annotations

import onnx

from dragonnx_export.checkpoints.checkpoint import Checkpoint
from dragonnx_export.graphs.builder import GraphBuilder
from dragonnx_export.graphs.forward import layer_forward, rgb_forward, upsample_image
from dragonnx_export.graphs.layers import rgb_layers, synthesis_layers
from dragonnx_export.graphs.weight_file import WeightFile


def image_graph(checkpoint: Checkpoint, weights: WeightFile) -> onnx.ModelProto:
    """Input w_plus [N, num_ws, w_dim]; output image [N, image_channels, H, W], about -1 to 1."""
    architecture = checkpoint.architecture
    graph = GraphBuilder("image", weights)
    w_plus = graph.input("w_plus", ["batch", architecture.num_ws, architecture.w_dim])
    x = graph.constant(checkpoint.weights["synthesis.b4.const"][None])
    layers = synthesis_layers(checkpoint, architecture.resolution)
    image = None
    for rgb in rgb_layers(checkpoint):
        for layer in layers:
            if layer.resolution == rgb.resolution:
                x = layer_forward(graph, layer, x, w_plus)
        colour = rgb_forward(graph, rgb, x, w_plus)
        if image is not None:
            colour = graph.op("Add", upsample_image(graph, rgb, image), colour)
        image = colour
    assert image is not None, "an architecture has at least two blocks"  # noqa: S101
    side = architecture.resolution
    graph.output("image", image, ["batch", architecture.image_channels, side, side])
    return graph.model()
