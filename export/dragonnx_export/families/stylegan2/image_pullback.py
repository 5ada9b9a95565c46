"""The gradient of an image as a graph: dL/dimage in, dL/dw_plus out, for inversion."""

from __future__ import annotations

import onnx

from dragonnx_export.families.stylegan2.backward import rgb_backward, upsample_adjoint
from dragonnx_export.families.stylegan2.block_backward import Backward, Gradient, declare_outputs
from dragonnx_export.families.stylegan2.image import rgb_name, rgb_shape
from dragonnx_export.families.stylegan2.modulation import Modulation
from dragonnx_export.families.stylegan2.synthesis import SynthesisLayers
from dragonnx_export.graphs.builder import GraphBuilder
from dragonnx_export.graphs.weight_file import WeightFile


def image_pullback_graph(
    network: SynthesisLayers, weights: WeightFile, resolution: int | None = None
) -> onnx.ModelProto:
    """Inputs: what `image_layers` gave but the image, and grad_image, shaped as image.

    Output grad_w_plus [1, n, w_dim] of the first n w's, those that the image depends on: all. With
    a resolution it is the graph `preview_pullback`, to `preview_layers`, which depends on fewer.
    """
    architecture = network.architecture
    name = "image_pullback" if resolution is None else "preview_pullback"
    resolution = resolution or architecture.resolution
    graph = GraphBuilder(name, weights)
    modulation = Modulation.declared(graph, network, resolution, colours=True)
    blocks = network.up_to(resolution)
    outputs = [declare_outputs(graph, block) for block in blocks]
    height, width = architecture.block_size(resolution)
    grad_image = graph.input("grad_image", [1, architecture.image_channels, height, width])
    backward = Backward(graph, blocks, modulation, architecture.num_ws, coloured=True)
    gradient: Gradient | None = None
    for position, block in reversed(list(enumerate(blocks))):
        if block.rgb:
            clamped = block.rgb.clamp is not None
            colours = (
                graph.input(rgb_name(block.resolution), rgb_shape(block.rgb)) if clamped else None
            )
            grad_x, grad_style = rgb_backward(
                graph,
                block.rgb,
                x=outputs[position].block,
                rgb=colours,
                style=modulation.colour_style(block.rgb),
                grad=grad_image,
            )
            backward.styles.add_colour(block.rgb, grad_style)
            if gradient:
                grad_x = graph.op("Add", backward.whole(gradient), grad_x)
            gradient = Gradient(grad_x)
        assert gradient, "the last block has colours"  # noqa: S101
        gradient = backward.through_block(
            block,
            gradient,
            x=outputs[position - 1].block if position else graph.constant(network.first_input),
            outputs=outputs[position],
        )
        if block.rgb and position and blocks[position - 1].rgb:
            grad_image = upsample_adjoint(graph, block.rgb.upsampling, grad_image)
    grad_w_plus, count = backward.styles.grad_w_plus(architecture.w_dim)
    graph.output("grad_w_plus", grad_w_plus, [1, count, architecture.w_dim])
    return graph.model()
