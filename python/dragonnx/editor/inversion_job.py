"""Inverting a photo, as the worker does it: steps, and what is told of them meanwhile."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dragonnx.document import Document
from dragonnx.document.latents import effective_label
from dragonnx.editor.events import (
    Event,
    InversionEnded,
    InversionProgressed,
    PhotoRead,
    reason_of,
)
from dragonnx.editor.pace import Pace
from dragonnx.editor.pictures import PREVIEW_SECONDS, Pictures
from dragonnx.inversion.config import InversionConfig
from dragonnx.types import Fit, Picture

if TYPE_CHECKING:
    from PIL.Image import Image

    from dragonnx.inversion.photo import Photo
    from dragonnx.inversion.session import InversionSession
    from dragonnx.inversion.window import Box
    from dragonnx.model.generator import Generator

_REPORTED_LOSSES = 60


@dataclass(frozen=True)
class PhotoRequest:
    """A photo to invert, and how.

    Attributes:
        path: The photo.
        config: Settings of the inversion.
        fit: What to do where the photo's shape is not the model's.
        face: What a face in it is aligned by: a file of landmarks, or an .onnx network that finds
            them; None where nothing is aligned.
        box: The part of it to take, left, top, right, bottom in its pixels; None for all of it.
    """

    path: Path
    config: InversionConfig
    fit: Fit = "crop"
    face: Path | None = None
    box: Box | None = None


def invert(
    document: Document,
    request: PhotoRequest,
    generator: Generator,
    pictures: Pictures,
    post: Callable[[Event], object],
    pace: Pace,
) -> None:
    """Invert a photo until all steps are done, or until told to end; the best so far is kept.

    Args:
        document: What the photo will be the start of.
        request: What to invert.
        generator: The document's model.
        pictures: Makes the model's pictures.
        post: Told how it goes.
        pace: How far it may go.

    Raises:
        InputError: The photo cannot be read.
        Exception: The first step failed. Where a later one fails, `InversionEnded` tells it.
    """
    from dragonnx.inversion.session import InversionSession

    photo, note = _part(request, generator.manifest.image_size)
    label = effective_label(document.start, generator)
    session = InversionSession(generator, photo, request.config, label=label)
    name = request.path.name
    post(PhotoRead(name, _pixels(photo.picture), note))
    failure = None
    try:
        _run(session, post, pace)
    except Exception as error:
        if session.steps == 0:
            raise
        failure = reason_of(error)
    w_plus, picture, is_preview = None, None, False
    if session.steps:
        w_plus = session.w_plus
        picture, is_preview = pictures.quick(w_plus)
    post(InversionEnded(document, name, session.steps, session.psnr, w_plus, picture, is_preview,
                        failure))  # fmt: skip


def _part(request: PhotoRequest, image_size: tuple[int, int]) -> tuple[Photo, str]:
    """What the model is shown of a photo, and what is to be said of other faces in it."""
    from dragonnx.inversion.photo import align, load_photo

    photo, face = load_photo(request.path, image_size=image_size), request.face
    if face is None:
        return align(photo, image_size, box=request.box, fit=request.fit), ""
    from dragonnx.inversion.faces.alignment import align_face
    from dragonnx.inversion.faces.choice import landmarks_in

    is_network = face.suffix.lower() == ".onnx"
    points, note = landmarks_in(photo, None if is_network else face, face if is_network else None)
    return align_face(photo, points, image_size, fit=request.fit), note


def _run(session: InversionSession, post: Callable[[Event], object], pace: Pace) -> None:
    """Make steps and tell of them."""
    losses: deque[float] = deque(maxlen=_REPORTED_LOSSES)
    total = session.config.steps
    began, reported = 0.0, 0.0
    while not pace.stops():
        step = next(session, None)
        if step is None:
            return
        losses.append(step.loss)
        now = time.perf_counter()
        began = began or now  # the first step also loads graphs and looks for a start
        if now - reported >= PREVIEW_SECONDS:
            reported = now
            done = step.number - 1
            left = (total - step.number) * (now - began) / done if done else None
            # The step made this picture anyway, so showing it costs no run of the generator.
            picture = _pixels(session.picture)
            post(InversionProgressed(step.number, total, session.psnr, tuple(losses), left,
                                     picture))  # fmt: skip


def _pixels(picture: Image) -> Picture:
    return np.asarray(picture.convert("RGB"))
