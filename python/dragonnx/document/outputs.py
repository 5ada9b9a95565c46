"""What leaves a document: its picture with a recipe, before and after, an animation, a report."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dragonnx.document.archive import mask_of_png, mask_png
from dragonnx.document.state import Document, DragResult, LatentStart, PointPair
from dragonnx.drag.config import DragConfig
from dragonnx.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

    from dragonnx.model.generator import Generator

MOST_FRAMES = 120
"""An animation of more steps than this shows evenly spaced ones."""


def current_w_plus(document: Document, generator: Generator) -> NDArray[np.float32]:
    """The latent [1, num_ws, w_dim] of the document's picture.

    Raises:
        InputError: It does not fit the model.
    """
    if document.result is not None:
        return generator.checked_w_plus(document.result.w_plus)
    return start_w_plus(document, generator)


def start_w_plus(document: Document, generator: Generator) -> NDArray[np.float32]:
    """The latent [1, num_ws, w_dim] before any drag.

    Raises:
        InputError: It does not fit the model.
    """
    start = document.start
    if start.w_plus is not None:
        return generator.checked_w_plus(start.w_plus)
    return generator.w_plus(
        start.seed, label=effective_label(start, generator), truncation_psi=start.truncation_psi
    )


def effective_label(start: LatentStart, generator: Generator) -> int | None:
    """The class that applies: what was chosen, else the first of a model that has classes."""
    return 0 if start.label is None and generator.manifest.label_dim else start.label


def recipe(document: Document, generator: Generator) -> dict[str, Any]:
    """How the picture was made, as JSON values: what a saved PNG carries."""
    start, result = document.start, document.result
    values: dict[str, Any] = {"model": generator.manifest.name, "bundle": document.model}
    if start.w_plus is None:
        psi = start.truncation_psi
        values["seed"] = start.seed
        values["truncation_psi"] = generator.manifest.truncation_psi if psi is None else psi
        values["label"] = effective_label(start, generator)
    else:
        values["w_plus"] = _encoded(start.w_plus)
        values["latent_name"] = start.name
    values["pairs"] = [
        {"handle": pair.handle, "target": pair.target, "origin": pair.origin}
        for pair in document.pairs
    ]
    values["config"] = {
        name: value for name, value in vars(document.config).items() if value is not None
    }
    values["masked"] = document.mask is not None
    if document.mask is not None:
        values["mask"] = base64.b64encode(mask_png(document.mask)).decode()
    if result is not None:
        values["settings"] = result.settings
        values["outcome"] = result.outcome
        values["points"] = _points(result)
        values["result_w_plus"] = _encoded(result.w_plus)
    return values


def document_of_recipe(values: dict[str, Any], generator: Generator) -> Document:
    """The document that a recipe tells of, from the editor's PNG or the command line's.

    Raises:
        InputError: The recipe cannot be used, or does not fit the model.
    """
    try:
        return _document(values, (generator.manifest.num_ws, generator.manifest.w_dim))
    except InputError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"the picture's recipe cannot be used ({error})") from error


def before_and_after(document: Document, generator: Generator) -> Image:
    """The picture before the last drag and after it, points drawn on both."""
    from dragonnx.media import side_by_side

    result = _result(document)
    return side_by_side([_frame(generator, result, 0), _frame(generator, result, result.steps)])


def frames(document: Document, generator: Generator) -> Iterator[Image]:
    """The last drag's pictures from start to end, at most `MOST_FRAMES`."""
    result = _result(document)
    count = min(result.steps + 1, MOST_FRAMES)
    for k in range(count):
        yield _frame(generator, result, round(k * result.steps / max(count - 1, 1)))


def report(document: Document, generator: Generator) -> dict[str, Any]:
    """The last drag as JSON values, as the command line's report."""
    result = _result(document)
    return {
        "outcome": result.outcome,
        "steps": result.steps,
        "seconds": round(result.seconds, 4),
        "model": generator.manifest.name,
        "seed": document.start.seed if document.start.w_plus is None else None,
        "config": result.settings,
        "points": _points(result),
        "trace": result.trace[1:].tolist(),
        "loss": result.loss.tolist(),
    }


def free_path(folder: Path, stem: str, suffix: str) -> Path:
    """The first of STEM.suffix, STEM-2.suffix, ... that does not exist yet."""
    path, number = folder / f"{stem}{suffix}", 1
    while path.exists():
        number += 1
        path = folder / f"{stem}-{number}{suffix}"
    return path


def _result(document: Document) -> DragResult:
    if document.result is None or document.result.steps == 0:
        raise InputError("nothing was dragged yet: set points and start a drag first")
    return document.result


def _frame(generator: Generator, result: DragResult, index: int) -> Image:
    from dragonnx.media import with_points

    image = generator.image(result.latents[index : index + 1])
    return with_points(image, result.trace[index], result.targets)


def _points(result: DragResult) -> list[dict[str, Any]]:
    rows = zip(result.trace[0], result.trace[-1], result.targets, strict=True)
    return [
        {
            "handle": handle.tolist(),
            "final": final.tolist(),
            "target": target.tolist(),
            "distance": round(float(np.hypot(*(target - final))), 4),
        }
        for handle, final, target in rows
    ]


def _encoded(w_plus: NDArray[np.float32]) -> str:
    return base64.b64encode(np.ascontiguousarray(w_plus, np.float32).tobytes()).decode()


def _decoded(text: str, facts: tuple[int, int]) -> NDArray[np.float32]:
    array = np.frombuffer(base64.b64decode(text, validate=True), np.float32).reshape(1, *facts)
    if not np.isfinite(array).all():
        raise InputError("the picture's recipe holds a latent that is not finite")
    return array


def _document(values: dict[str, Any], facts: tuple[int, int]) -> Document:
    start = LatentStart(
        seed=int(values.get("seed") or 0),
        truncation_psi=values.get("truncation_psi"),
        label=values.get("label"),
        w_plus=_decoded(values["w_plus"], facts) if "w_plus" in values else None,
        name=str(values.get("latent_name", "latent of a picture")) if "w_plus" in values else "",
    )
    chosen = values.get("config")
    if chosen is None:
        known = set(DragConfig.__dataclass_fields__)
        chosen = {k: v for k, v in values.get("settings", {}).items() if k in known}
    document = Document(
        model=str(values.get("bundle") or values["model"]),
        start=start,
        config=DragConfig(**chosen),
        pairs=tuple(_pairs(values)),
    )
    if "mask" in values:
        document = document.with_mask(mask_of_png(base64.b64decode(values["mask"])))
    if "result_w_plus" in values and values.get("points"):
        document = _with_result(document, values, facts)
    return document


def _pairs(values: dict[str, Any]) -> Iterator[PointPair]:
    """The pairs: the editor's, or the command line's points as they were before the drag."""
    for pair in values.get("pairs") or values.get("points") or []:
        places = [
            None if pair.get(key) is None else (float(pair[key][0]), float(pair[key][1]))
            for key in ("handle", "target", "origin")
        ]
        if places[0] is None:
            raise InputError("the picture's recipe holds a pair without a handle")
        yield PointPair(places[0], places[1], places[2])


def _with_result(document: Document, values: dict[str, Any], facts: tuple[int, int]) -> Document:
    """Add where the drag ended; its steps are not in a picture."""
    points = values["points"]
    result = DragResult(
        latents=_decoded(values["result_w_plus"], facts),
        trace=np.array([[point["final"] for point in points]], np.float64),
        targets=np.array([point["target"] for point in points], np.float64),
        loss=np.zeros(0),
        seconds=0.0,
        outcome=str(values.get("outcome", "reached")),
        settings=dict(values.get("settings", {})),
        masked=bool(values.get("masked")),
    )
    return replace(document, result=result)
