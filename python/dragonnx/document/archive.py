"""The file of a document, `.dragonnx`: a zip archive of JSON, arrays, the mask and a preview.

Nothing in it can run code: arrays are read without pickles, and sizes are bounded before reading.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dragonnx.document.state import Document, DragResult, LatentStart, PointPair
from dragonnx.drag.config import DragConfig
from dragonnx.errors import InputError
from dragonnx.files import atomic_path

SUFFIX = ".dragonnx"
FORMAT_VERSION = 1
_LARGEST_MEMBER = 2**30
"""Bytes; a larger member of an archive is refused unread."""
_DOCUMENT = "document.json"
_ARRAYS = ("start_w_plus", "latents", "trace", "targets", "loss")


def save_document(document: Document, path: Path, preview: bytes | None = None) -> None:
    """Write a document, all or nothing.

    Args:
        document: What to write.
        path: Where to.
        preview: The picture as PNG, for file managers and people.

    Raises:
        InputError: The file cannot be written.
    """
    try:
        with (
            atomic_path(path) as temporary,
            zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive,
        ):
            archive.writestr(_DOCUMENT, json.dumps(to_facts(document), indent=1, sort_keys=True))
            for name, array in _arrays(document).items():
                archive.writestr(f"{name}.npy", _npy(array))
            if document.mask is not None:
                archive.writestr("mask.png", mask_png(document.mask))
            if preview is not None:
                archive.writestr("preview.png", preview)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror or error})") from error


def open_document(path: Path) -> Document:
    """Read what `save_document` wrote.

    Raises:
        InputError: The file is missing, damaged, of another format, or not a document.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if member.file_size > _LARGEST_MEMBER:
                    raise InputError(f"{path} holds {member.filename}, which is too large to read")
            names = set(archive.namelist())
            facts = json.loads(archive.read(_DOCUMENT))
            arrays = {
                name: np.load(io.BytesIO(archive.read(f"{name}.npy")), allow_pickle=False)
                for name in _ARRAYS
                if f"{name}.npy" in names
            }
            mask = mask_of_png(archive.read("mask.png")) if "mask.png" in names else None
        return from_facts(facts, arrays, mask)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error})") from error
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, EOFError) as error:
        raise InputError(f"{path} is no dragonnx document, or it is damaged") from error


def to_facts(document: Document) -> dict[str, Any]:
    """The document without its arrays, as JSON values."""
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
        "config": asdict(document.config),
        "result": None
        if result is None
        else {
            "seconds": result.seconds,
            "outcome": result.outcome,
            "settings": result.settings,
            "masked": result.masked,
        },
    }


def from_facts(
    facts: dict[str, Any],
    arrays: dict[str, NDArray[Any]],
    mask: NDArray[np.bool_] | None,
) -> Document:
    """A document of what `to_facts` gave, with its arrays.

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
            w_plus=_float32(arrays["start_w_plus"]) if "start_w_plus" in arrays else None,
            name=str(start["name"]),
        ),
        pairs=tuple(_pair(pair) for pair in facts["pairs"]),
        config=DragConfig(**facts["config"]),
        result=None if result is None else _result(result, arrays),
    )
    return document.with_mask(mask)


def mask_png(mask: NDArray[np.bool_]) -> bytes:
    """A mask as PNG: white may move, black stays fixed."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).convert("1").save(buffer, "PNG")
    return buffer.getvalue()


def mask_of_png(content: bytes) -> NDArray[np.bool_]:
    """The mask of `mask_png`.

    Raises:
        ValueError: It is no picture.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content)) as picture:
            return np.asarray(picture.convert("L")) >= 128
    except (OSError, Image.DecompressionBombError) as error:
        raise ValueError("the mask is no picture") from error


def _arrays(document: Document) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {}
    if document.start.w_plus is not None:
        arrays["start_w_plus"] = document.start.w_plus
    if (result := document.result) is not None:
        arrays |= {
            "latents": result.latents,
            "trace": result.trace,
            "targets": result.targets,
            "loss": result.loss,
        }
    return arrays


def _npy(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _float32(array: NDArray[Any]) -> NDArray[np.float32]:
    if array.dtype.kind != "f" or array.ndim != 3 or not np.isfinite(array).all():
        raise ValueError("a latent must be three axes of finite numbers")
    return array.astype(np.float32)


def _result(facts: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> DragResult:
    latents = _float32(arrays["latents"])
    trace = arrays["trace"].astype(np.float64)
    targets = arrays["targets"].astype(np.float64)
    loss = arrays["loss"].astype(np.float64)
    steps, points = len(loss), len(targets)
    if len(latents) != steps + 1 or trace.shape != (steps + 1, points, 2):
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
    )


def _pair(facts: dict[str, Any]) -> PointPair:
    def point(value: Any) -> tuple[float, float] | None:
        if value is None:
            return None
        x, y = (float(v) for v in value)
        if not (np.isfinite(x) and np.isfinite(y)):
            raise ValueError("a point must be finite numbers")
        return x, y

    handle = point(facts["handle"])
    if handle is None:
        raise ValueError("a pair needs a handle")
    return PointPair(handle, point(facts["target"]), point(facts["origin"]))
