"""What the same edit on other seeds tells the editor, as values; see `events`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dragonnx.editor.events import Event
from dragonnx.types import Picture


@dataclass(frozen=True, eq=False)
class SeedEdited(Event):
    """The same edit is done on another seed, or could not be done.

    Attributes:
        batch: The one that it belongs to.
        seed: Which.
        path: The picture with its recipe; None where it could not be done.
        picture: How that looks, small.
        told: How the drag ended.
        failure: Why it could not be done; empty where it was.
    """

    batch: object
    seed: int
    path: Path | None = None
    picture: Picture | None = None
    told: str = ""
    failure: str = ""


@dataclass(frozen=True, eq=False)
class SeedBatchEnded(Event):
    """The same edit is done on all seeds, or ended before; `failure` says why where it had to."""

    batch: object
    failure: str = ""


@dataclass(frozen=True, eq=False)
class SeedsSaved(Event):
    """What came of these seeds lies in a folder as pictures; `failure` says why it does not."""

    batch: object
    folder: Path
    seeds: tuple[int, ...]
    failure: str = ""
