"""Styles and demodulations of all layers of a graph, a few nodes for each shape of layer.

On a GPU each node is a kernel launch, which costs more than the arithmetic of a whole group. What a
forward graph made of them its pullback takes as inputs, packed by groups as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from dragonnx_export.families.stylegan2.layer_groups import ColourGroup, LayerGroup
from dragonnx_export.families.stylegan2.layers import RgbLayer, SynthesisLayer
from dragonnx_export.families.stylegan2.synthesis import SynthesisLayers
from dragonnx_export.graphs.builder import GraphBuilder
from dragonnx_export.graphs.packed import Packed

Styles = tuple[ColourGroup, Packed]
"""Layers to colour with their styles, [L, inputs, 1, 1]."""


@dataclass(frozen=True)
class GroupModulation:
    """What modulates the L layers of a group.

    Attributes:
        group: The layers.
        styles: [L, inputs, 1, 1].
        demodulations: What brings each output channel back to unit variance, and the layer's gain,
            [L, outputs, 1, 1].
        counterbiases: What the demodulations turn into the biases, [L * outputs]; None where no
            window takes them.
    """

    group: LayerGroup
    styles: Packed
    demodulations: Packed
    counterbiases: Packed | None = None


class Modulation:
    """What modulates each layer of a graph, by tensor name.

    Args:
        groups: The convolutions.
        colours: The layers to colour.
    """

    def __init__(self, groups: Sequence[GroupModulation], colours: Sequence[Styles] = ()) -> None:
        self.groups, self.colours = tuple(groups), tuple(colours)

    @classmethod
    def computed(
        cls,
        graph: GraphBuilder,
        network: SynthesisLayers,
        resolution: int,
        *,
        colours: bool = False,
        cut: int | None = None,
    ) -> Self:
        """That of the blocks up to a resolution, from the input w_plus [1, num_ws, w_dim].

        Args:
            graph: Where the nodes go.
            network: The network.
            resolution: Of the last block.
            colours: Whether colours are wanted.
            cut: The block in which windows begin, if any.
        """
        a = network.architecture
        w_plus = graph.input("w_plus", [1, a.num_ws, a.w_dim])
        columns = graph.reshape(w_plus, (a.num_ws, a.w_dim, 1))
        return cls(
            [_computed(graph, group, columns, cut) for group in network.groups(resolution)],
            [
                (group, _as_maps(graph, group, _styles(graph, group, columns)))
                for group in (network.colour_groups(resolution) if colours else ())
            ],
        )

    @classmethod
    def declared(
        cls,
        graph: GraphBuilder,
        network: SynthesisLayers,
        resolution: int,
        *,
        colours: bool = False,
    ) -> Self:
        """What `give_out` gave in a forward graph, as inputs."""

        def declare(name: str, shape: Sequence[int]) -> Packed:
            return Packed(graph, graph.input(name, shape), shape[0])

        return cls(
            [
                GroupModulation(
                    group,
                    declare(*_styles_declaration(group)),
                    declare(*_demodulations_declaration(group)),
                )
                for group in network.groups(resolution)
            ],
            [
                (group, declare(*_styles_declaration(group)))
                for group in (network.colour_groups(resolution) if colours else ())
            ],
        )

    def give_out(self, graph: GraphBuilder) -> None:
        """Make them outputs, for the pullback."""
        for each in self.groups:
            name, shape = _styles_declaration(each.group)
            graph.output(name, each.styles.tensor, shape)
            name, shape = _demodulations_declaration(each.group)
            graph.output(name, each.demodulations.tensor, shape)
        for group, styles in self.colours:
            name, shape = _styles_declaration(group)
            graph.output(name, styles.tensor, shape)

    def style(self, layer: SynthesisLayer) -> str:
        """The style of a convolution, [1, inputs, 1, 1]."""
        found, position = self._place(layer)
        return found.styles.part(position)

    def demodulation(self, layer: SynthesisLayer) -> str:
        """Its demodulation and gain, [1, outputs, 1, 1]."""
        found, position = self._place(layer)
        return found.demodulations.part(position)

    def counterbias(self, layer: SynthesisLayer) -> str:
        """What its demodulation turns into its bias, [outputs]."""
        found, position = self._place(layer)
        assert found.counterbiases, "only windows take a bias before its demodulation"  # noqa: S101
        return found.counterbiases.part(position)

    def colour_style(self, layer: RgbLayer) -> str:
        """The style of a layer to colour, [1, inputs, 1, 1]."""
        ((group, styles),) = (each for each in self.colours if layer in each[0].layers)
        return styles.part(group.layers.index(layer))

    def _place(self, layer: SynthesisLayer) -> tuple[GroupModulation, int]:
        (found,) = (each for each in self.groups if layer in each.group.layers)
        return found, found.group.layers.index(layer)


def _computed(
    graph: GraphBuilder, group: LayerGroup, columns: str, cut: int | None
) -> GroupModulation:
    count = len(group.layers)
    styles = _styles(graph, group, columns)
    squared = graph.op("Mul", styles, styles)
    energy = graph.op("MatMul", graph.constant(group.squares), squared)
    norms = graph.op("Sqrt", graph.op("Add", energy, graph.constant(group.epsilon)))
    demodulations = graph.op("Reciprocal", norms)
    counterbiases = None
    if cut and any(layer.upsamples and layer.resolution >= cut for layer in group.layers):
        biases = graph.op("Mul", norms, graph.constant(group.bias))
        counterbiases = Packed(graph, graph.reshape(biases, (-1,)), count)
    maps = graph.reshape(demodulations, (count, group.outputs, 1, 1))
    return GroupModulation(
        group, _as_maps(graph, group, styles), Packed(graph, maps, count), counterbiases
    )


def _styles(graph: GraphBuilder, group: LayerGroup | ColourGroup, columns: str) -> str:
    """The styles [L, inputs, 1] of a group, from the w's as columns [num_ws, w_dim, 1]."""
    indices = np.array([layer.style.w_index for layer in group.layers], np.int64)
    chosen = graph.op("Gather", columns, graph.constant(indices), axis=0)
    styles = graph.op("MatMul", graph.constant(group.affine), chosen)
    return graph.op("Add", styles, graph.constant(group.affine_bias))


def _as_maps(graph: GraphBuilder, group: LayerGroup | ColourGroup, styles: str) -> Packed:
    count = len(group.layers)
    return Packed(graph, graph.reshape(styles, (count, group.inputs, 1, 1)), count)


def _styles_declaration(group: LayerGroup | ColourGroup) -> tuple[str, list[int]]:
    return f"styles_{group.name}", [len(group.layers), group.inputs, 1, 1]


def _demodulations_declaration(group: LayerGroup) -> tuple[str, list[int]]:
    return f"demodulations_{group.name}", [len(group.layers), group.outputs, 1, 1]
