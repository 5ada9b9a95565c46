"""One synthesis block, backward: the gradient runs through its layers and around them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dragonnx_export.families.stylegan2.backward import layer_backward, skip_backward
from dragonnx_export.families.stylegan2.features import output_names
from dragonnx_export.families.stylegan2.layers import SynthesisBlock
from dragonnx_export.families.stylegan2.windows import Window, map_shape
from dragonnx_export.graphs.builder import GraphBuilder


@dataclass(frozen=True)
class BlockOutputs:
    """What a forward graph gave of a block, by tensor name.

    Attributes:
        layers: Outputs of its convolutions.
        block: Its own output, which the next block and its layer to colour read.
    """

    layers: tuple[str, ...]
    block: str


def declare_outputs(
    graph: GraphBuilder,
    block: SynthesisBlock,
    window: Window | None = None,
    *,
    last: str | None = None,
    read: bool = True,
) -> BlockOutputs:
    """Declare as inputs what a forward graph gave of a block.

    Args:
        graph: Where they go.
        block: The block.
        window: The windows that it was computed in.
        last: The name of its output where that is the graph's result.
        read: Whether the block's own output is wanted.
    """
    names, name = output_names(block, last)
    for layer, layer_name in zip(block.layers, names, strict=True):
        graph.input(layer_name, map_shape(layer, window))
    if block.skip and read:
        graph.input(name, map_shape(block.layers[-1], window))
    return BlockOutputs(tuple(names), name)


def block_backward(
    graph: GraphBuilder,
    block: SynthesisBlock,
    *,
    x: str,
    outputs: BlockOutputs,
    w_plus: str,
    grad: str,
    trainable_layers: int,
    add_grad_w: Callable[[int, str], None],
    window: Window | None = None,
    cut: int | None = None,
) -> str | None:
    """From the gradient at a block's output to dL/dx, and to dL/dw [N, 1, w_dim] of its layers.

    Args:
        graph: Where the nodes go.
        block: The block; the first one's input is constant and gets no gradient.
        x: Its input.
        outputs: What the forward graph gave of it.
        w_plus: The latent.
        grad: The gradient at its output.
        trainable_layers: For how many of the first w's a gradient is wanted.
        add_grad_w: Takes the index of a w and a gradient for it.
        window: The windows that its output is.
        cut: The block in which windows begin: it has the whole map as input.
    """
    grad_block = grad
    for number, layer in reversed(list(enumerate(block.layers))):
        layer_input = outputs.layers[number - 1] if number else x
        step = layer_backward(
            graph,
            layer,
            x=layer_input if layer.style.w_index < trainable_layers else None,
            y=outputs.layers[number],
            w_plus=w_plus,
            grad=grad,
            window=window,
            cut=cut,
        )
        if step.grad_w:
            add_grad_w(layer.style.w_index, step.grad_w)
        if not layer.index:
            return None
        grad = step.grad_input(graph, layer)
    if block.skip:
        cuts = block.resolution == cut
        around = skip_backward(graph, block.skip, grad_block, window, cuts=cuts)
        grad = graph.op("Add", grad, around)
    return grad
