"""What the worker and the autosave tell the editor, as values. Facts only: no sentence, no screen."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dragonnx.document import Document
from dragonnx.document.opening import FileKind
from dragonnx.drag.outcome import Outcome
from dragonnx.errors import DragonnxError
from dragonnx.model.manifest import Manifest
from dragonnx.types import Float32, Picture, Points


class Task(enum.Enum):
    """What the worker does; a failure belongs to one of them."""

    OPEN_MODEL = enum.auto()
    MAKE_PICTURE = enum.auto()
    DRAG = enum.auto()
    INVERT = enum.auto()
    SAVE = enum.auto()
    EXPORT = enum.auto()
    OPEN_FILE = enum.auto()
    CONTACT_SHEET = enum.auto()
    READ_DIRECTION = enum.auto()
    WALK = enum.auto()


@dataclass(frozen=True, eq=False)
class Event:
    """Something that happened outside the editor's own thread."""

    def is_replaced_by(self, newer: Event) -> bool:  # noqa: ARG002 for events that come often
        """Whether this event is of no use once a newer one waits behind it."""
        return False


@dataclass(frozen=True, eq=False)
class ModelOpened(Event):
    """A model is ready.

    Attributes:
        model: As the document names it.
        manifest: Its facts.
        device: Where it computes.
    """

    model: str
    manifest: Manifest
    device: str


@dataclass(frozen=True, eq=False)
class ModelChosen(Event):
    """Another model was asked for, and gives pictures; `document` is the one that uses it."""

    document: Document


@dataclass(frozen=True, eq=False)
class PictureMade(Event):
    """The picture of a document is ready, or a coarse one that comes before it."""

    document: Document
    picture: Picture
    is_preview: bool = False

    def is_replaced_by(self, newer: Event) -> bool:
        """Any newer picture is the better one."""
        return isinstance(newer, PictureMade)


@dataclass(frozen=True, eq=False)
class BeforeMade(Event):
    """The picture from before a drag is ready; `latent` is its w_plus, [num_ws, w_dim]."""

    latent: Float32
    picture: Picture


@dataclass(frozen=True, eq=False)
class DragProgressed(Event):
    """A drag made steps. Says everything so far, so that the newest is enough.

    Attributes:
        steps: How many so far.
        handles: Where the handles are now, (x, y), [n, 2].
        distances: How far each is from its target, in pixels, [n].
        trace: Where they were before the first step and after each, [steps + 1, n, 2].
        losses: Of the latest steps.
        steps_per_second: Since the drag was started, or went on.
        picture: How it looks; None where that would have cost too much.
    """

    steps: int
    handles: Points
    distances: NDArray[np.float64]
    trace: NDArray[np.float64]
    losses: tuple[float, ...]
    steps_per_second: float
    picture: Picture | None

    def is_replaced_by(self, newer: Event) -> bool:
        """A newer state is enough, unless it would lose the only picture."""
        return isinstance(newer, DragProgressed) and (
            self.picture is None or newer.picture is not None
        )


@dataclass(frozen=True, eq=False)
class DragEnded(Event):
    """A drag paused or ended.

    Attributes:
        document: As far as the drag got, its result included.
        picture: How it looks.
        is_preview: Whether that is a coarse picture.
        outcome: How the drag ended; None where it can go on.
        failure: Why a step failed, where one did.
    """

    document: Document
    picture: Picture
    is_preview: bool
    outcome: Outcome | None
    failure: str | None = None


@dataclass(frozen=True, eq=False)
class PhotoFound(Event):
    """A file that was to be opened is a photo: how to invert it is to be asked."""

    path: Path


@dataclass(frozen=True, eq=False)
class PhotoRead(Event):
    """A photo was read.

    Attributes:
        name: Its.
        photo: The part of it that is inverted, [H, W, 3].
        note: What is to be said of it; empty where nothing is.
    """

    name: str
    photo: Picture
    note: str = ""


@dataclass(frozen=True, eq=False)
class InversionProgressed(Event):
    """An inversion made steps. Says everything so far, so that the newest is enough.

    Attributes:
        steps: How many so far.
        total: How many there will be.
        psnr: Of the best so far, in dB.
        losses: Of the latest steps.
        seconds_left: How long the rest takes; None after the first step.
        picture: The best so far.
    """

    steps: int
    total: int
    psnr: float
    losses: tuple[float, ...]
    seconds_left: float | None
    picture: Picture

    def is_replaced_by(self, newer: Event) -> bool:
        """A newer state is enough."""
        return isinstance(newer, InversionProgressed)


@dataclass(frozen=True, eq=False)
class InversionEnded(Event):
    """An inversion ended, with the best that it found.

    Attributes:
        document: The document whose start the photo was to become.
        name: The photo's.
        steps: How many were made.
        psnr: Of the best, in dB.
        w_plus: The best, [1, num_ws, w_dim]; None where no step was made.
        picture: The best one's; None likewise.
        is_preview: Whether that is a coarse picture.
        failure: Why a step failed, where one did.
    """

    document: Document
    name: str
    steps: int
    psnr: float
    w_plus: Float32 | None
    picture: Picture | None
    is_preview: bool
    failure: str | None = None


@dataclass(frozen=True, eq=False)
class FileOpened(Event):
    """A file was read, and `document` is what comes of it.

    Attributes:
        document: It, with a model that works.
        path: The file.
        kind: What the file holds.
        notes: What the user should know of how it was read.
        digest: Of what the file held, where it is a document.
    """

    document: Document
    path: Path
    kind: FileKind
    notes: tuple[str, ...] = ()
    digest: str | None = None


@dataclass(frozen=True, eq=False)
class DocumentSaved(Event):
    """A document was written; `digest` tells what its file holds now."""

    document: Document
    path: Path
    digest: str


@dataclass(frozen=True, eq=False)
class FileChanged(Event):
    """A document was not written: its file is no longer as it was read or written last."""

    document: Document
    path: Path


@dataclass(frozen=True, eq=False)
class Exported(Event):
    """An output was written."""

    path: Path


@dataclass(frozen=True, eq=False)
class SheetPictureMade(Event):
    """One more picture of a contact sheet is ready: of a seed, or of a truncation psi, its `name`."""

    ticket: int
    name: float
    picture: Picture


@dataclass(frozen=True, eq=False)
class TaskFailed(Event):
    """A task of the worker failed; the editor still works.

    Attributes:
        task: Which.
        reason: What the error says.
        subject: The file or the model that it was about; empty where the task says enough.
    """

    task: Task
    reason: str
    subject: str = ""


@dataclass(frozen=True, eq=False)
class DirectionsRead(Event):
    """Directions of a model were read, each [1, num_ws, w_dim], by name."""

    model: str
    vectors: Mapping[str, Float32]


@dataclass(frozen=True, eq=False)
class WalkProgressed(Event):
    """So many frames of a walk are made, of all."""

    made: int
    total: int

    def is_replaced_by(self, newer: Event) -> bool:
        """A newer number is enough."""
        return isinstance(newer, WalkProgressed)


@dataclass(frozen=True, eq=False)
class WalkEnded(Event):
    """A walk is written, or was told to end."""


@dataclass(frozen=True, eq=False)
class AutosaveFailed(Event):
    """The document could not be autosaved."""

    reason: str


def reason_of(error: Exception) -> str:
    """What an error says, with its kind where it was not foreseen."""
    if isinstance(error, DragonnxError):
        return str(error)
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
