"""Recipes of dragonnx 0.1.0, whose command line and editor each wrote their own. Read, never written."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np

from dragonnx.document.facts import mask_of_png, pair_of
from dragonnx.document.state import Document, DragResult, LatentStart, PointPair
from dragonnx.drag.config import DragConfig
from dragonnx.errors import InputError
from dragonnx.model.bundle import read_manifest
from dragonnx.model.library import find_bundle
from dragonnx.types import Float32


def document_of_v0(recipe: Mapping[str, Any]) -> Document:
    """The document that such a recipe tells of.

    Raises:
        InputError: It holds too little to make the picture again.
        BundleError: Its latent has no shape of its own, and its model is not to be had.
        KeyError: Something is missing; likewise TypeError and ValueError for wrong values.
    """
    if "photo" in recipe:
        raise InputError(
            "dragonnx 0.1.0 left the latent of an inverted photo out of it; open the .npz file instead"
        )
    model = str(recipe.get("bundle") or recipe["model"])
    latent = recipe.get("w_plus")
    start = LatentStart(
        seed=int(recipe.get("seed") or 0),
        truncation_psi=recipe.get("truncation_psi"),
        label=recipe.get("label"),
        w_plus=None if latent is None else _decoded(latent, model),
        name="" if latent is None else str(recipe.get("latent_name", "latent of a picture")),
    )
    chosen = recipe.get("config")
    if chosen is None:  # the command line wrote all settings, chosen or not
        known = {field.name for field in fields(DragConfig)}
        chosen = {k: v for k, v in recipe.get("settings", {}).items() if k in known}
    document = Document(
        model=model, start=start, config=DragConfig(**chosen), pairs=tuple(_pairs(recipe))
    )
    if "mask" in recipe:
        document = document.with_mask(mask_of_png(base64.b64decode(recipe["mask"])))
    if "result_w_plus" in recipe and recipe.get("points"):
        document = _with_result(document, recipe)
    return document


def _pairs(recipe: Mapping[str, Any]) -> Iterator[PointPair]:
    """The pairs: the editor's, or the command line's points as they were before the drag."""
    for pair in recipe.get("pairs") or recipe.get("points") or []:
        yield pair_of(pair)


def _with_result(document: Document, recipe: Mapping[str, Any]) -> Document:
    """Add where the drag ended; its steps are not in the picture."""
    points = recipe["points"]
    result = DragResult(
        latents=_decoded(recipe["result_w_plus"], document.model),
        trace=np.array([[point["final"] for point in points]], np.float64),
        targets=np.array([point["target"] for point in points], np.float64),
        loss=np.zeros(0),
        seconds=0.0,
        outcome=str(recipe.get("outcome", "reached")),
        settings=dict(recipe.get("settings", {})),
        masked=bool(recipe.get("masked")),
    )
    return replace(document, result=result)


def _decoded(text: str, model: str) -> Float32:
    """A latent [1, num_ws, w_dim], whose shape only its model tells."""
    manifest = read_manifest(find_bundle(model))
    flat = np.frombuffer(base64.b64decode(text, validate=True), np.float32)
    array = flat.reshape(1, manifest.num_ws, manifest.w_dim)
    if not np.isfinite(array).all():
        raise InputError("it holds a latent that is not finite")
    return array
