"""The gradient of an image as a graph: dL/dimage in, dL/dw_plus out, for inversion."""

from __future__ import annotations

import onnx

from dragonnx_export.families.stylegan2.backward import rgb_backward, upsample_adjoint
from dragonnx_export.families.stylegan2.block_backward import block_backward, declare_outputs
from dragonnx_export.families.stylegan2.image import rgb_name, rgb_shape
from dragonnx_export.families.stylegan2.layers import SynthesisLayers
from dragonnx_export.graphs.builder import GraphBuilder
from dragonnx_export.graphs.weight_file import WeightFile


def image_pullback_graph(
    network: SynthesisLayers, weights: WeightFile, resolution: int | None = None
) -> onnx.ModelProto:
    """Inputs: w_plus, what `image_layers` gave but the image, and grad_image, shaped as image.

    Output grad_w_plus [N, n, w_dim] of the first n w's, those that the image depends on: all. With
    a resolution it is the graph `preview_pullback`, to `preview_layers`, which depends on fewer.
    """
    architecture = network.architecture
    name = "image_pullback" if resolution is None else "preview_pullback"
    resolution = resolution or architecture.resolution
    graph = GraphBuilder(name, weights)
    w_plus = graph.input("w_plus", ["batch", architecture.num_ws, architecture.w_dim])
    blocks = network.up_to(resolution)
    outputs = [declare_outputs(graph, block) for block in blocks]
    height, width = architecture.block_size(resolution)
    channels = architecture.image_channels
    grad_image = graph.input("grad_image", ["batch", channels, height, width])
    # The w's are gathered by index: a block's last w serves its colours and the next block.
    grad_w: dict[int, str] = {}

    def add(index: int, gradient: str) -> None:
        known = grad_w.get(index)
        grad_w[index] = gradient if known is None else graph.op("Add", known, gradient)

    grad: str | None = None
    for position, block in reversed(list(enumerate(blocks))):
        if block.rgb:
            clamped = block.rgb.clamp is not None
            colours = (
                graph.input(rgb_name(block.resolution), rgb_shape(block.rgb)) if clamped else None
            )
            grad_x, grad_rgb_w = rgb_backward(
                graph,
                block.rgb,
                x=outputs[position].block,
                rgb=colours,
                w_plus=w_plus,
                grad=grad_image,
            )
            add(block.rgb.style.w_index, grad_rgb_w)
            grad = grad_x if grad is None else graph.op("Add", grad, grad_x)
        assert grad, "the last block has colours"  # noqa: S101
        grad = block_backward(
            graph,
            block,
            x=outputs[position - 1].block if position else graph.constant(network.first_input),
            outputs=outputs[position],
            w_plus=w_plus,
            grad=grad,
            trainable_layers=architecture.num_ws,
            add_grad_w=add,
        )
        if block.rgb and position and blocks[position - 1].rgb:
            grad_image = upsample_adjoint(graph, block.rgb.upsampling, grad_image)
    grad_w_plus = graph.op("Concat", *(grad_w[index] for index in sorted(grad_w)), axis=1)
    graph.output("grad_w_plus", grad_w_plus, ["batch", len(grad_w), architecture.w_dim])
    return graph.model()
