"""Directions as sliders: how far the picture goes along each, changed at once and kept with the document."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dragonnx.document import Document
from dragonnx.document.directions import Direction
from dragonnx.document.start import FARTHEST_ALONG, MOST_DIRECTIONS, Along
from dragonnx.editor.answers import existing_file
from dragonnx.editor.events import DirectionsRead
from dragonnx.editor.notices import Notice
from dragonnx.editor.recent import Recent
from dragonnx.editor.state import EditorState, Part
from dragonnx.editor.turning import SCALES, amounts, turned
from dragonnx.errors import InputError
from dragonnx.paths import typed_path
from dragonnx.types import Float32

OWN = 10
"""Principal directions of the model that have a slider at first; others are named: pc42."""


@dataclass(frozen=True)
class Slider:
    """A direction that can be gone along.

    Attributes:
        name: Its.
        amount: How far the document goes along it.
        is_known: Whether it can be moved yet: it was read.
        scale: How far it goes where one along a direction of w goes by 1.
    """

    name: str
    amount: float
    is_known: bool
    scale: float = 1.0


class DirectionCommands:
    """What can be done with directions.

    Args:
        state: The editor's.
    """

    def __init__(self, state: EditorState) -> None:
        self._state = state
        self._recent = Recent("directions")
        self._model = ""
        """Whose directions are known."""
        self._known: dict[str, Float32] = {}
        self._sources: dict[str, str] = {}
        """Of those that were asked for, by name, in the order of the sliders."""
        self._wanted = ""
        """What a user has just named: it is remembered once it was read."""

    def sliders(self) -> list[Slider]:
        """The document's own first, then files that were used last, then the model's own; turning last.

        A slider keeps its place when it is moved.
        """
        used = {each.name: each.amount for each in self._state.document.start.directions}
        names = [*(name for name in used if name not in self._sources), *self._sources]
        along = [Slider(name, used.get(name, 0.0), self._is_known(name)) for name in names]
        return [*along, *self._turning()]

    def begin(self) -> None:
        """Have the directions read that can be offered for the document's model.

        Raises:
            InputError: The model is not open yet.
        """
        state = self._state
        if not state.is_model_open or state.model is None:
            raise InputError("The model is not open yet.")
        model = state.document.model
        if model != self._model:
            self._model, self._known, self._sources = model, {}, {}
        own = min(OWN, state.model.manifest.w_dim)
        recent = [each for each in self._recent.all() if _is_there(each)]
        for source in [*recent, *(f"pc{number}" for number in range(own))]:
            self._sources.setdefault(Direction(source, 1).name, source)
        if missing := {n: s for n, s in self._sources.items() if n not in self._known}:
            state.jobs.read_directions(model, missing)

    def add(self, text: str) -> str:
        """Offer one more: a file, FILE#2 for the third in one, or pc42; returns its name.

        Raises:
            InputError: It is none of these, or the file is not there.
        """
        source = text.strip()
        if not source:
            raise InputError("Type a file's name, or pc and a number")
        direction = Direction(source, 1.0)
        if direction.file is not None:
            existing_file(str(direction.file))
            source = str(typed_path(source).absolute())
        name = direction.name
        self._sources = {name: source} | {n: s for n, s in self._sources.items() if n != name}
        self._known.pop(name, None)
        self._wanted = name
        self._state.jobs.read_directions(self._state.document.model, {name: source})
        return name

    def move_to(self, name: str, amount: float) -> None:
        """Go so far along a direction; the picture follows. All moves of one are one edit.

        Raises:
            InputError: It is not read yet, or that is too far.
        """
        if name in SCALES:
            self._turn(name, round(amount, 6) + 0.0)
            return
        if not self._is_known(name):
            raise InputError(f"{name} is not read yet")
        if not abs(amount) <= FARTHEST_ALONG:
            raise InputError(f"Expected: from -{FARTHEST_ALONG:g} to {FARTHEST_ALONG:g}")
        amount = round(amount, 6) + 0.0  # sums of tenths; no -0

        def change(document: Document) -> Document:
            return self._moved(document, name, amount)

        told = Notice(f"{name}: {amount:g}")
        self._state.edit(f"go along {name}", change, f"along {name}", told)

    def _turning(self) -> list[Slider]:
        """Those that turn and move the picture, where the model can."""
        state = self._state
        model = state.model if state.is_model_open else None
        if model is None or model.manifest.graph("transform") is None:
            return []
        found = amounts(state.document)
        return [Slider(name, found[name], True, scale) for name, scale in SCALES.items()]

    def _turn(self, name: str, amount: float) -> None:
        state = self._state
        if state.model is not None:
            state.model.manifest.check_transform()
        turned(state.document, name, amount)  # refuses what is too far before a drag pauses for it

        def change(document: Document) -> Document:
            return turned(document, name, amount)

        state.edit(f"set {name}", change, f"along {name}", Notice(f"{name}: {amount:g}"))

    def read(self, event: DirectionsRead) -> None:
        """Take over directions that were read."""
        if event.model != self._model:
            return
        self._known |= event.vectors
        if self._wanted in event.vectors:
            source = self._sources[self._wanted]
            if Direction(source, 1).file is not None:
                self._recent.add(source)
            self._wanted = ""
        self._state.changed(Part.DIRECTIONS)

    def _moved(self, document: Document, name: str, amount: float) -> Document:
        directions = document.start.directions
        for at, each in enumerate(directions):
            if each.name == name:
                if each.amount == amount:
                    return document
                moved = replace(each, amount=amount)
                return document.with_directions((*directions[:at], moved, *directions[at + 1 :]))
        vector = self._vector(name, document)
        if vector is None or amount == 0:
            return document
        if len(directions) == MOST_DIRECTIONS:  # those that are at 0 say nothing
            directions = tuple(each for each in directions if each.amount)
        return document.with_directions((*directions, Along(name, amount, np.asarray(vector))))

    def _is_known(self, name: str) -> bool:
        document = self._state.document
        used = {each.name for each in document.start.directions}
        return name in used or self._vector(name, document) is not None

    def _vector(self, name: str, document: Document) -> Float32 | None:
        """A direction that was read for the document's model."""
        return self._known.get(name) if document.model == self._model else None


def _is_there(source: str) -> bool:
    """Whether a direction is one of a file that is there."""
    file = Direction(source, 1.0).file
    return file is not None and file.is_file()
