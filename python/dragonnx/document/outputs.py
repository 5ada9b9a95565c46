"""What leaves a document: one table of files that front-ends offer, and one way to write each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from dragonnx.document.facts import mask_png
from dragonnx.document.latents import current_w_plus
from dragonnx.document.recipe import recipe_of
from dragonnx.document.result import DragResult
from dragonnx.document.state import Document
from dragonnx.errors import InputError
from dragonnx.files import save_bytes
from dragonnx.media import (
    ANIMATION_SUFFIXES,
    PICTURE_SUFFIXES,
    save_animation,
    save_image,
    save_json,
    side_by_side,
    with_points,
)
from dragonnx.model.labels import label_facts
from dragonnx.model.latent import save_latent

if TYPE_CHECKING:
    from PIL.Image import Image

    from dragonnx.model.generator import Generator

MOST_FRAMES = 120
"""An animation of more steps than this shows evenly spaced ones."""

OutputId = Literal["picture", "comparison", "animation", "report", "latent", "mask"]


@dataclass(frozen=True)
class Output:
    """A kind of file.

    Attributes:
        id: Its name.
        label: For users.
        tail: Added to the stem of the file's name where one is suggested.
        suffixes: How the file may end; the first is suggested.
        writer: Writes it; see `write`. Of pictures it takes their quality.
        needs_drag: Whether there must be a drag's steps.
        needs_mask: Whether there must be a mask.
    """

    id: OutputId
    label: str
    tail: str
    suffixes: tuple[str, ...]
    writer: Callable[[Document, Generator, Path, int | None], None]
    needs_drag: bool = False
    needs_mask: bool = False

    def write(
        self, document: Document, generator: Generator, path: Path, quality: int | None = None
    ) -> None:
        """Write it, all or nothing.

        Args:
            document: Of what.
            generator: The document's model.
            path: Where to; it ends as `suffixes` has it.
            quality: Of a JPEG or WebP, 1 to 100; None is 95.

        Raises:
            InputError: There is nothing to write, or the file cannot hold it.
            OutputError: The file cannot be written.
        """
        self.writer(document, generator, path, quality)

    def is_possible(self, document: Document) -> bool:
        """Whether the document has what this shows."""
        dragged = document.result is not None and document.result.steps > 0
        return (dragged or not self.needs_drag) and (
            document.mask is not None or not self.needs_mask
        )


def before_and_after(document: Document, generator: Generator) -> Image:
    """The picture before the last drag and after it, points drawn on both."""
    result = _result(document)
    return side_by_side(
        [_frame(generator, result, latent, at) for latent, at in ((0, 0), (-1, result.steps))]
    )


def frames(document: Document, generator: Generator) -> Iterator[Image]:
    """The last drag's pictures from start to end, at most `MOST_FRAMES`.

    Raises:
        InputError: Nothing was dragged, or the steps' latents were not kept.
    """
    result = _result(document)
    if not result.has_frames:
        raise InputError(
            "the steps of this drag were not kept, as in a document opened from a picture: drag again"
        )
    count = min(result.steps + 1, MOST_FRAMES)
    for k in range(count):
        at = round(k * result.steps / max(count - 1, 1))
        yield _frame(generator, result, at, at)


def report(document: Document) -> dict[str, Any]:
    """The last drag as JSON values. Points are (x, y) in pixels; the trace has one entry a step.

    Raises:
        InputError: Nothing was dragged.
    """
    result = _result(document)
    start = document.start
    return {
        "outcome": result.outcome,
        **({"reason": reason} if (reason := result.reason) else {}),
        "steps": result.steps,
        "seconds": round(result.seconds, 4),
        "device": result.device or None,
        "precision": result.precision or None,
        "model": document.model,
        "seed": start.seed if start.is_seed else None,
        **({} if start.label is None else {"label": label_facts(start.label)}),
        "config": result.settings,
        "points": [
            {
                "handle": handle.tolist(),
                "final": final.tolist(),
                "target": target.tolist(),
                "distance": round(float(np.hypot(*(target - final))), 4),
            }
            for handle, final, target in zip(
                result.trace[0], result.trace[-1], result.targets, strict=True
            )
        ],
        "trace": result.trace[1:].tolist(),
        "loss": result.loss.tolist(),
    }


def free_path(folder: Path, stem: str, suffix: str) -> Path:
    """The first of STEM.suffix, STEM-2.suffix, ... that does not exist yet."""
    path, number = folder / f"{stem}{suffix}", 1
    while os.path.lexists(path):
        number += 1
        path = folder / f"{stem}-{number}{suffix}"
    return path


def _result(document: Document) -> DragResult:
    if document.result is None:
        raise InputError("nothing was dragged yet: set points and start a drag first")
    return document.result


def _frame(generator: Generator, result: DragResult, latent: int, at: int) -> Image:
    image = generator.image(result.latents[latent][None])
    return with_points(image, result.trace[at], result.targets)


def _write_picture(
    document: Document, generator: Generator, path: Path, quality: int | None
) -> None:
    image = generator.image(current_w_plus(document, generator))
    save_image(image, path, recipe_of(document), quality)


def _write_comparison(
    document: Document, generator: Generator, path: Path, quality: int | None
) -> None:
    save_image(before_and_after(document, generator), path, recipe_of(document), quality)


def _write_animation(document: Document, generator: Generator, path: Path, _: int | None) -> None:
    save_animation(frames(document, generator), path)


def _write_report(document: Document, _generator: Generator, path: Path, _: int | None) -> None:
    save_json(report(document), path)


def _write_latent(document: Document, generator: Generator, path: Path, _: int | None) -> None:
    save_latent(current_w_plus(document, generator), path)


def _write_mask(document: Document, _generator: Generator, path: Path, _: int | None) -> None:
    if document.mask is None:
        raise InputError("there is no mask to save: paint one first")
    save_bytes(mask_png(document.mask), path)


_PICTURES = "PNG, JPEG, WebP"

OUTPUTS = (
    Output(
        "picture", f"Picture ({_PICTURES}; opens again as this document)", "", PICTURE_SUFFIXES,
        _write_picture,
    ),
    Output(
        "comparison", f"Before and after, side by side ({_PICTURES})", "-pair", PICTURE_SUFFIXES,
        _write_comparison, needs_drag=True,
    ),
    Output(
        "animation", f"Animation of the drag ({', '.join(ANIMATION_SUFFIXES)})", "-drag",
        ANIMATION_SUFFIXES, _write_animation, needs_drag=True,
    ),
    Output(
        "report", "Report: points, settings, losses (JSON)", "-report", (".json",),
        _write_report, needs_drag=True,
    ),
    Output("latent", "Latent (NPZ)", "", (".npz",), _write_latent),
    Output("mask", "Mask (PNG)", "-mask", (".png",), _write_mask, needs_mask=True),
)  # fmt: skip


def output(name: OutputId) -> Output:
    """The kind of file of that name."""
    return next(each for each in OUTPUTS if each.id == name)
