"""Manifests of format version 1, as dragonnx 0.1.0 wrote them, read as those of today.

They told graphs by their files' names, knew StyleGAN2 alone, and had the facts of windows and of the
feature map among all others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from dragonnx.errors import BundleError
from dragonnx.model.decoding import size, whole
from dragonnx.model.facts import (
    MANIFEST_NAME,
    OPTIONAL_ROLES,
    REQUIRED_ROLES,
    WINDOWED_ROLES,
    FeatureMap,
    graph_name,
)

VERSION = 1

_NEW = {"family", "feature_map", "graphs", "windows"}


def upgraded(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON values of a version 1 manifest as those of version 2.

    Raises:
        BundleError: They hold sizes that no feature map has.
        KeyError, TypeError, ValueError: One is missing, of a wrong type, or of no name of version 1.
    """
    kept = dict(facts)
    if unknown := sorted(_NEW & set(kept)):
        raise ValueError(f"unknown entries {', '.join(unknown)}")
    windows = {name: kept.pop(name) for name in ("cuts", "channels", "resample_filter")}
    whole(kept["format_version"])
    image_size, feature_size = size(kept["image_size"]), size(kept.pop("feature_size"))
    channels = [whole(count) for count in windows["channels"]]
    if not channels or min(*image_size, *feature_size) < 1:
        raise BundleError(f"{MANIFEST_NAME} holds a size that is not positive")
    return {
        **kept,
        "format_version": 2,
        "family": "stylegan2",
        "feature_map": asdict(FeatureMap.over(image_size, feature_size, channels[-1])),
        "windows": windows if windows["cuts"] else None,
        "graphs": _graphs(kept["files"], windows["cuts"]),
    }


def _graphs(files: Mapping[str, Any], cuts: list[int]) -> list[dict[str, Any]]:
    """The graphs that version 1 asked for: all of an image's, and a preview's where it has one."""
    image, preview = OPTIONAL_ROLES
    roles: list[str] = [*REQUIRED_ROLES, *image, *(preview if "preview.onnx" in files else ())]
    windowed = [(role, cut) for cut in cuts for role in WINDOWED_ROLES]
    return [
        {"role": role, "file": f"{graph_name(role, cut)}.onnx", "cut": cut}
        for role, cut in (*((role, None) for role in roles), *windowed)
    ]
