"""Choosing the model and the latent that everything starts from."""

from __future__ import annotations

import random
from dataclasses import replace

from dragonnx.document import Document, LatentStart
from dragonnx.errors import BundleError
from dragonnx.latent import LARGEST_SEED
from dragonnx.tui.editing.base import EditorBase
from dragonnx.tui.screens.choice import ChoiceScreen
from dragonnx.tui.screens.contact_sheet import ContactSheetScreen
from dragonnx.tui.screens.prompt import PromptScreen


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
            PromptScreen("Seed", str(self.document.start.seed), check=_seed_problem), self._typed
        )

    def action_type_psi(self) -> None:
        """Ask for truncation psi."""
        psi = self.document.start.truncation_psi
        self.app.push_screen(
            PromptScreen(
                "Truncation psi; empty is the model's", "" if psi is None else f"{psi:g}",
                check=_psi_problem,
            ),
            self._psi_typed,
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
            ChoiceScreen("Model", known_models(), other="a bundle folder's path"),
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
        """Use another model."""
        self.selected = None
        self.edit(f"choose the model {model}", lambda d: d.with_model(model))
        self.say(f"Opening {model} ...")

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
    from dragonnx.bundle import read_manifest
    from dragonnx.library import known_bundles

    found = []
    for folder in known_bundles():
        try:
            manifest = read_manifest(folder)
        except BundleError:
            continue
        height, width = manifest.image_size
        found.append((folder.name, f"{folder.name}  {width} x {height} px"))
    return found


def _seed_problem(text: str) -> str | None:
    if not text.strip().isdecimal() or int(text) > LARGEST_SEED:
        return f"a whole number from 0 to {LARGEST_SEED}"
    return None


def _psi_problem(text: str) -> str | None:
    if not text.strip():
        return None
    try:
        value = float(text)
    except ValueError:
        return "a number, such as 0.7"
    return None if -2 <= value <= 2 else "from -2 to 2"
