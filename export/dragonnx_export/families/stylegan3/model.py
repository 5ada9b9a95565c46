"""A StyleGAN3 checkpoint as a bundle holds it: its facts, its graphs, its network in torch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from dragonnx.errors import InputError
from dragonnx.model.checking.expected import most_run_bytes
from dragonnx.model.checking.graph import Declared, check_graph
from dragonnx.model.checking.schema import FLOAT
from dragonnx.model.facts import FeatureMap
from dragonnx_export.families.channels import require_shown
from dragonnx_export.families.family import ModelFacts, ModelGraph
from dragonnx_export.families.mapping import mapping_graph
from dragonnx_export.families.stylegan3.architecture import Architecture
from dragonnx_export.families.stylegan3.checkpoint import Checkpoint
from dragonnx_export.families.stylegan3.graphs import (
    features_graph,
    image_graph,
    image_layers_graph,
    image_pullback_graph,
    pullback_graph,
)
from dragonnx_export.families.stylegan3.layers import SynthesisLayers
from dragonnx_export.families.stylegan3.network import Generator
from dragonnx_export.families.stylegan3.reference import TorchNetwork
from dragonnx_export.families.stylegan3.transform import can_be_moved, transform_graph
from dragonnx_export.families.stylegan3.windows import window_facts
from dragonnx_export.graphs.weight_file import WeightFile


class StyleGAN3Model:
    """A `FamilyModel`. It has no preview: nothing coarse in it has colours.

    Nor has it graphs to invert with where these would take more memory than bundles may: config R at
    512 px, whose maps have twice the channels.

    Args:
        checkpoint: The generator.
        feature_layer: Whose output is dragged, counted from 0; None is the one in the middle, which
            in models of 256 px and more has about 128 cells across the image.
        trainable_layers: For how many of the first w's the pullback gives a gradient, where the
            feature map depends on as many.

    Raises:
        InputError: There is no such layer, or the image has more channels than a picture.
    """

    def __init__(
        self, checkpoint: Checkpoint, feature_layer: int | None, trainable_layers: int
    ) -> None:
        a = checkpoint.architecture
        require_shown(a)
        self._checkpoint = checkpoint
        self._layer = _feature_layer(a, feature_layer)
        self._layers = SynthesisLayers.of(checkpoint)
        windows = window_facts(self._layers, self._layer)
        self.facts = ModelFacts(
            family=checkpoint.family,
            image_size=(a.resolution, a.resolution),
            feature_map=feature_map(a, self._layer),
            windows=windows,
            z_dim=a.z_dim,
            w_dim=a.w_dim,
            num_ws=a.num_ws,
            label_dim=a.label_dim,
            trainable_layers=min(trainable_layers, self._layer + 2),
        )

    @property
    def w_avg(self) -> NDArray[np.float32]:
        """The mean of w, [w_dim]."""
        return self._checkpoint.weights["mapping.w_avg"]

    def graphs(self, weights: WeightFile) -> Iterator[ModelGraph]:
        """Every graph."""
        yield ModelGraph("mapping", mapping_graph(self._checkpoint, weights))
        layers = self._layers
        yield ModelGraph("image", image_graph(layers, weights))
        if can_be_moved(layers.first):
            yield ModelGraph("transform", transform_graph(layers, weights))
        if self._can_be_inverted(layers):
            yield ModelGraph("image_layers", image_layers_graph(layers, weights))
            yield ModelGraph("image_pullback", image_pullback_graph(layers, weights))
        rows, windows = self.facts.trainable_layers, self.facts.windows
        for cut in (None, *(windows.cuts if windows else ())):
            yield ModelGraph("features", features_graph(layers, weights, self._layer, cut), cut)
            pullback = pullback_graph(layers, weights, self._layer, rows, cut)
            yield ModelGraph("pullback", pullback, cut)

    def _can_be_inverted(self, layers: SynthesisLayers) -> bool:
        """Whether the way back through the image takes no more memory than a bundle's graph may."""
        scratch = WeightFile()  # nothing is written of it
        forward, back = (
            make(layers, scratch) for make in (image_layers_graph, image_pullback_graph)
        )
        height, width = self.facts.image_size
        kept = {value.name: value for value in (*forward.graph.input, *forward.graph.output)}
        given = {
            value.name: Declared(
                FLOAT, tuple(d.dim_value for d in value.type.tensor_type.shape.dim)
            )
            for value in (*kept.values(), *back.graph.input)
        }
        content, files = back.SerializeToString(), {scratch.name: scratch.size}
        return check_graph(content, files, given).run_bytes <= most_run_bytes(height * width)

    def network(self) -> TorchNetwork:
        """The network in torch, with which the graphs are compared."""
        generator = Generator.from_checkpoint(self._checkpoint)
        return TorchNetwork(generator, self._layers, self._layer, self.facts.trainable_layers)


def feature_map(architecture: Architecture, layer: int) -> FeatureMap:
    """Where the output of a layer lies on the image: its cells are those of its rate, and a margin.

    Cell 0 of the map without margin covers the image's first `resolution / rate` pixels.
    """
    facts = architecture.layers[layer]
    rate = architecture.resolution / facts.out_rate
    margin = (facts.out_size - facts.out_rate) / 2
    offset = (0.5 - margin) * rate - 0.5
    return FeatureMap(
        size=(facts.out_size, facts.out_size),
        channels=facts.outputs,
        offset=(offset, offset),
        rate=(rate, rate),
    )


def _feature_layer(architecture: Architecture, asked: int | None) -> int:
    last = len(architecture.layers) - 2  # the one after it gives colours
    if asked is None:
        # Measured with tracking (L1) where the input is moved by a known way, on T and R of 32 px: up to
        # this layer the mean error is at most 0.07 px above the best one's, 0.4 px with whole pixels to
        # choose from; after it, it grows to 0.15 px above. Of the layers up to it, it has the finest cells.
        return max((last - 1) // 2, 0)
    if not 0 <= asked <= last:
        raise InputError(f"the feature layer must be one of 0 to {last}, not {asked}")
    return asked
