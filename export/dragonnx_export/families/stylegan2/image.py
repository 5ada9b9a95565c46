"""The image of a w_plus: the whole synthesis network."""

from __future__ import annotations

import onnx
from onnx import TensorProto

from dragonnx_export.families.stylegan2.architecture import Architecture
from dragonnx_export.families.stylegan2.features import output_names
from dragonnx_export.families.stylegan2.forward import (
    layer_forward,
    rgb_forward,
    skip_forward,
    upsample,
)
from dragonnx_export.families.stylegan2.layers import RgbLayer
from dragonnx_export.families.stylegan2.modulation import Modulation
from dragonnx_export.families.stylegan2.synthesis import SynthesisLayers
from dragonnx_export.families.stylegan2.windows import map_shape
from dragonnx_export.graphs.builder import GraphBuilder
from dragonnx_export.graphs.pixels import pixels
from dragonnx_export.graphs.weight_file import WeightFile

PREVIEW_SIDE = 64
"""A preview of about that size costs a small part of a large image, and a terminal shows hardly more."""


def image_graph(
    network: SynthesisLayers, weights: WeightFile, resolution: int | None = None
) -> onnx.ModelProto:
    """Input w_plus [1, num_ws, w_dim]; outputs image and pixels.

    The image [1, image_channels, H, W] is about -1 to 1. The pixels, uint8 [1, H, W,
    image_channels], are what is shown of it: a quarter of the bytes. With a resolution it is the
    graph `preview`: the image as far as that block's colours bring it.
    """
    name = "image" if resolution is None else "preview"
    return _image_graph(network, weights, name, resolution or network.architecture.resolution)


def image_layers_graph(
    network: SynthesisLayers, weights: WeightFile, resolution: int | None = None
) -> onnx.ModelProto:
    """The graph `image_layers`, or `preview_layers`: the image with what its pullback needs.

    It stands apart from `image`, which may forget a layer's output once it is used. Outputs image, what
    `output_names` names of every block, what modulated the layers, and where colours are clamped
    rgb_4, rgb_8, ...: what a block adds to the image.
    """
    name = "image_layers" if resolution is None else "preview_layers"
    resolution = resolution or network.architecture.resolution
    return _image_graph(network, weights, name, resolution, keep_layers=True)


def _image_graph(
    network: SynthesisLayers,
    weights: WeightFile,
    name: str,
    resolution: int,
    *,
    keep_layers: bool = False,
) -> onnx.ModelProto:
    architecture = network.architecture
    graph = GraphBuilder(name, weights)
    modulation = Modulation.computed(graph, network, resolution, colours=True)
    x = graph.constant(network.first_input)
    image = None
    for block in network.up_to(resolution):
        names, block_name = output_names(block)
        y = x
        for layer, layer_name in zip(block.layers, names, strict=True):
            y = layer_forward(graph, layer, y, modulation)
            if keep_layers:
                y = graph.output(layer_name, y, map_shape(layer))
        if block.skip:
            y = graph.op("Add", y, skip_forward(graph, block.skip, x, None))
            if keep_layers:
                y = graph.output(block_name, y, map_shape(block.layers[-1]))
        x = y
        if block.rgb:
            colour = rgb_forward(graph, block.rgb, x, modulation)
            if keep_layers and block.rgb.clamp is not None:
                colour = graph.output(rgb_name(block.resolution), colour, rgb_shape(block.rgb))
            if image is not None:
                image = upsample(graph, block.rgb.upsampling, image)
                colour = graph.op("Add", image, colour)
            image = colour
    assert image is not None, "the last block has colours"  # noqa: S101
    size = architecture.block_size(resolution)
    image = graph.output("image", image, [1, architecture.image_channels, *size])
    if keep_layers:
        modulation.give_out(graph)
    else:
        shape = [1, *size, architecture.image_channels]
        graph.output("pixels", pixels(graph, image), shape, TensorProto.UINT8)
    return graph.model()


def rgb_name(resolution: int) -> str:
    """Name of the tensor that holds what a block adds to the image."""
    return f"rgb_{resolution}"


def rgb_shape(layer: RgbLayer) -> list[int | str]:
    """Its shape, for the declaration of an input or output."""
    return [1, layer.outputs, *layer.size]


def preview_resolution(architecture: Architecture) -> int | None:
    """The block whose colours make the preview: always coarser than the image.

    None where only the last block has colours.
    """
    coarser = architecture.block_resolutions[:-1]
    coloured = [block for block in coarser if architecture.has_colour(block)]
    return architecture.block_of_area(PREVIEW_SIDE, coloured)
