"""Choosing the model and the latent that everything starts from."""

from __future__ import annotations

import random
from dataclasses import replace

from dragonnx.document import Document, LatentStart
from dragonnx.editor.answers import sensible_psi
from dragonnx.editor.comparison import Comparison
from dragonnx.editor.events import ModelChosen, ModelOpened, PictureMade
from dragonnx.editor.notices import FIRST_HINT, Notice
from dragonnx.editor.phase import Idle
from dragonnx.editor.state import EditorState, Part
from dragonnx.errors import InputError
from dragonnx.model.labels import Label, fitting_label, label_text
from dragonnx.model.latent import LARGEST_SEED, checked_seed
from dragonnx.model.library import model_name

_SEEDS_BY_CHANCE = 100_000


class LatentCommands:
    """What can be done with the start of a picture: its model, seed, class and truncation.

    Args:
        state: The editor's.
    """

    def __init__(self, state: EditorState) -> None:
        self._state = state
        self._about_model = Notice()
        """What is to be said of the model that was opened last."""

    def next_seed(self) -> None:
        """The picture of the next seed."""
        self.use_seed((self._state.document.start.seed + 1) % (LARGEST_SEED + 1))

    def previous_seed(self) -> None:
        """The picture of the seed before."""
        self.use_seed((self._state.document.start.seed - 1) % (LARGEST_SEED + 1))

    def random_seed(self) -> None:
        """A picture by chance."""
        self.use_seed(random.randrange(_SEEDS_BY_CHANCE))  # noqa: S311 a picture, no secret

    def use_seed(self, seed: int) -> None:
        """Start from another seed.

        Raises:
            InputError: It is no seed.
        """
        checked_seed(seed)

        def change(document: Document) -> Document:
            old = document.start
            if old.w_plus is None and old.seed == seed:
                return document
            return document.with_start(replace(old, seed=seed, w_plus=None, name=""))

        lost = change(self._state.document) is not self._state.document and self._loses_points()
        told = f"Seed {seed}." + " Points and mask went with the old one; u undoes." * lost
        self._state.edit(f"choose seed {seed}", change, told=Notice(told))

    def use_psi(self, psi: float | None) -> None:
        """Use another truncation psi; None is the model's. Points and mask stay.

        Raises:
            InputError: It makes no sense, or the picture starts from a latent.
        """
        if psi is not None:
            sensible_psi(psi)
        require_seed(self._state.document.start, "Truncation")

        def change(document: Document) -> Document:
            if document.start.truncation_psi == psi:
                return document
            start = replace(document.start, truncation_psi=psi)
            return document.with_start(start, keep_points=True)

        self._state.edit("truncation psi", change)

    def label_count(self) -> int:
        """How many classes there are to choose from.

        Raises:
            InputError: None, or the picture starts from a latent.
        """
        count = 0 if self._state.model is None else self._state.model.manifest.label_dim
        if not count:
            raise InputError("This model has no classes to choose from.")
        require_seed(self._state.document.start, "A class")
        return count

    def use_label(self, label: Label) -> None:
        """Use another class, several, or weights by class.

        Raises:
            InputError: There is no such class, or the picture starts from a latent.
        """
        model = self._state.document.model
        chosen = fitting_label(label, model, self.label_count())
        assert chosen is not None, "the model has classes"  # noqa: S101
        name = label_text(chosen)
        if name == label_text(self._state.document.start.label):
            return
        lost = self._loses_points()
        told = f"Class {name}." + " Points and mask went with the old picture; u undoes." * lost
        self._state.edit(
            f"choose class {name}",
            lambda d: d.with_start(replace(d.start, label=chosen)),
            told=Notice(told),
        )

    def use_model(self, model: str) -> None:
        """Use another model, by its name or its folder's path, once it has shown that it works."""
        state = self._state
        name = model_name(model) if model else state.document.model
        if name == state.document.model:
            return
        state.say(f"Opening {model} ...")
        state.when_idle(lambda: state.jobs.use_model(state.document.with_model(name)))

    def model_opened(self, event: ModelOpened) -> None:
        """Take over the model's facts."""
        state, manifest = self._state, event.manifest
        height, width = manifest.image_size
        state.model = event
        state.picture = state.pictured = None
        state.comparison = Comparison()
        state.stroke = state.gripped = None
        state.put_cursor(width // 2, height // 2)
        state.radius = max(width / 12, 1.0)
        state.changed()
        hint = FIRST_HINT if state.is_first_time else "Space drags. F1 is help."
        start, count = state.document.start, manifest.label_dim
        if count and start.label is None and start.w_plus is None:
            hint = f"This is class 0 of {count}: l chooses another. {hint}"
        self._about_model = Notice(f"{hint} {manifest.name} on {event.device}.", "hint")
        state.say(self._about_model.text, self._about_model.tone)

    def model_chosen(self, event: ModelChosen) -> None:
        """Go over to a model that works."""
        state, model = self._state, event.document.model

        def use() -> None:
            state.selected = None
            state.enter(Idle())
            state.edit(
                f"choose the model {model}", lambda d: d.with_model(model), told=self._about_model
            )

        state.when_idle(use)

    def picture_made(self, event: PictureMade) -> None:
        """Show the picture of the document, or one on the way to it."""
        state = self._state
        if state.running is None and not state.shows_document:
            state.picture = event.picture
            state.pictured = None if event.is_preview else event.document
            state.autosave_picture()
            state.changed(Part.SCENE | Part.FACTS)

    def _loses_points(self) -> bool:
        """Whether another picture drops something; nothing stays selected then."""
        document = self._state.document
        self._state.selected = None
        return bool(document.pairs or document.mask is not None)


def require_seed(start: LatentStart, what: str) -> None:
    """Refuse what is for seeds where a picture starts from a latent.

    Args:
        start: What the picture starts from.
        what: Is refused: "Truncation".

    Raises:
        InputError: It starts from one.
    """
    if start.w_plus is not None:
        raise InputError(f"{what} applies to seeds; this picture starts from a latent.")
