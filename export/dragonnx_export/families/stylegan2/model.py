"""A StyleGAN2 checkpoint as a bundle holds it: its facts, its graphs, its network in torch."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from dragonnx.errors import InputError
from dragonnx.model.facts import FeatureMap, WindowFacts
from dragonnx_export.families.channels import require_shown
from dragonnx_export.families.family import ModelFacts, ModelGraph
from dragonnx_export.families.mapping import mapping_graph
from dragonnx_export.families.stylegan2.architecture import Architecture
from dragonnx_export.families.stylegan2.checkpoint import Checkpoint
from dragonnx_export.families.stylegan2.features import features_graph
from dragonnx_export.families.stylegan2.image import (
    image_graph,
    image_layers_graph,
    preview_resolution,
)
from dragonnx_export.families.stylegan2.image_pullback import image_pullback_graph
from dragonnx_export.families.stylegan2.networks import Generator
from dragonnx_export.families.stylegan2.pullback import pullback_graph
from dragonnx_export.families.stylegan2.reference import TorchNetwork
from dragonnx_export.families.stylegan2.synthesis import SynthesisLayers
from dragonnx_export.graphs.weight_file import WeightFile

_USUAL_SIDE = 128
"""The released DragGAN drags the output of the sixth block, 128x128, of models of 256 px and more."""
_SMALL = 256
_LEAST_SIDE = 32
"""Of smaller pictures the block of a quarter of their side is followed best (docs/quality.md), as that of
128 in pictures of 512 px; before a coarser one there are fewer layers than the paper trains."""

_SMALLEST_CUT = 128
"""Cells of a map: a window there has some 8 x 8, and is no gain where it is most of the map."""


class StyleGAN2Model:
    """A `FamilyModel`.

    Args:
        checkpoint: The generator.
        feature_resolution: Of the block whose output is dragged; None is the one whose size is
            nearest to 128x128, of pictures below 256x256 nearest to a quarter of their side, but to
            32x32 at least.
        trainable_layers: For how many of the first w's the pullback gives a gradient, where as many
            come before the feature map.

    Raises:
        InputError: There is no such block, or the image has more channels than a picture.
    """

    def __init__(
        self, checkpoint: Checkpoint, feature_resolution: int | None, trainable_layers: int
    ) -> None:
        a = checkpoint.architecture
        require_shown(a)
        self._checkpoint = checkpoint
        self._resolution = _feature_resolution(a, feature_resolution)
        self._cuts = _cuts(a, self._resolution)
        channels = {
            block: count for block, count in a.channels.items() if block <= self._resolution
        }
        windows = WindowFacts(
            cuts=self._cuts, channels=tuple(channels.values()), resample_filter=a.resample_filter
        )
        size = a.block_size(self._resolution)
        self.facts = ModelFacts(
            family=checkpoint.family,
            image_size=a.image_size,
            feature_map=FeatureMap.over(a.image_size, size, channels[self._resolution]),
            windows=windows if self._cuts else None,
            z_dim=a.z_dim,
            w_dim=a.w_dim,
            num_ws=a.num_ws,
            label_dim=a.label_dim,
            trainable_layers=min(trainable_layers, a.layers_up_to(self._resolution)),
        )

    @property
    def w_avg(self) -> NDArray[np.float32]:
        """The mean of w, [w_dim]."""
        return self._checkpoint.weights["mapping.w_avg"]

    def graphs(self, weights: WeightFile) -> Iterator[ModelGraph]:
        """Every graph; a preview where coarser blocks have colours, windows where they are worth it."""
        yield ModelGraph("mapping", mapping_graph(self._checkpoint, weights))
        layers = SynthesisLayers.of(self._checkpoint)
        yield ModelGraph("image", image_graph(layers, weights))
        yield ModelGraph("image_layers", image_layers_graph(layers, weights))
        yield ModelGraph("image_pullback", image_pullback_graph(layers, weights))
        if preview := preview_resolution(self._checkpoint.architecture):
            yield ModelGraph("preview", image_graph(layers, weights, preview))
            yield ModelGraph("preview_layers", image_layers_graph(layers, weights, preview))
            yield ModelGraph("preview_pullback", image_pullback_graph(layers, weights, preview))
        count = self.facts.trainable_layers
        for cut in (None, *self._cuts):
            yield ModelGraph(
                "features", features_graph(layers, weights, self._resolution, cut), cut
            )
            pullback = pullback_graph(layers, weights, self._resolution, count, cut)
            yield ModelGraph("pullback", pullback, cut)

    def network(self) -> TorchNetwork:
        """The network in torch, with which the graphs are compared."""
        generator = Generator.from_checkpoint(self._checkpoint)
        return TorchNetwork(generator, self._resolution, self.facts.trainable_layers)


def _cuts(architecture: Architecture, feature_resolution: int) -> tuple[int, ...]:
    """The blocks from which on windows are worth having: in a coarser one they are the map."""
    return tuple(
        block
        for block in architecture.block_resolutions[1:]
        if block < feature_resolution and math.prod(architecture.block_size(block)) >= _SMALLEST_CUT
    )


def _default_side(architecture: Architecture) -> float:
    """Of a square with as many cells as the map that is dragged where none is asked for."""
    side = math.sqrt(math.prod(architecture.image_size))
    return max(side / 4, _LEAST_SIDE) if side < _SMALL else _USUAL_SIDE


def _feature_resolution(architecture: Architecture, asked: int | None) -> int:
    blocks = architecture.block_resolutions
    if asked is None:
        return architecture.block_of_area(_default_side(architecture), blocks) or blocks[0]
    if asked not in blocks:
        listed = ", ".join(map(str, blocks))
        raise InputError(f"the feature resolution must be one of {listed}, not {asked}")
    return asked
