"""Recipes of dragonnx 0.1.0, whose command line and editor each wrote their own. Read, never written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np

from dragonnx.document.facts import config_of, decoded, pair_of
from dragonnx.document.result import DragResult
from dragonnx.document.start import LatentStart
from dragonnx.document.state import LONGEST_PATH, MOST_PAIRS, Document, PointPair
from dragonnx.drag.config import DragConfig
from dragonnx.drag.mask import mask_of_png
from dragonnx.drag.points import FARTHEST
from dragonnx.errors import InputError
from dragonnx.model.bundle import read_manifest
from dragonnx.model.library import find_bundle
from dragonnx.reading.values import entry, items, point, record, text, within
from dragonnx.types import Float32, Point


def document_of_v0(recipe: Mapping[str, Any]) -> Document:
    """The document that such a recipe tells of.

    Raises:
        InputError: It holds too little to make the picture again, or something impossible.
        BundleError: Its latent has no shape of its own, and its model is not to be had.
    """
    if "photo" in recipe:
        raise InputError(
            "dragonnx 0.1.0 left the latent of an inverted photo out of it; open the .npz file instead"
        )
    model = text(recipe.get("bundle") or entry(recipe, "model"), "model", LONGEST_PATH)
    latent, seed = recipe.get("w_plus"), recipe.get("seed")
    start = LatentStart(
        seed=0 if seed is None else seed,
        truncation_psi=recipe.get("truncation_psi"),
        label=recipe.get("label"),
        w_plus=None if latent is None else _latent(latent, "w_plus", model),
        name="" if latent is None else recipe.get("latent_name", "latent of a picture"),
    )
    settings = record(recipe.get("settings", {}), "settings")
    chosen = recipe.get("config")
    if chosen is None:  # the command line wrote all settings, chosen or not
        known = {field.name for field in fields(DragConfig)}
        chosen = {name: value for name, value in settings.items() if name in known}
    document = Document(
        model=model, start=start, config=config_of(chosen, "config"), pairs=tuple(_pairs(recipe))
    )
    if "mask" in recipe:
        document = document.with_mask(mask_of_png(decoded(recipe["mask"], "mask")))
    if "result_w_plus" in recipe and recipe.get("points"):
        document = _with_result(document, recipe, settings)
    return document


def _pairs(recipe: Mapping[str, Any]) -> Iterator[PointPair]:
    """The pairs: the editor's, or the command line's points as they were before the drag."""
    name = "pairs" if recipe.get("pairs") else "points"
    for index, pair in enumerate(items(recipe.get(name) or [], name, MOST_PAIRS)):
        yield pair_of(pair, f"{name}[{index}]")


def _with_result(
    document: Document, recipe: Mapping[str, Any], settings: Mapping[str, Any]
) -> Document:
    """Add where the drag ended; its steps are not in the picture."""
    points = items(recipe["points"], "points", MOST_PAIRS)
    final, target = (
        [_point(each, f"points[{index}]", name) for index, each in enumerate(points)]
        for name in ("final", "target")
    )
    result = DragResult(
        latents=_latent(recipe["result_w_plus"], "result_w_plus", document.model),
        trace=np.array([final]),
        targets=np.array(target),
        loss=np.zeros(0),
        seconds=0.0,
        outcome=recipe.get("outcome", "reached"),
        settings=dict(settings),
        masked=recipe.get("masked", False),
    )
    return replace(document, result=result)


def _point(facts: object, name: str, end: str) -> Point:
    known = record(facts, name)
    with within(name):
        return point(entry(known, end), end, FARTHEST)


def _latent(encoded: object, name: str, model: str) -> Float32:
    """A latent [1, num_ws, w_dim], whose shape only its model tells."""
    manifest = read_manifest(find_bundle(model))
    content = decoded(encoded, name)
    if len(content) != 4 * manifest.num_ws * manifest.w_dim:
        raise InputError(f"{name} has another size than a latent of the model {model}")
    return np.frombuffer(content, np.float32).reshape(1, manifest.num_ws, manifest.w_dim)
