"""The gradient of the image as a graph: dL/dimage in, dL/dw_plus out, for inversion."""

from __future__ import annotations

import onnx

from dragonnx_export.checkpoints.checkpoint import Checkpoint
from dragonnx_export.graphs.backward import layer_backward, rgb_backward, upsample_image_adjoint
from dragonnx_export.graphs.builder import GraphBuilder
from dragonnx_export.graphs.features import layer_name
from dragonnx_export.graphs.image import rgb_name, rgb_shape
from dragonnx_export.graphs.layers import rgb_layers, synthesis_layers
from dragonnx_export.graphs.pullback import layer_input
from dragonnx_export.graphs.weight_file import WeightFile
from dragonnx_export.graphs.windows import map_shape


def image_pullback_graph(checkpoint: Checkpoint, weights: WeightFile) -> onnx.ModelProto:
    """Inputs: w_plus, what `image_layers` gave but the image, and grad_image, shaped as image.

    Output grad_w_plus [N, num_ws, w_dim].
    """
    architecture = checkpoint.architecture
    side = architecture.resolution
    graph = GraphBuilder("image_pullback", weights)
    w_plus = graph.input("w_plus", ["batch", architecture.num_ws, architecture.w_dim])
    layers = synthesis_layers(checkpoint, side)
    outputs = [graph.input(layer_name(layer.index), map_shape(layer)) for layer in layers]
    shape: list[int | str] = ["batch", architecture.image_channels, side, side]
    grad_image = graph.input("grad_image", shape)
    # The w's are gathered by index: a block's last w serves its colours and the next block.
    grad_w: dict[int, str] = {}

    def add(index: int, gradient: str) -> None:
        known = grad_w.get(index)
        grad_w[index] = gradient if known is None else graph.op("Add", known, gradient)

    grad: str | None = None
    for rgb in reversed(rgb_layers(checkpoint)):
        block = [layer for layer in layers if layer.resolution == rgb.resolution]
        clamped = rgb.clamp is not None
        colours = graph.input(rgb_name(rgb.resolution), rgb_shape(rgb)) if clamped else None
        last = outputs[block[-1].index]
        grad_x, grad_rgb_w = rgb_backward(
            graph, rgb, x=last, rgb=colours, w_plus=w_plus, grad=grad_image
        )
        add(rgb.style.w_index, grad_rgb_w)
        grad = grad_x if grad is None else graph.op("Add", grad, grad_x)
        for layer in reversed(block):
            step = layer_backward(
                graph,
                layer,
                x=layer_input(graph, checkpoint, layer, outputs),
                y=outputs[layer.index],
                w_plus=w_plus,
                grad=grad,
            )
            assert step.grad_w, "it was asked for"  # noqa: S101
            add(layer.style.w_index, step.grad_w)
            if layer.index:
                grad = step.grad_input(graph, layer)
        if block[0].index:
            grad_image = upsample_image_adjoint(graph, rgb, grad_image)
    grad_w_plus = graph.op("Concat", *(grad_w[index] for index in sorted(grad_w)), axis=1)
    graph.output("grad_w_plus", grad_w_plus, ["batch", architecture.num_ws, architecture.w_dim])
    return graph.model()
