"""A perceptual network's folder: a manifest, two graphs and their weights.

`perceptual_features` takes an image [1, 3, h, w], about -1 to 1, and gives what
`perceptual_distance` takes beside another image, to give their distance and its gradient.
`dragonnx-export perceptual` writes such folders; this module is their one schema.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from dragonnx.errors import BundleError
from dragonnx.model.bundle import verify_file
from dragonnx.model.decoding import (
    SHARED_DECODERS,
    decode,
    require_plain_names,
    require_version,
    text,
)
from dragonnx.model.facts import MANIFEST_NAME, FileRecord, ParityRecord, Source

FORMAT_VERSION = 1
KIND = "perceptual network"
FEATURES = "perceptual_features"
DISTANCE = "perceptual_distance"
"""Names of the graphs, which lie in NAME.onnx."""
SMALLEST_IMAGE = 16
"""Pixels of the shorter side: VGG16's last compared layer halves the image four times."""


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
    def from_json(cls, content: str) -> PerceptualManifest:
        """Read what `to_json` wrote.

        Raises:
            BundleError: The text is no such manifest, or of another version.
        """
        try:
            facts = json.loads(content)
            if facts.get("kind") != KIND:
                raise BundleError(
                    "it is no perceptual network: make one with dragonnx-export perceptual"
                )
            require_version(facts["format_version"], FORMAT_VERSION)
            decoders = {**SHARED_DECODERS, "kind": text, "heads_sha256": text}
            manifest = cls(**decode(facts, decoders))
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise BundleError(f"{MANIFEST_NAME} cannot be read ({error})") from error
        if missing := sorted({f"{FEATURES}.onnx", f"{DISTANCE}.onnx"} - set(manifest.files)):
            raise BundleError(f"{MANIFEST_NAME} does not list {', '.join(missing)}")
        require_plain_names(manifest.files)
        return manifest


def open_perceptual(folder: Path) -> PerceptualManifest:
    """Read the manifest of a perceptual network and verify every file.

    Raises:
        BundleError: The folder is no perceptual network, or a file is missing or altered.
    """
    try:
        content = (folder / MANIFEST_NAME).read_text("utf-8")
    except (OSError, ValueError) as error:  # no UTF-8, or what no file's name holds
        raise BundleError(
            f"{folder} is no perceptual network: {MANIFEST_NAME} cannot be read "
            f"({getattr(error, 'strerror', None) or error}); make one with "
            "dragonnx-export perceptual"
        ) from error
    try:
        manifest = PerceptualManifest.from_json(content)
    except BundleError as error:
        raise BundleError(f"the folder {folder} cannot be used: {error}") from error
    for name, record in manifest.files.items():
        verify_file(folder, name, record)
    return manifest
