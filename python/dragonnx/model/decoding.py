"""From the JSON of a manifest to its values; a wrong type is a TypeError or ValueError."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dragonnx.errors import BundleError
from dragonnx.model.facts import (
    MANIFEST_NAME,
    FeatureMap,
    FileRecord,
    GraphRecord,
    ParityRecord,
    Source,
    WindowFacts,
)

Decoders = Mapping[str, Callable[[Any], Any]]


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


def decode(facts: Mapping[str, Any], decoders: Decoders) -> dict[str, Any]:
    """Values by name, each as its decoder makes it; an unknown name is a ValueError."""
    if unknown := sorted(set(facts) - set(decoders)):
        raise ValueError(f"unknown entries {', '.join(unknown)}")
    return {key: decoders[key](value) for key, value in facts.items()}


def whole(value: Any) -> int:
    """A whole number."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r} is no whole number")
    return value


def number(value: Any) -> float:
    """A number."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{value!r} is no number")
    return value


def text(value: Any) -> str:
    """A text."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def size(value: Any) -> tuple[int, int]:
    """Height and width."""
    height, width = value
    return whole(height), whole(width)


def graphs(value: Any) -> tuple[GraphRecord, ...]:
    """The graphs of a bundle."""
    return tuple(GraphRecord(**decode(record, _GRAPH)) for record in value)


def feature_map(value: Any) -> FeatureMap:
    """The feature map of a bundle."""
    return FeatureMap(**decode(value, _FEATURE_MAP))


def windows(value: Any) -> WindowFacts | None:
    """The window facts of a bundle, which may have none."""
    return None if value is None else WindowFacts(**decode(value, _WINDOWS))


def _place(value: Any) -> tuple[float, float]:
    x, y = map(number, value)
    if not (math.isfinite(x) and math.isfinite(y)):
        raise ValueError(f"{value!r} is no place in an image")
    return x, y


_GRAPH: Decoders = {
    "role": text,
    "file": text,
    "cut": lambda value: None if value is None else whole(value),
}
_FEATURE_MAP: Decoders = {"size": size, "channels": whole, "offset": _place, "rate": _place}
_WINDOWS: Decoders = {
    "cuts": lambda value: tuple(map(whole, value)),
    "channels": lambda value: tuple(map(whole, value)),
    "resample_filter": lambda value: tuple(map(number, value)),
}

SHARED_DECODERS: Decoders = {
    "format_version": whole,
    "name": text,
    "files": lambda value: {k: FileRecord(**v) for k, v in value.items()},
    "source": lambda value: Source(**{k: text(v) for k, v in value.items()}),
    "versions": lambda value: {text(k): text(v) for k, v in value.items()},
    "parity": lambda value: tuple(ParityRecord(**{**r, "seeds": tuple(r["seeds"])}) for r in value),
}
"""Entries that the manifest of a perceptual network has too."""
