"""The manifest of a model bundle: the contract between the exporter and the runtime.

The exporter writes it, the runtime reads it; this module is its one schema.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from dragonnx.errors import BundleError

FORMAT_VERSION = 1
MANIFEST_NAME = "manifest.json"
GRAPHS = ("mapping", "features", "pullback", "image", "image_layers", "image_pullback")
"""Graph NAME lies in the file NAME.onnx. There may also be features_R and pullback_R, in which
windows begin in the block of resolution R: the cuts of the manifest."""
PREVIEW = "preview"
"""A smaller image, of models whose coarser blocks give colours: the graphs preview, preview_layers
and preview_pullback stand beside those of the image."""
W_AVG_NAME = "w_avg.npy"
FILTER_TAPS = 4
DRAG_SETTINGS = ("step_size", "lambda_mask", "r1", "r2", "max_steps", "trainable_layers")
"""The `DragConfig` values for which a bundle may say what suits its model."""
DEFAULT_MODEL = "critters"
"""The bundle that ships inside the package."""


@dataclass(frozen=True, kw_only=True)
class FileRecord:
    """What a file of a bundle must be: its sha256 in hexadecimal and its size in bytes."""

    sha256: str
    size: int

    @classmethod
    def of(cls, content: bytes) -> FileRecord:
        """The record of a file with this content."""
        return cls(sha256=hashlib.sha256(content).hexdigest(), size=len(content))


@dataclass(frozen=True, kw_only=True)
class ParityRecord:
    """How far one output of one graph lies from torch.

    Attributes:
        graph: The graph's name.
        output: The output's name.
        reference: What it was compared with, "torch float64" or "torch float32".
        max_absolute: Largest absolute difference.
        max_relative: That difference over the reference's largest absolute value.
        tolerance: Bound on `max_relative` that the exporter enforced.
        reason: Why that bound.
        seeds: Seeds of the latents that were compared.
    """

    graph: str
    output: str
    reference: str
    max_absolute: float
    max_relative: float
    tolerance: float
    reason: str
    seeds: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a bundle's weights came from: file format, the file's sha256, licence, a note."""

    format: str
    sha256: str
    licence: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The facts of a bundle. Sizes are (height, width).

    Attributes:
        name: A short name for people.
        image_size: Of the generated image, in pixels.
        feature_size: Of the feature map that is dragged.
        channels: Feature channels of the blocks 4, 8, ... up to that feature map's.
        cuts: Resolutions of the blocks from which windows can be computed; empty for none.
        resample_filter: The four taps of the network's low-pass filter.
        z_dim: Length of z.
        w_dim: Length of w.
        num_ws: How many w's a w_plus has.
        label_dim: Number of classes, 0 for none.
        trainable_layers: For how many of the first w's the pullback gives a gradient.
        truncation_psi: The truncation that suits the model when a person names none.
        drag_settings: `DragConfig` values that suit the model, used where a person names none.
        files: Every other file of the bundle.
        source: Where the weights came from.
        versions: The exporter and the libraries that made and checked the graphs.
        parity: The graphs' measured distances from torch.
        format_version: Of this schema.
    """

    name: str
    image_size: tuple[int, int]
    feature_size: tuple[int, int]
    channels: tuple[int, ...]
    cuts: tuple[int, ...]
    resample_filter: tuple[float, ...]
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
    def feature_channels(self) -> int:
        """Channels of the feature map."""
        return self.channels[-1]

    @property
    def has_preview(self) -> bool:
        """Whether there are graphs for a smaller image."""
        return f"{PREVIEW}.onnx" in self.files

    @property
    def blocks(self) -> tuple[int, ...]:
        """Resolutions of the blocks up to the feature map's."""
        return tuple(4 << position for position in range(len(self.channels)))

    def to_json(self) -> str:
        """The text of manifest.json: sorted, so that equal manifests are equal bytes."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, content: str) -> Manifest:
        """Read what `to_json` wrote.

        Raises:
            BundleError: The text is no manifest, of another version, or not consistent.
        """
        try:
            facts = json.loads(content)
            require_version(facts["format_version"], FORMAT_VERSION)
            manifest = cls(**decode(facts, _DECODERS))
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise BundleError(f"{MANIFEST_NAME} cannot be read ({error})") from error
        manifest._check()
        return manifest

    def _check(self) -> None:
        """Refuse values that contradict each other."""
        sizes = (*self.image_size, *self.feature_size, *self.channels, len(self.channels),
                 self.z_dim, self.w_dim, self.num_ws, self.trainable_layers)  # fmt: skip
        if min(sizes) < 1 or self.label_dim < 0:
            raise BundleError(f"{MANIFEST_NAME} holds a size that is not positive")
        if self.trainable_layers > self.num_ws:
            raise BundleError(
                f"{MANIFEST_NAME} says that {self.trainable_layers} of {self.num_ws} w's are "
                "trainable, which is more than there are"
            )
        for name, value in self.drag_settings.items():
            if name not in DRAG_SETTINGS or not value > 0:
                raise BundleError(f"{MANIFEST_NAME} holds an unusable drag setting {name} {value}")
        if not set(self.cuts) <= set(self.blocks[1:]) or len(self.resample_filter) != FILTER_TAPS:
            raise BundleError(f"{MANIFEST_NAME} holds a cut that is no block, or no usable filter")
        windowed = (graph_name(kind, c) for c in self.cuts for kind in ("features", "pullback"))
        preview = (f"{PREVIEW}_layers", f"{PREVIEW}_pullback") if self.has_preview else ()
        graphs = (*GRAPHS, *windowed, *preview)
        expected = {*(f"{graph}.onnx" for graph in graphs), W_AVG_NAME}
        if missing := sorted(expected - set(self.files)):
            raise BundleError(
                f"{MANIFEST_NAME} does not list {', '.join(missing)}: export the model again"
            )
        require_plain_names(self.files)


def graph_name(kind: str, cut: int | None) -> str:
    """`features`, or `features_16` where windows begin in the block of resolution 16."""
    return kind if cut is None else f"{kind}_{cut}"


def require_version(found: object, known: int) -> None:
    """Refuse a manifest of another format version.

    Raises:
        BundleError: It is of one.
    """
    if found != known:
        raise BundleError(
            f"the bundle has format version {found!r}, this dragonnx reads version "
            f"{known}: export it again, or use the dragonnx that it was made for"
        )


def require_plain_names(names: Iterable[str]) -> None:
    """Refuse names of files that would lie outside their folder.

    Raises:
        BundleError: There is one.
    """
    for name in names:
        if set(name) & set("/\\:") or name in {"", ".", ".."}:  # a colon parts them on Windows
            raise BundleError(f"{MANIFEST_NAME} lists {name!r}, which leaves the folder")


def decode(
    facts: Mapping[str, Any], decoders: Mapping[str, Callable[[Any], Any]]
) -> dict[str, Any]:
    """JSON values as a manifest's types; a wrong type is a TypeError or ValueError."""
    if unknown := sorted(set(facts) - set(decoders)):
        raise ValueError(f"unknown entries {', '.join(unknown)}")
    return {key: decoders[key](value) for key, value in facts.items()}


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r} is no whole number")
    return value


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{value!r} is no number")
    return value


def text(value: Any) -> str:
    """A text; anything else is a TypeError."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _size(value: Any) -> tuple[int, int]:
    height, width = value
    return _whole(height), _whole(width)


SHARED_DECODERS: Mapping[str, Callable[[Any], Any]] = {
    "format_version": _whole,
    "name": text,
    "files": lambda value: {k: FileRecord(**v) for k, v in value.items()},
    "source": lambda value: Source(**{k: text(v) for k, v in value.items()}),
    "versions": lambda value: {text(k): text(v) for k, v in value.items()},
    "parity": lambda value: tuple(ParityRecord(**{**r, "seeds": tuple(r["seeds"])}) for r in value),
}
"""Entries that the manifest of a perceptual network has too."""

_DECODERS: Mapping[str, Callable[[Any], Any]] = {
    **SHARED_DECODERS,
    **dict.fromkeys(("z_dim", "w_dim", "num_ws", "label_dim", "trainable_layers"), _whole),
    "image_size": _size,
    "feature_size": _size,
    "channels": lambda value: tuple(map(_whole, value)),
    "cuts": lambda value: tuple(map(_whole, value)),
    "resample_filter": lambda value: tuple(map(_number, value)),
    "truncation_psi": float,
    "drag_settings": lambda value: {text(k): _number(v) for k, v in value.items()},
}
