"""Pictures of many seeds, or of one seed at many truncations, to choose one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dragonnx.document import LatentStart
from dragonnx.editor.events import SheetPictureMade
from dragonnx.editor.latent import require_seed
from dragonnx.editor.state import EditorState, Part
from dragonnx.model.latent import LARGEST_SEED
from dragonnx.types import Picture


class ContactSheet:
    """The page that is shown, and its pictures as far as they are made.

    Model, class, truncation and directions are the document's.

    Args:
        state: The editor's.
    """

    def __init__(self, state: EditorState) -> None:
        self._state = state
        self._ticket = 0
        self.seeds: list[int] = []
        """Of the page; none where it is of truncations."""
        self.pictures: dict[float, Picture] = {}
        """By seed, or by truncation psi."""

    def show_page(self, seed: int, count: int) -> list[int]:
        """Begin the page that a seed is on, of so many pictures; returns its seeds."""
        first = min(max(seed, 0), LARGEST_SEED) // count * count
        seeds = list(range(first, min(first + count, LARGEST_SEED + 1)))
        start = self._state.document.start
        self._show({seed: replace(start, seed=seed, w_plus=None, name="") for seed in seeds})
        self.seeds = seeds
        return seeds

    def show_truncations(self, psis: Sequence[float]) -> None:
        """Begin a page of the document's seed at these truncations.

        Raises:
            InputError: The picture starts from a latent.
        """
        self.check_truncations()
        start = self._state.document.start
        self._show({psi: replace(start, truncation_psi=psi) for psi in psis})

    def check_truncations(self) -> None:
        """Refuse a picture to which truncation does not apply.

        Raises:
            InputError: It starts from a latent.
        """
        require_seed(self._state.document.start, "Truncation")

    def close(self) -> None:
        """Let go of the page; pictures that are not made yet are not made."""
        self._state.jobs.drop_sheet()
        self._ticket, self.seeds, self.pictures = 0, [], {}

    def picture_made(self, event: SheetPictureMade) -> None:
        """Take over a picture, where it belongs to this page."""
        if event.ticket == self._ticket:
            self.pictures[event.name] = event.picture
            self._state.changed(Part.SHEET)

    def _show(self, starts: dict[float, LatentStart]) -> None:
        self.seeds, self.pictures = [], {}
        self._ticket = self._state.jobs.make_sheet(self._state.document.model, starts)
