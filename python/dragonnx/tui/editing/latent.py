"""Choosing the model and the latent that everything starts from."""

from __future__ import annotations

import random
from dataclasses import replace

from dragonnx.document import Document, LatentStart
from dragonnx.errors import BundleError
from dragonnx.model.latent import LARGEST_SEED
from dragonnx.tui.editing.base import EditorBase
from dragonnx.tui.messages import ModelChosen
from dragonnx.tui.screens.choice import ChoiceScreen
from dragonnx.tui.screens.contact_sheet import ContactSheetScreen
from dragonnx.tui.screens.prompt import PromptScreen

_SEED_HELP = "The seed decides the picture: the same seed, model, class and psi give the same one."
_PSI_HELP = (
    "How far pictures are from the average one: 0 is the average, 1 as the model drew them, below 1 "
    "plainer and cleaner. Empty means what suits the model. Points and mask stay."
)
_LABEL_HELP = "The kind of thing that the model draws, by its number in the model's training data."
_MODEL_HELP = (
    "The bundled model, and those in your folder of models; or Tab and the path of a bundle folder. "
    "A model that fails leaves everything as it is."
)


class LatentEditing(EditorBase):
    """Seeds, truncation, models."""

    def action_next_seed(self) -> None:
        """The picture of the next seed."""
        self._seed_by(1)

    def action_previous_seed(self) -> None:
        """The picture of the seed before."""
        self._seed_by(-1)

    def action_random_seed(self) -> None:
        """A picture by chance."""
        self.use_seed(random.randrange(100_000))  # noqa: S311 a picture, no secret

    def action_type_seed(self) -> None:
        """Ask for a seed."""
        self.app.push_screen(
            PromptScreen(
                "Seed", str(self.document.start.seed), check=_seed_problem, advice=_SEED_HELP
            ),
            self._typed,
        )

    def action_type_psi(self) -> None:
        """Ask for truncation psi."""
        psi = self.document.start.truncation_psi
        self.app.push_screen(
            PromptScreen(
                "Truncation psi: empty is the model's", "" if psi is None else f"{psi:g}",
                check=_psi_problem, advice=_PSI_HELP,
            ),
            self._psi_typed,
        )  # fmt: skip

    def action_type_label(self) -> None:
        """Ask for the class."""
        if not self.label_count:
            self.say("This model has no classes to choose from.")
            return
        if self.document.start.w_plus is not None:
            self.say("A class applies to seeds; this picture starts from a latent.")
            return
        last = self.label_count - 1
        self.app.push_screen(
            PromptScreen(f"Class: 0 to {last}", str(self.document.start.label or 0),
                         check=lambda text: _label_problem(text, last), advice=_LABEL_HELP),
            self._label_typed,
        )  # fmt: skip

    def action_contact_sheet(self) -> None:
        """Choose among the pictures of many seeds."""
        self.when_still(
            lambda: self.app.push_screen(
                ContactSheetScreen(self.worker, self.document, self.canvas.mode),
                self._chosen_seed,
            )
        )

    def action_choose_model(self) -> None:
        """Choose a model or name a bundle folder."""
        self.app.push_screen(
            ChoiceScreen(
                "Model", known_models(), other="a bundle folder's path", advice=_MODEL_HELP
            ),
            self._chosen_model,
        )

    def use_seed(self, seed: int) -> None:
        """Start from another seed."""

        def change(document: Document) -> Document:
            old = document.start
            if old.w_plus is None and old.seed == seed:
                return document
            return document.with_start(LatentStart(seed, old.truncation_psi, old.label))

        self.selected = None
        had = bool(self.document.pairs or self.document.mask is not None)
        self.edit(f"choose seed {seed}", change)
        self.say(f"Seed {seed}." + (" Points and mask went with the old one; u undoes." * had))

    def use_model(self, model: str) -> None:
        """Use another model, once it has shown that it works."""
        document = self.document.with_model(model)
        self.say(f"Opening {model} ...")
        self.when_still(
            lambda: self.worker.task(f"open the model {model}", lambda _: ModelChosen(document))
        )

    def on_model_chosen(self, message: ModelChosen) -> None:
        """Go over to a model that works."""
        message.stop()
        model = message.document.model
        self.selected = None
        self.resumable = None
        self.edit(f"choose the model {model}", lambda d: d.with_model(model))

    def _seed_by(self, by: int) -> None:
        self.use_seed((self.document.start.seed + by) % (LARGEST_SEED + 1))

    def _typed(self, text: str | None) -> None:
        if text is not None:
            self.use_seed(int(text))

    def _chosen_seed(self, seed: int | None) -> None:
        if seed is not None:
            self.use_seed(seed)

    def _chosen_model(self, model: str | None) -> None:
        if model and model != self.document.model:
            self.use_model(model)

    def _label_typed(self, text: str | None) -> None:
        if text is None or int(text) == (self.document.start.label or 0):
            return
        label = int(text)
        self.selected = None
        had = bool(self.document.pairs or self.document.mask is not None)
        self.edit(f"choose class {label}", lambda d: d.with_start(replace(d.start, label=label)))
        self.say(
            f"Class {label}." + (" Points and mask went with the old picture; u undoes." * had)
        )

    def _psi_typed(self, text: str | None) -> None:
        if text is None:
            return
        psi = float(text) if text.strip() else None

        def change(document: Document) -> Document:
            if document.start.truncation_psi == psi or document.start.w_plus is not None:
                return document
            start = replace(document.start, truncation_psi=psi)
            return document.with_start(start, keep_points=True)

        if self.document.start.w_plus is not None:
            self.say("Truncation applies to seeds; this picture starts from a latent.")
            return
        self.edit("truncation psi", change)


def known_models() -> list[tuple[str, str]]:
    """Known models: what to open, and what to show."""
    from dragonnx.model.bundle import read_manifest
    from dragonnx.model.library import known_bundles

    found = []
    for folder in known_bundles():
        try:
            manifest = read_manifest(folder)
        except BundleError as error:
            found.append((folder.name, f"{folder.name}  damaged: {error}"))
            continue
        height, width = manifest.image_size
        found.append((folder.name, f"{folder.name}  {width} x {height} px"))
    return found


def _seed_problem(text: str) -> str | None:
    if not text.strip().isdecimal() or int(text) > LARGEST_SEED:
        return f"a whole number from 0 to {LARGEST_SEED}"
    return None


def _label_problem(text: str, last: int) -> str | None:
    fits = text.strip().isdecimal() and int(text) <= last
    return None if fits else f"a whole number from 0 to {last}"


def _psi_problem(text: str) -> str | None:
    if not text.strip():
        return None
    try:
        value = float(text)
    except ValueError:
        return "a number, such as 0.7"
    return None if -2 <= value <= 2 else "from -2 to 2"
