"""The image of a w_plus: the whole synthesis network with its skip connections."""

from __future__ import annotations

import onnx

from dragonnx_export.checkpoints.checkpoint import Checkpoint
from dragonnx_export.graphs.builder import GraphBuilder
from dragonnx_export.graphs.features import layer_name
from dragonnx_export.graphs.forward import (
    first_input,
    layer_forward,
    rgb_forward,
    upsample_image,
)
from dragonnx_export.graphs.layers import RgbLayer, rgb_layers, synthesis_layers
from dragonnx_export.graphs.weight_file import WeightFile
from dragonnx_export.graphs.windows import map_shape

PREVIEW_RESOLUTION = 64
"""A preview of that size costs a small part of a large image, and a terminal shows hardly more."""


def image_graph(
    checkpoint: Checkpoint, weights: WeightFile, resolution: int | None = None
) -> onnx.ModelProto:
    """Input w_plus [N, num_ws, w_dim]; output image [N, image_channels, H, W], about -1 to 1.

    With a resolution it is the graph `preview`: the image as far as that block's colours bring it.
    """
    name = "image" if resolution is None else "preview"
    return _image_graph(checkpoint, weights, name, resolution or checkpoint.architecture.resolution)


def image_layers_graph(checkpoint: Checkpoint, weights: WeightFile) -> onnx.ModelProto:
    """The graph `image_layers`: the image with what its pullback needs.

    It stands apart from `image`, which may forget a layer's output once it is used. Outputs image,
    layer_0, layer_1, ...: the outputs of all convolutions; and where colours are clamped rgb_4,
    rgb_8, ...: what each block adds to the image.
    """
    return _image_graph(
        checkpoint, weights, "image_layers", checkpoint.architecture.resolution, keep_layers=True
    )


def _image_graph(
    checkpoint: Checkpoint,
    weights: WeightFile,
    name: str,
    side: int,
    *,
    keep_layers: bool = False,
) -> onnx.ModelProto:
    architecture = checkpoint.architecture
    graph = GraphBuilder(name, weights)
    w_plus = graph.input("w_plus", ["batch", architecture.num_ws, architecture.w_dim])
    x = first_input(graph, checkpoint)
    layers = synthesis_layers(checkpoint, side)
    image = None
    for rgb in rgb_layers(checkpoint):
        if rgb.resolution > side:
            break
        for layer in layers:
            if layer.resolution == rgb.resolution:
                x = layer_forward(graph, layer, x, w_plus)
                if keep_layers:
                    graph.output(layer_name(layer.index), x, map_shape(layer))
        colour = rgb_forward(graph, rgb, x, w_plus)
        if keep_layers and rgb.clamp is not None:
            graph.output(rgb_name(rgb.resolution), colour, rgb_shape(rgb))
        if image is not None:
            colour = graph.op("Add", upsample_image(graph, rgb, image), colour)
        image = colour
    assert image is not None, "an architecture has at least two blocks"  # noqa: S101
    graph.output("image", image, ["batch", architecture.image_channels, side, side])
    return graph.model()


def rgb_name(resolution: int) -> str:
    """Name of the tensor that holds what a block adds to the image."""
    return f"rgb_{resolution}"


def rgb_shape(layer: RgbLayer) -> list[int | str]:
    """Its shape, for the declaration of an input or output."""
    return ["batch", layer.weight.shape[0], layer.resolution, layer.resolution]


def preview_resolution(checkpoint: Checkpoint) -> int:
    """The block whose colours make the preview: always coarser than the image."""
    blocks = checkpoint.architecture.block_resolutions[:-1]
    return max(block for block in blocks if block <= PREVIEW_RESOLUTION)
