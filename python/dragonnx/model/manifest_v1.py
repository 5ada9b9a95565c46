"""Manifests of format version 1, as dragonnx 0.1.0 wrote them, read as those of today.

They told graphs by their files' names, knew StyleGAN2 alone, and had the facts of windows and of the
feature map among all others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from dragonnx.errors import InputError
from dragonnx.model.decoding import WINDOW_DECODERS, decode
from dragonnx.model.facts import (
    LARGEST_SIDE,
    OPTIONAL_ROLES,
    REQUIRED_ROLES,
    WINDOWED_ROLES,
    FeatureMap,
    WindowFacts,
    graph_name,
)
from dragonnx.reading.values import entry, record, size, whole

VERSION = 1

_NEW = {"family", "feature_map", "graphs", "windows"}


def upgraded(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON values of a version 1 manifest as those of version 2.

    Raises:
        InputError: One is missing, of a wrong type, or of no name of version 1.
    """
    kept = dict(facts)
    if unknown := sorted(_NEW & set(kept)):
        raise InputError(f"unknown entries {', '.join(unknown)}")
    whole(entry(kept, "format_version"), "format_version", VERSION, VERSION)
    windows = {name: entry(kept, name) for name in WINDOW_DECODERS}
    given = WindowFacts(**decode(windows, WINDOW_DECODERS))
    image_size = size(entry(kept, "image_size"), "image_size", LARGEST_SIDE)
    feature_size = size(entry(kept, "feature_size"), "feature_size", LARGEST_SIDE)
    if not given.channels:
        raise InputError("channels must not be empty")
    feature_map = FeatureMap.over(image_size, feature_size, given.channels[-1])
    for name in (*windows, "feature_size"):
        del kept[name]
    return {
        **kept,
        "format_version": 2,
        "family": "stylegan2",
        "feature_map": asdict(feature_map),
        "windows": windows if given.cuts else None,
        "graphs": _graphs(record(entry(kept, "files"), "files"), given.cuts),
    }


def _graphs(files: Mapping[str, Any], cuts: Sequence[int]) -> list[dict[str, Any]]:
    """The graphs that version 1 asked for: all of an image's, and a preview's where it has one."""
    image, preview = OPTIONAL_ROLES
    roles: list[str] = [*REQUIRED_ROLES, *image, *(preview if "preview.onnx" in files else ())]
    windowed = [(role, cut) for cut in cuts for role in WINDOWED_ROLES]
    return [
        {"role": role, "file": f"{graph_name(role, cut)}.onnx", "cut": cut}
        for role, cut in (*((role, None) for role in roles), *windowed)
    ]
