"""The synthesis blocks, backward: the gradient runs through their layers and around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dragonnx_export.families.stylegan2.backward import layer_backward, skip_backward
from dragonnx_export.families.stylegan2.features import output_names
from dragonnx_export.families.stylegan2.layers import SynthesisBlock, SynthesisLayer
from dragonnx_export.families.stylegan2.modulation import Modulation
from dragonnx_export.families.stylegan2.slopes import Slopes, followers_of
from dragonnx_export.families.stylegan2.style_gradient import StyleGradients
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


@dataclass(frozen=True)
class Gradient:
    """The gradient at a layer's output, or at the graph's result.

    Attributes:
        grad: A map; where a layer alone reads that output, the gradient at its modulated input.
        follower: That layer, whose style the map still lacks.
        direct: The sum over the map of the gradient times the output, where it is known.
    """

    grad: str
    follower: SynthesisLayer | None = None
    direct: str | None = None


class Backward:
    """Takes a gradient backward through blocks, and collects what the gradient of w_plus takes.

    Args:
        graph: Where the nodes go.
        blocks: All blocks of the graph, from the first.
        modulation: What modulated their layers.
        trainable_layers: For how many of the first w's a gradient is wanted.
        coloured: Whether colours are read from the blocks.
        cut: The block in which windows begin, if any.
    """

    def __init__(
        self,
        graph: GraphBuilder,
        blocks: Sequence[SynthesisBlock],
        modulation: Modulation,
        trainable_layers: int,
        *,
        coloured: bool = False,
        cut: int | None = None,
    ) -> None:
        self._graph, self._modulation, self._cut = graph, modulation, cut
        self._trainable_layers = trainable_layers
        self._layers = [layer for block in blocks for layer in block.layers]
        self._followers = followers_of(blocks, coloured=coloured)
        self._slopes = Slopes(graph, modulation, self._followers)
        self.styles = StyleGradients(graph, modulation, self._slopes)

    def whole(self, gradient: Gradient) -> str:
        """A gradient with everything it lacks."""
        if gradient.follower is None:
            return gradient.grad
        return self._graph.op("Mul", gradient.grad, self._modulation.style(gradient.follower))

    def through_block(
        self,
        block: SynthesisBlock,
        gradient: Gradient,
        *,
        x: str,
        outputs: BlockOutputs,
        window: Window | None = None,
    ) -> Gradient | None:
        """From the gradient at a block's output to that at its input; None for the first block's.

        Args:
            block: The block.
            gradient: The gradient at its output.
            x: Its input, constant for the first one.
            outputs: What the forward graph gave of it.
            window: The windows that its output is.
        """
        if self._followers[block.layers[-1].index] is None:
            gradient = Gradient(self.whole(gradient))
        at_output = gradient.grad
        for number, layer in reversed(list(enumerate(block.layers))):
            layer_input = outputs.layers[number - 1] if number else x
            step = layer_backward(
                self._graph,
                layer,
                x=layer_input if self._wants_direct(layer) else None,
                y=outputs.layers[number],
                grad=gradient.grad,
                slopes=self._slopes,
                dot=gradient.direct,
                trainable=self._is_trainable(layer),
                window=window,
                cut=self._cut,
            )
            if step.sums:
                self.styles.add(layer, step.sums)
            gradient = Gradient(step.grad_modulated, layer, step.direct)
        if not block.layers[0].index:
            return None
        if block.skip:
            cuts = block.resolution == self._cut
            around = skip_backward(self._graph, block.skip, at_output, window, cuts=cuts)
            return Gradient(self._graph.op("Add", self.whole(gradient), around))
        return gradient

    def _is_trainable(self, layer: SynthesisLayer) -> bool:
        return layer.style.w_index < self._trainable_layers

    def _wants_direct(self, layer: SynthesisLayer) -> bool:
        """Whether its own style's gradient, or that of the layer that it follows, takes the sum."""
        if self._is_trainable(layer):
            return True
        before = self._layers[layer.index - 1]
        follows = self._followers[before.index] is layer and before.clamp is None
        return follows and self._is_trainable(before)
