"""A document as JSON facts and named members (arrays, the mask): what its file and a recipe hold alike.

Nothing in a member can run code: arrays are read without pickles.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dragonnx.document.state import Document, DragResult, LatentStart, PointPair
from dragonnx.drag.config import DragConfig
from dragonnx.errors import InputError
from dragonnx.types import Array, Float32, Mask, Point

FORMAT_VERSION = 1
MASK = "mask.png"
_START, _LATENTS, _TRACE, _TARGETS, _LOSS = (
    f"{name}.npy" for name in ("start_w_plus", "latents", "trace", "targets", "loss")
)
MEMBERS = (_START, _LATENTS, _TRACE, _TARGETS, _LOSS, MASK)
"""Every member that a document may have."""
_WHITE_FROM = 128


def facts_of(document: Document) -> dict[str, Any]:
    """The document without its members, as JSON values. Of the settings, those that were chosen."""
    start, result = document.start, document.result
    return {
        "format_version": FORMAT_VERSION,
        "model": document.model,
        "start": {
            "seed": start.seed,
            "truncation_psi": start.truncation_psi,
            "label": start.label,
            "name": start.name,
        },
        "pairs": [asdict(pair) for pair in document.pairs],
        "config": {
            field.name: value
            for field in fields(DragConfig)
            if (value := getattr(document.config, field.name)) != field.default
        },
        "result": None
        if result is None
        else {
            "seconds": result.seconds,
            "outcome": result.outcome,
            "settings": result.settings,
            "masked": result.masked,
            "device": result.device,
            "precision": result.precision,
        },
    }


def members_of(document: Document) -> dict[str, bytes]:
    """The document's arrays as .npy and its mask as PNG, by name."""
    arrays: dict[str, Array] = {}
    if document.start.w_plus is not None:
        arrays[_START] = document.start.w_plus
    if (result := document.result) is not None:
        arrays |= {
            _LATENTS: result.latents,
            _TRACE: result.trace,
            _TARGETS: result.targets,
            _LOSS: result.loss,
        }
    members = {name: _npy(array) for name, array in arrays.items()}
    if document.mask is not None:
        members[MASK] = mask_png(document.mask)
    return members


def document_of_facts(facts: Mapping[str, Any], members: Mapping[str, bytes]) -> Document:
    """The document that `facts_of` and `members_of` told of.

    Raises:
        InputError: It is of another format version.
        KeyError: Something is missing; likewise TypeError and ValueError for wrong values.
    """
    if (version := facts["format_version"]) != FORMAT_VERSION:
        raise InputError(
            f"it has format version {version!r}, this dragonnx reads version {FORMAT_VERSION}"
        )
    start = dict(facts["start"])
    seed, psi, label = start["seed"], start["truncation_psi"], start["label"]
    result = facts["result"]
    document = Document(
        model=str(facts["model"]),
        start=LatentStart(
            seed=int(seed),
            truncation_psi=None if psi is None else float(psi),
            label=None if label is None else int(label),
            w_plus=_latents(members[_START]) if _START in members else None,
            name=str(start["name"]),
        ),
        pairs=tuple(pair_of(pair) for pair in facts["pairs"]),
        config=DragConfig(**facts["config"]),
        result=None if result is None else _result(result, members),
    )
    return document.with_mask(mask_of_png(members[MASK]) if MASK in members else None)


def pair_of(facts: Mapping[str, Any]) -> PointPair:
    """A pair of its facts; one without a handle is a ValueError."""
    handle = _point(facts["handle"])
    if handle is None:
        raise ValueError("a pair needs a handle")
    return PointPair(handle, _point(facts.get("target")), _point(facts.get("origin")))


def mask_png(mask: Mask) -> bytes:
    """A mask as PNG: white may move, black stays fixed."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).convert("1").save(buffer, "PNG")
    return buffer.getvalue()


def mask_of_png(content: bytes) -> Mask:
    """The mask of `mask_png`.

    Raises:
        ValueError: It is no picture.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content)) as picture:
            return np.asarray(picture.convert("L")) >= _WHITE_FROM
    except (OSError, Image.DecompressionBombError) as error:
        raise ValueError("the mask is no picture") from error


def _npy(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _array(content: bytes) -> Array:
    array: Array = np.load(io.BytesIO(content), allow_pickle=False)
    return array


def _latents(content: bytes) -> Float32:
    array = _array(content)
    if array.dtype.kind != "f" or array.ndim != 3 or not np.isfinite(array).all():
        raise ValueError("a latent must be three axes of finite numbers")
    return array.astype(np.float32)


def _result(facts: Mapping[str, Any], members: Mapping[str, bytes]) -> DragResult:
    latents = _latents(members[_LATENTS])
    trace, targets, loss = (
        _array(members[name]).astype(np.float64) for name in (_TRACE, _TARGETS, _LOSS)
    )
    steps, points = len(loss), len(targets)
    if len(latents) not in (steps + 1, min(2, steps + 1)) or trace.shape != (steps + 1, points, 2):
        raise ValueError("the drag's arrays do not belong together")
    return DragResult(
        latents=latents,
        trace=trace,
        targets=targets,
        loss=loss,
        seconds=float(facts["seconds"]),
        outcome=str(facts["outcome"]),
        settings=dict(facts["settings"]),
        masked=bool(facts["masked"]),
        device=str(facts.get("device", "")),
        precision=str(facts.get("precision", "")),
    )


def _point(value: Any) -> Point | None:
    if value is None:
        return None
    x, y = (float(v) for v in value)
    if not (np.isfinite(x) and np.isfinite(y)):
        raise ValueError("a point must be finite numbers")
    return x, y
