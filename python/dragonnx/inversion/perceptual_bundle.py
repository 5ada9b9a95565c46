"""A perceptual network's folder: a manifest, two graphs and their weights.

`perceptual_features` takes an image [1, 3, h, w], about -1 to 1, and gives what
`perceptual_distance` takes beside another image, to give their distance and its gradient.
`dragonnx-export perceptual` writes such folders; this module is their one schema.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from dragonnx.errors import BundleError, InputError
from dragonnx.model.checking.expected import ExpectedGraph
from dragonnx.model.checking.graph import Declared, Free
from dragonnx.model.checking.schema import FLOAT
from dragonnx.model.decoding import (
    LARGEST_MANIFEST,
    SHARED_DECODERS,
    decode,
    manifest_facts,
    require_bounded,
    require_plain_names,
    require_version,
    unreadable,
)
from dragonnx.model.facts import LARGEST_GRAPH, MANIFEST_NAME, FileRecord, ParityRecord, Source
from dragonnx.model.folder_files import verified_files
from dragonnx.reading.regular_file import read_bytes
from dragonnx.reading.values import entry, text

FORMAT_VERSION = 1
KIND = "perceptual network"
FEATURES = "perceptual_features"
DISTANCE = "perceptual_distance"
"""Names of the graphs, which lie in NAME.onnx."""
_GRAPHS = (f"{FEATURES}.onnx", f"{DISTANCE}.onnx")
SMALLEST_IMAGE = 16
"""Pixels of the shorter side: VGG16's last compared layer halves the image four times."""
_CHECKED_WITH = (250, 254)
"""Pixels of an image for which the graphs are checked: halves of it are odd."""
_COLOURS = 3
_LONGEST = 255
"""Characters of a text."""


@dataclass(frozen=True, kw_only=True)
class PerceptualManifest:
    """The facts of a perceptual network.

    Attributes:
        name: What a distance of it may be called: "LPIPS (VGG16)" or "VGG16 feature distance".
        files: Every other file of the folder.
        source: Where the network's weights came from.
        heads_sha256: Of the file of LPIPS's heads; empty where there was none.
        versions: The exporter and the libraries that made and checked the graphs.
        parity: The graphs' measured distances from torch.
        kind: Tells it from a model's manifest.
        format_version: Of this schema.
    """

    name: str
    files: Mapping[str, FileRecord]
    source: Source
    heads_sha256: str
    versions: Mapping[str, str]
    parity: tuple[ParityRecord, ...]
    kind: str = KIND
    format_version: int = FORMAT_VERSION

    def to_json(self) -> str:
        """The text of manifest.json: sorted, so that equal manifests are equal bytes."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, content: str | bytes) -> PerceptualManifest:
        """Read what `to_json` wrote.

        Raises:
            BundleError: The text is no such manifest, or of another version.
        """
        facts = manifest_facts(content)
        if facts.get("kind") != KIND:
            raise BundleError(
                "it is no perceptual network: make one with dragonnx-export perceptual"
            )
        try:
            require_version(entry(facts, "format_version"), FORMAT_VERSION)
            manifest = cls(**decode(facts, _DECODERS))
        except InputError as error:
            raise unreadable(error) from error
        if missing := sorted(set(_GRAPHS) - set(manifest.files)):
            raise BundleError(f"{MANIFEST_NAME} does not list {', '.join(missing)}")
        if any(manifest.files[graph].size > LARGEST_GRAPH for graph in _GRAPHS):
            raise BundleError(f"{MANIFEST_NAME} lists a graph of more than {LARGEST_GRAPH} bytes")
        require_plain_names(manifest.files)
        require_bounded(manifest.files)
        return manifest


_DECODERS = {
    **SHARED_DECODERS,
    "kind": lambda value, name: text(value, name, _LONGEST),
    "heads_sha256": lambda value, name: text(value, name, _LONGEST),
}


def open_perceptual(folder: Path) -> PerceptualManifest:
    """Read the manifest of a perceptual network, and verify every file and both graphs.

    Raises:
        BundleError: The folder is no perceptual network, a file is missing or altered, or a graph
            holds what no graph of dragonnx has.
    """
    try:
        content = read_bytes(folder / MANIFEST_NAME, LARGEST_MANIFEST)
    except InputError as error:
        raise BundleError(
            f"{folder} is no perceptual network: {error}; make one with dragonnx-export perceptual"
        ) from error
    try:
        manifest = PerceptualManifest.from_json(content)
    except BundleError as error:
        raise BundleError(f"the folder {folder} cannot be used: {error}") from error
    with verified_files(folder, manifest.files, _GRAPHS) as content_of:
        files = {
            name: record.size for name, record in manifest.files.items() if name not in _GRAPHS
        }
        _check_graphs(folder, files, content_of)
    return manifest


def _check_graphs(folder: Path, files: Mapping[str, int], read: Callable[[str], bytes]) -> None:
    """Refuse graphs that take and give something else than an image, its features, their distance."""
    height, width = map(Free, _CHECKED_WITH)
    image = Declared(FLOAT, (1, _COLOURS, height, width))

    def graph(file: str, given: Mapping[str, Declared]) -> ExpectedGraph:
        name = f"{file} of the network {folder}"
        return ExpectedGraph(name, read(file), files, given, height.length * width.length)

    features = graph(_GRAPHS[0], {"image": image})
    features.needs("image")
    features.keeps_apart("grad_image", "distance")
    distance = graph(_GRAPHS[1], {"image": image, **features.outputs})
    distance.needs("image", *features.outputs)
    distance.gives("distance", ())
    distance.gives("grad_image", image.axes)
    distance.gives_nothing_else()
