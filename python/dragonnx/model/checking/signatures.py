"""What each graph of a bundle takes and gives, by its role and by what the manifest says of the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dragonnx.model.checking.expected import ExpectedGraph, Given
from dragonnx.model.checking.graph import Declared, Free
from dragonnx.model.checking.schema import FLOAT, INT64, UINT8
from dragonnx.model.facts import GraphRole, LayerWindowFacts, WindowFacts
from dragonnx.model.manifest import Manifest

_SEVERAL = Free(2)
"""Of latents, or of windows, of which there may be any number. One would look like what is shared by all."""
_COLOURS = (1, 3)


def check_graphs(folder: Path, manifest: Manifest, read: Callable[[str], bytes]) -> None:
    """Refuse a bundle of which a graph is not what the manifest says.

    Graphs of roles that this dragonnx does not know are not read: it never runs them.

    Args:
        folder: The bundle's, for messages.
        manifest: The bundle's.
        read: Gives the content of a graph's file by its name.

    Raises:
        BundleError: A graph is something else.
    """
    bundle = _Bundle(folder, manifest, files_of_weights(manifest), read)
    bundle.check_mapping()
    image = bundle.check_image("image", manifest.image_size)
    if manifest.graph("image_pullback"):
        bundle.check_image_passes("image_layers", "image_pullback", image)
    if manifest.has_preview:
        preview = bundle.check_image("preview", None)
        bundle.check_image_passes("preview_layers", "preview_pullback", preview)
    if manifest.graph("transform"):
        bundle.check_transform()
    for cut in (None, *manifest.cuts):
        bundle.check_features(cut)


def files_of_weights(manifest: Manifest) -> dict[str, int]:
    """The size of each file in which weights of graphs may lie, by name."""
    graphs = {graph.file for graph in manifest.graphs}
    return {name: record.size for name, record in manifest.files.items() if name not in graphs}


def latent(manifest: Manifest) -> Given:
    """What a graph takes that starts from a latent."""
    return {"w_plus": Declared(FLOAT, (1, manifest.num_ws, manifest.w_dim))}


@dataclass(frozen=True)
class _Bundle:
    """A bundle whose graphs are checked one by one.

    Attributes:
        folder: Its folder.
        manifest: Its manifest.
        files: The size of each file in which weights may lie.
        read: Gives the content of a graph's file.
    """

    folder: Path
    manifest: Manifest
    files: Mapping[str, int]
    read: Callable[[str], bytes]

    def check_mapping(self) -> None:
        m = self.manifest
        given = {"z": Declared(FLOAT, (_SEVERAL, m.z_dim))}
        if m.label_dim:
            given["label"] = Declared(FLOAT, (_SEVERAL, m.label_dim))
        graph = self._graph("mapping", None, given)
        graph.needs(*given)
        graph.gives("w", (_SEVERAL, m.w_dim))
        graph.gives_nothing_else()

    def check_image(self, role: GraphRole, size: tuple[int, int] | None) -> Declared:
        """The image that a graph gives; of a smaller size than the model's where none is said."""
        m = self.manifest
        graph = self._graph(role, None, latent(self.manifest))
        graph.needs("w_plus")
        found = graph.shape("image", axes=4)
        colours = found[1] if found[1] in _COLOURS else _COLOURS[-1]
        height, width = size or map(min, found[2:], m.image_size)
        image = graph.gives("image", (1, colours, height, width))
        if "pixels" in graph.outputs:
            graph.gives("pixels", (1, height, width, colours), UINT8)
        graph.gives_nothing_else()
        return image

    def check_image_passes(self, layers: GraphRole, pullback: GraphRole, image: Declared) -> None:
        """Check a forward graph for an image, and its pullback."""
        m = self.manifest
        forward = self._graph(layers, None, latent(self.manifest))
        forward.needs("w_plus")
        forward.gives("image", image.axes)
        count = m.num_ws
        back = self._graph(pullback, None, forward.kept("image"))
        if pullback == "preview_pullback":  # what is small depends on the first w's alone
            count = min(count, back.shape("grad_w_plus", axes=3)[1])
        self._check_gradient(back, "grad_image", count)

    def check_transform(self) -> None:
        given = {**latent(self.manifest), "motion": Declared(FLOAT, (1, 4))}
        graph = self._graph("transform", None, given)
        graph.needs(*given)
        graph.gives("moved_w_plus", given["w_plus"].axes)
        graph.gives_nothing_else()

    def check_features(self, cut: int | None) -> None:
        """Check the graphs of the feature map, whole or in windows, and its pullback."""
        m = self.manifest
        windows: Given = {}
        if cut is not None and m.windows is not None:
            windows = (
                _layer_windows(m.windows, cut)
                if isinstance(m.windows, LayerWindowFacts)
                else _windows(m.windows, m.feature_map.size, cut)
            )
        forward = self._graph("features", cut, {**latent(self.manifest), **windows})
        forward.needs("w_plus")
        count = _SEVERAL if windows else 1
        forward.gives("features", (count, m.feature_map.channels, *m.feature_map.size))
        back = self._graph("pullback", cut, forward.kept("features"))
        self._check_gradient(back, "grad_features", m.trainable_layers)

    def _check_gradient(self, pullback: ExpectedGraph, needed: str, count: int) -> None:
        pullback.needs(needed)
        pullback.gives("grad_w_plus", (1, count, self.manifest.w_dim))
        pullback.gives_nothing_else()

    def _graph(self, role: GraphRole, cut: int | None, given: Given) -> ExpectedGraph:
        m = self.manifest
        record = m.graph(role, cut)
        assert record is not None, "the manifest says so"  # noqa: S101
        height, width = m.image_size
        content = self.read(record.file)
        name = f"{record.file} of the bundle {self.folder}"
        return ExpectedGraph(name, content, self.files, given, height * width)


def _windows(facts: WindowFacts, map_size: tuple[int, int], cut: int) -> Given:
    """What `plan_windows` gives for windows as large as the maps, of which all axes are free."""
    given = {}
    for block in facts.blocks:
        if block < cut:
            continue
        rows, columns = (length * block // facts.blocks[-1] for length in map_size)
        shapes = {
            # One more row on each side; read are twice those of the block before, and two.
            "row_taps": (FLOAT, (1, rows + 2, rows + 2)),
            "column_taps": (FLOAT, (1, columns + 2, columns + 2)),
            "cells": (INT64, (1, rows + 2, columns + 2)),
            "inner_cells": (INT64, (1, rows, columns)),
            # As graphs of dragonnx 0.1 take them.
            "rows": (INT64, (rows + 2,)),
            "columns": (INT64, (columns + 2,)),
            "row_filter": (FLOAT, (1, rows + 2, rows + 1)),
            "column_filter": (FLOAT, (1, columns + 2, columns + 1)),
        }
        for kind, (element, shape) in shapes.items():
            free = (axis if axis == 1 else Free(axis) for axis in shape)
            given[f"{kind}_{block}"] = Declared(element, (_SEVERAL, *free))
    return given


def _layer_windows(facts: LayerWindowFacts, cut: int) -> Given:
    """The same for layers in place of blocks."""
    given = {}
    for number, layer in enumerate(facts.layers):
        if number < cut:
            continue
        later = facts.layers[number + 1] if number + 1 < len(facts.layers) else None
        # With the zeros that the next layer's convolution reads beyond the map.
        side = later.convolved + later.kernel - 1 if later else layer.size
        matrices = {"raise": (layer.raised, layer.convolved)}
        if layer.down_taps:
            matrices["lower"] = (side, layer.raised)
        for way, (rows, columns) in matrices.items():
            for kind, shape in (("rows", (rows, columns)), ("columns", (columns, rows))):
                first, second = map(Free, shape)
                axes = (_SEVERAL, 1, first, second)
                given[f"{way}_{kind}_{number}"] = Declared(FLOAT, axes)
    return given
