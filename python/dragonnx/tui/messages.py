"""What happened, as messages. The worker posts them; screens act on them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from textual.message import Message

from dragonnx.document import Document, DragResult
from dragonnx.model.manifest import Manifest
from dragonnx.types import Picture


@dataclass
class ModelOpened(Message):
    """A model is ready."""

    model: str
    manifest: Manifest
    device: str


@dataclass
class PictureMade(Message):
    """The picture of a document is ready, or a coarse one that comes before it."""

    document: Document
    picture: Picture
    is_preview: bool = False

    def can_replace(self, message: Message) -> bool:
        """Say that a newer picture makes a waiting one useless."""
        return isinstance(message, PictureMade)


@dataclass
class DragProgressed(Message):
    """A drag made steps. Says everything so far, so that the newest is enough."""

    steps: int
    handles: NDArray[np.float64]
    distances: NDArray[np.float64]
    trace: NDArray[np.float64]
    losses: tuple[float, ...]
    steps_per_second: float
    picture: Picture | None

    def can_replace(self, message: Message) -> bool:
        """Say that a newer state makes a waiting one useless, unless it would lose the only picture."""
        return isinstance(message, DragProgressed) and (
            self.picture is None or message.picture is not None
        )


@dataclass
class DragEnded(Message):
    """A drag paused or ended, with what it reached since it began."""

    result: DragResult
    picture: Picture
    is_preview: bool
    advice: str
    continues: bool


@dataclass
class PhotoOpened(Message):
    """A file that was to be opened is a photo, which can be recreated."""

    path: Path


@dataclass
class InversionStarted(Message):
    """A photo was read; this is the part of it that is recreated."""

    name: str
    photo: Picture


@dataclass
class InversionProgressed(Message):
    """An inversion made steps. Says everything so far, so that the newest is enough."""

    steps: int
    total: int
    psnr: float
    losses: tuple[float, ...]
    seconds_left: float | None
    picture: Picture

    def can_replace(self, message: Message) -> bool:
        """Say that a newer state makes a waiting one useless."""
        return isinstance(message, InversionProgressed)


@dataclass
class InversionEnded(Message):
    """An inversion ended, with the best that it found; w_plus is None where it made no step."""

    document: Document
    name: str
    steps: int
    psnr: float
    w_plus: NDArray[np.float32] | None
    picture: Picture | None
    is_preview: bool


@dataclass
class WorkFailed(Message):
    """Something in the worker went wrong; the editor still works."""

    what: str
    reason: str


@dataclass
class WorkDone(Message):
    """A task in the worker ended well."""

    what: str
    value: Any = None


@dataclass
class SheetGrown(Message):
    """One more picture of the contact sheet is ready."""

    ticket: int
    seed: int
    picture: Picture


@dataclass
class ModelChosen(Message):
    """Another model was asked for, and works."""

    document: Document


@dataclass
class FileOpened(Message):
    """A document, a picture or a latent was read."""

    document: Document
    path: Path
    is_document: bool


@dataclass
class AutosaveFailed(Message):
    """The document could not be autosaved."""

    reason: str
