"""The image of a w_plus: the whole synthesis network with its skip connections."""

from __future__ import annotations

import onnx

from dragonnx_export.checkpoints.checkpoint import Checkpoint
from dragonnx_export.graphs.builder import GraphBuilder
from dragonnx_export.graphs.forward import layer_forward, rgb_forward, upsample_image
from dragonnx_export.graphs.layers import rgb_layers, synthesis_layers
from dragonnx_export.graphs.weight_file import WeightFile

PREVIEW_RESOLUTION = 64
"""A preview of that size costs a small part of a large image, and a terminal shows hardly more."""


def image_graph(
    checkpoint: Checkpoint, weights: WeightFile, resolution: int | None = None
) -> onnx.ModelProto:
    """Input w_plus [N, num_ws, w_dim]; output image [N, image_channels, H, W], about -1 to 1.

    With a resolution it is the graph `preview`: the image as far as that block's colours bring it.
    """
    architecture = checkpoint.architecture
    graph = GraphBuilder("image" if resolution is None else "preview", weights)
    side = architecture.resolution if resolution is None else resolution
    w_plus = graph.input("w_plus", ["batch", architecture.num_ws, architecture.w_dim])
    x = graph.constant(checkpoint.weights["synthesis.b4.const"][None])
    layers = synthesis_layers(checkpoint, side)
    image = None
    for rgb in rgb_layers(checkpoint):
        if rgb.resolution > side:
            break
        for layer in layers:
            if layer.resolution == rgb.resolution:
                x = layer_forward(graph, layer, x, w_plus)
        colour = rgb_forward(graph, rgb, x, w_plus)
        if image is not None:
            colour = graph.op("Add", upsample_image(graph, rgb, image), colour)
        image = colour
    assert image is not None, "an architecture has at least two blocks"  # noqa: S101
    graph.output("image", image, ["batch", architecture.image_channels, side, side])
    return graph.model()


def preview_resolution(checkpoint: Checkpoint) -> int:
    """The block whose colours make the preview: always coarser than the image."""
    blocks = checkpoint.architecture.block_resolutions[:-1]
    return max(block for block in blocks if block <= PREVIEW_RESOLUTION)
