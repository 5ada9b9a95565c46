"""The manifest of a model bundle: the contract between the exporter and the runtime.

The exporter writes it, the runtime reads it; this module and its parts in `facts` are its one schema.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import get_args

from dragonnx.errors import BundleError, InputError
from dragonnx.model import decoding, manifest_v1
from dragonnx.model.facts import (
    LARGEST_GRAPH,
    LARGEST_RAISED,
    MANIFEST_NAME,
    OPTIONAL_ROLES,
    REQUIRED_ROLES,
    WINDOWED_ROLES,
    FeatureMap,
    FileRecord,
    GraphRecord,
    GraphRole,
    LayerWindowFacts,
    ParityRecord,
    Source,
    WindowFacts,
    graph_name,
)
from dragonnx.reading.values import entry

FORMAT_VERSION = 2
W_AVG_NAME = "w_avg.npy"
TRACKING_NAME = "tracking.npy"
"""What point tracking compares, float32 [K, C, s, s]; a bundle may lack it. See `dragonnx.drag.descriptor`."""
LARGEST_DESCRIPTION = 256
"""Numbers that describe a cell: K at most."""
WIDEST_KERNEL = 9
"""Cells along a side that are read for one: s at most."""
_LARGEST_HEADER = 4096
"""Bytes before the values in a file of NumPy's format."""
DEFAULT_MODEL = "critters"
"""The bundle that ships inside the package."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The facts of a bundle. Sizes are (height, width).

    Attributes:
        name: A short name for users.
        family: Of generators: "stylegan2" or "stylegan3".
        image_size: Of the generated image, in pixels.
        feature_map: What is dragged.
        windows: What computing parts of the feature map takes; None where the graphs cannot.
        graphs: By their roles, in any order.
        z_dim: Length of z.
        w_dim: Length of w.
        num_ws: How many w's a w_plus has.
        label_dim: Number of classes, 0 for none.
        trainable_layers: For how many of the first w's the pullback gives a gradient.
        truncation_psi: The truncation that suits the model when the user names none.
        drag_settings: `DragConfig` values that suit the model, used where the user names none; as
            PRESET.NAME those for one preset alone.
        files: Every other file of the bundle.
        source: Where the weights came from.
        versions: The exporter and the libraries that made and checked the graphs.
        parity: The graphs' measured distances from torch.
        format_version: Of this schema.
    """

    name: str
    family: str
    image_size: tuple[int, int]
    feature_map: FeatureMap
    windows: WindowFacts | LayerWindowFacts | None
    graphs: tuple[GraphRecord, ...]
    z_dim: int
    w_dim: int
    num_ws: int
    label_dim: int
    trainable_layers: int
    truncation_psi: float
    drag_settings: Mapping[str, float]
    files: Mapping[str, FileRecord]
    source: Source
    versions: Mapping[str, str]
    parity: tuple[ParityRecord, ...] = field(default=())
    format_version: int = FORMAT_VERSION

    @property
    def cuts(self) -> tuple[int, ...]:
        """Blocks or layers from which on windows can be computed; empty for none."""
        return self.windows.cuts if self.windows else ()

    @property
    def has_preview(self) -> bool:
        """Whether there are graphs for a smaller image."""
        return self.graph("preview") is not None

    def graph(self, role: GraphRole, cut: int | None = None) -> GraphRecord | None:
        """The graph of a role, or None where the model has none.

        Args:
            role: What it is run for.
            cut: For windows, where they begin.
        """
        found = (g for g in self.graphs if g.role == role and g.cut == cut)
        return next(found, None)

    def check_transform(self) -> None:
        """Refuse a model that cannot turn and move what it shows.

        Raises:
            InputError: It is one.
        """
        if self.graph("transform") is None:
            raise InputError(
                f"the model {self.name} cannot turn and move what it shows: take one of StyleGAN3, "
                "exported by this dragonnx"
            )

    @property
    def runnable(self) -> tuple[GraphRecord, ...]:
        """The graphs that this dragonnx may run; those of other roles are for a newer one."""
        whole = (self.graph(role) for role in get_args(GraphRole))
        windowed = (self.graph(role, cut) for cut in self.cuts for role in WINDOWED_ROLES)
        return tuple(filter(None, (*whole, *windowed)))

    def to_json(self) -> str:
        """The text of manifest.json: sorted, so that equal manifests are equal bytes."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, content: str | bytes) -> Manifest:
        """Read what `to_json` wrote, or what it wrote in version 1.

        Raises:
            BundleError: The text is no manifest, of another version, or not consistent.
        """
        facts = decoding.manifest_facts(content)
        try:
            version = entry(facts, "format_version")
            if version == manifest_v1.VERSION:
                facts = manifest_v1.upgraded(facts)
            else:
                decoding.require_version(version, FORMAT_VERSION)
            manifest = cls(**decoding.decode(facts, decoding.MODEL_DECODERS, "parity"))
        except InputError as error:
            raise decoding.unreadable(error) from error
        manifest._check()
        return manifest

    def _check(self) -> None:
        """Refuse values that contradict each other."""
        if self.trainable_layers > self.num_ws:
            raise BundleError(
                f"{MANIFEST_NAME} says that {self.trainable_layers} of {self.num_ws} w's are "
                "trainable, which is more than there are"
            )
        if isinstance(self.windows, LayerWindowFacts):
            self._check_layers(self.windows)
        elif self.windows:
            self._check_windows(self.windows)
        self._check_graphs()
        decoding.require_plain_names(self.files)
        self._check_sizes()

    def _check_sizes(self) -> None:
        """Refuse files that are larger than what they are to hold."""
        decoding.require_bounded(self.files)
        largest = {graph.file: LARGEST_GRAPH for graph in self.runnable}
        largest[W_AVG_NAME] = 4 * self.w_dim + _LARGEST_HEADER
        if TRACKING_NAME in self.files:
            numbers = LARGEST_DESCRIPTION * self.feature_map.channels * WIDEST_KERNEL**2
            largest[TRACKING_NAME] = 4 * numbers + _LARGEST_HEADER
        for name, most in largest.items():
            if self.files[name].size > most:
                raise BundleError(
                    f"{MANIFEST_NAME} lists {name} with {self.files[name].size} bytes, and it can "
                    f"have at most {most}"
                )

    def _check_windows(self, windows: WindowFacts) -> None:
        """Refuse blocks of which the last is not the feature map, and cuts that are no blocks."""
        given = self.feature_map
        # Each block is twice as large as the one before.
        times = 2 ** (len(windows.channels) - 1) if windows.channels else 0
        whole = times and not any(side % times for side in given.size)
        if not whole or windows.channels[-1] != given.channels:
            raise BundleError(
                f"{MANIFEST_NAME} lists blocks of which the last is not the feature map"
            )
        if len(set(windows.cuts)) < len(windows.cuts) or not set(windows.cuts) <= set(
            windows.blocks[1:]
        ):
            raise BundleError(f"{MANIFEST_NAME} holds a cut that is no block, or holds it twice")

    def _check_layers(self, windows: LayerWindowFacts) -> None:
        """Refuse layers of which the last is not the feature map, or one does not fit the one before."""
        given, layers = self.feature_map, windows.layers
        if (
            not layers
            or given.size != (layers[-1].size,) * 2
            or layers[-1].channels != given.channels
        ):
            raise BundleError(
                f"{MANIFEST_NAME} lists layers of which the last is not the feature map"
            )
        for before, layer in pairwise(layers):
            read = layer.convolved - layer.kernel + 1
            if (before.channels, before.size) != (layer.inputs, read):
                raise BundleError(f"{MANIFEST_NAME} lists layers that do not fit each other")
        if (
            max(side for layer in layers for side in (layer.raised, layer.convolved))
            > LARGEST_RAISED
        ):
            raise BundleError(
                f"{MANIFEST_NAME} lists a layer whose activation has more than {LARGEST_RAISED} cells a side"
            )
        cuts = windows.cuts
        if len(set(cuts)) < len(cuts) or not set(cuts) <= set(range(1, len(layers))):
            raise BundleError(f"{MANIFEST_NAME} holds a cut that is no layer, or holds it twice")

    def _check_graphs(self) -> None:
        """Refuse a list of graphs that lacks one, or has one twice or without its file."""
        known = Counter(g.name for g in self.graphs if g.role in get_args(GraphRole))
        if twice := sorted(name for name, count in known.items() if count > 1):
            raise BundleError(f"{MANIFEST_NAME} lists the graph {', '.join(twice)} twice")
        if missing := sorted(set(self._needed_graphs()) - set(known)):
            raise BundleError(
                f"{MANIFEST_NAME} lists no graph {', '.join(missing)}: export the model again"
            )
        expected = {*(graph.file for graph in self.graphs), W_AVG_NAME}
        if missing := sorted(expected - set(self.files)):
            raise BundleError(
                f"{MANIFEST_NAME} does not list {', '.join(missing)}: export the model again"
            )

    def _needed_graphs(self) -> Iterator[str]:
        """Names of the graphs without which the others, or the facts of windows, are of no use."""
        yield from REQUIRED_ROLES
        for group in OPTIONAL_ROLES:
            if any(self.graph(role) for role in group):
                yield from group
        for cut in self.cuts:
            yield from (graph_name(role, cut) for role in WINDOWED_ROLES)
