"""Pages of pictures of many seeds, to choose one."""

from __future__ import annotations

from dragonnx.editor.events import SheetPictureMade
from dragonnx.editor.state import EditorState, Part
from dragonnx.model.latent import LARGEST_SEED
from dragonnx.types import Picture


class ContactSheet:
    """The page that is shown, and its pictures as far as they are made.

    Args:
        state: The editor's.
    """

    def __init__(self, state: EditorState) -> None:
        self._state = state
        self._ticket = 0
        self.seeds: list[int] = []
        """Of the page."""
        self.pictures: dict[int, Picture] = {}
        """By seed."""

    def show_page(self, seed: int, count: int) -> list[int]:
        """Begin the page that a seed is on, of so many pictures; returns its seeds.

        Model, class and truncation are the document's.
        """
        first = min(max(seed, 0), LARGEST_SEED) // count * count
        self.seeds = list(range(first, min(first + count, LARGEST_SEED + 1)))
        self.pictures = {}
        self._ticket = self._state.jobs.make_sheet(self._state.document, self.seeds)
        return self.seeds

    def close(self) -> None:
        """Let go of the page; pictures that are not made yet are not made."""
        self._state.jobs.drop_sheet()
        self.seeds, self.pictures = [], {}

    def picture_made(self, event: SheetPictureMade) -> None:
        """Take over a picture, where it belongs to this page."""
        if event.ticket == self._ticket and event.seed in self.seeds:
            self.pictures[event.seed] = event.picture
            self._state.changed(Part.SHEET)
