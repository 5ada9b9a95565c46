"""Walks from the picture to others, as an animation: made by the worker, told frame by frame, ended at will."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dragonnx.document import Document
from dragonnx.document.latents import current_w_plus
from dragonnx.document.waypoints import Waypoint, w_plus_of, waypoint
from dragonnx.editor.answers import existing_file
from dragonnx.editor.events import Event, Exported, WalkEnded, WalkProgressed
from dragonnx.errors import InputError
from dragonnx.media import save_animation
from dragonnx.model.latent_walk import check_walk, walk

if TYPE_CHECKING:
    from PIL.Image import Image

    from dragonnx.model.generator import Generator

FRAMES = 60
"""Where nobody says how many."""


@dataclass(frozen=True, eq=False)
class WalkRequest:
    """A walk from the document's picture.

    Attributes:
        to: Where to, one after the other.
        frames: How many pictures.
        loop: Whether to go back to the picture.
        path: The animation to write.
    """

    to: tuple[Waypoint, ...]
    frames: int
    loop: bool
    path: Path


def waypoints_of(text: str, document: Document) -> tuple[Waypoint, ...]:
    """What is typed: seeds and files, separated by commas; seeds of the document's truncation and class.

    Raises:
        InputError: Nothing is named, or a file is not there.
    """
    start = document.start
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise InputError("Type a seed or a file, or several with commas between them")
    if len(parts) > 1 and Path(text.strip()).is_file():  # a name may have commas
        parts = [text.strip()]
    found = [waypoint(part, start.truncation_psi, start.label) for part in parts]
    for each in found:
        if isinstance(each, Path):
            existing_file(str(each))
    return tuple(found)


def check_frames(to: tuple[Waypoint, ...], frames: int) -> None:
    """Refuse too few frames for a walk there, or too many.

    Raises:
        InputError: They are.
    """
    check_walk(len(to) + 1, frames)


class _Ended(Exception):  # noqa: N818 no error: it was asked for
    """The walk was told to end."""


def write_walk(
    document: Document,
    request: WalkRequest,
    generator: Generator,
    post: Callable[[Event], object],
    stop: threading.Event,
) -> None:
    """Write a walk, all or nothing.

    Args:
        document: Where it begins.
        request: The walk.
        generator: The document's model.
        post: Told of each frame, and of the end.
        stop: Set to end it; nothing is written then.

    Raises:
        InputError: A file does not fit the model, or the animation cannot be written.
    """
    latents = [w_plus_of(each, generator) for each in request.to]
    points = np.concatenate([current_w_plus(document, generator), *latents])

    def frames() -> Iterator[Image]:
        for number, latent in enumerate(walk(points, request.frames, loop=request.loop), 1):
            if stop.is_set():
                raise _Ended
            yield generator.image(latent)
            post(WalkProgressed(number, request.frames))

    try:
        save_animation(frames(), request.path, holds_last=not request.loop)
    except _Ended:
        post(WalkEnded())
    else:
        post(Exported(request.path))
        post(WalkEnded())
