"""Recreating a photo, as the worker does it: steps, and what is told of them meanwhile."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from textual.message import Message

from dragonnx.document import Document
from dragonnx.document.latents import effective_label
from dragonnx.inversion.config import InversionConfig
from dragonnx.tui.messages import InversionEnded, InversionProgressed, InversionStarted
from dragonnx.tui.pictures import PREVIEW_SECONDS, Pictures
from dragonnx.types import Picture

if TYPE_CHECKING:
    from PIL.Image import Image

    from dragonnx.inversion.session import InversionSession
    from dragonnx.model.generator import Generator
    from dragonnx.types import Fit

RECREATING = "recreate the photo"
"""The job's name, for people: after "could not"."""
_TOLD_LOSSES = 60


@dataclass(frozen=True)
class PhotoWish:
    """A photo to recreate, and how.

    Attributes:
        path: The photo.
        config: Settings of the inversion.
        fit: What to do where the photo's shape is not the model's.
    """

    path: Path
    config: InversionConfig
    fit: Fit = "crop"


def recreate(
    document: Document,
    wish: PhotoWish,
    generator: Generator,
    pictures: Pictures,
    post: Callable[[Message], Any],
    goes_on: Callable[[], bool],
) -> None:
    """Recreate a photo until all steps are done, or until told to end; the best so far is kept.

    Args:
        document: What the photo will be the start of.
        wish: What to recreate.
        generator: The document's model.
        pictures: Makes the last picture.
        post: Posts a message to the screen.
        goes_on: Asked before each step, and may wait.

    Raises:
        InputError: The photo cannot be read.
        Exception: A step failed; what was found before it is posted first.
    """
    from dragonnx.inversion.photo import align, load_photo
    from dragonnx.inversion.session import InversionSession

    photo = align(load_photo(wish.path), generator.manifest.image_size, fit=wish.fit)
    label = effective_label(document.start, generator)
    session = InversionSession(generator, photo, wish.config, label=label)
    post(InversionStarted(wish.path.name, _pixels(photo.picture)))
    failure = _run(session, post, goes_on)
    if failure is not None and session.steps == 0:
        raise failure
    w_plus, picture, is_preview = None, None, False
    if session.steps:
        w_plus = session.w_plus
        picture, is_preview = pictures.quick(w_plus)
    post(InversionEnded(document, wish.path.name, session.steps, session.psnr,
                        w_plus, picture, is_preview))  # fmt: skip
    if failure is not None:
        raise failure


def _run(
    session: InversionSession, post: Callable[[Message], Any], goes_on: Callable[[], bool]
) -> Exception | None:
    """Make steps and tell of them; the exception that ended them, where one did."""
    losses: deque[float] = deque(maxlen=_TOLD_LOSSES)
    began, told = 0.0, 0.0
    while goes_on():
        try:
            step = next(session)
        except StopIteration:
            break
        except Exception as error:
            return error
        losses.append(step.loss)
        now = time.perf_counter()
        began = began or now  # the first step also loads graphs and looks for a start
        if now - told >= PREVIEW_SECONDS:
            told = now
            done = step.number - 1
            left = (session.config.steps - step.number) * (now - began) / done if done else None
            # The step made this picture anyway, so showing it costs no run of the generator.
            picture = _pixels(session.picture)
            post(InversionProgressed(step.number, session.config.steps, session.psnr,
                                     tuple(losses), left, picture))  # fmt: skip
    return None


def _pixels(picture: Image) -> Picture:
    return np.asarray(picture.convert("RGB"))
