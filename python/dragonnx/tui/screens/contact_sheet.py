"""Pictures of many seeds, to choose one, or some for the same edit."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import ClassVar, TypeAlias

from textual.binding import Binding, BindingType

from dragonnx.editor.editor import Editor
from dragonnx.errors import InputError
from dragonnx.model.latent import LARGEST_SEED
from dragonnx.tui.drawing.cells import CanvasMode
from dragonnx.tui.drawing.graphics import Graphics
from dragonnx.tui.screens.sheet_dialog import SheetDialog
from dragonnx.tui.widgets.sheet import Sheet
from dragonnx.types import Picture

SeedChoice: TypeAlias = int | tuple[int, ...]
"""A seed to go on with, or some that were marked for the same edit."""


class ContactSheetScreen(SheetDialog[SeedChoice]):
    """A page of seeds; Space or the right button marks some.

    Args:
        editor: Whose model and truncation.
        mode: How pictures are shown.
        graphics: How the terminal takes real pixels; None where it does not.
    """

    heading = "Contact sheet"
    advice = (
        "Pictures of many seeds, of the same model, class and truncation. The arrows move, Page Up and "
        "Page Down (or p and n, or the wheel) turn pages, Enter or a click chooses. Space or the right "
        "button marks seeds, e does the edit of the document, its points and its mask, on all that "
        "are marked, while you go on."
    )
    hint = "Enter or click: choose. Space: mark, e: same edit on marked. PgUp PgDn: turn"
    buttons = ("Choose", "Same edit on marked")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "Mark"),
        Binding("e", "edit_marked", "Same edit on the marked"),
    ]

    def __init__(self, editor: Editor, mode: CanvasMode, graphics: Graphics | None = None) -> None:
        super().__init__(
            editor, mode, graphics, count=LARGEST_SEED + 1, at=editor.document.start.seed
        )
        self._marked = editor.other_seeds.marked

    def begin_page(self, first: int, count: int) -> list[str]:
        """See `SheetDialog.begin_page`."""
        return [str(seed) for seed in self.editor.sheet.show_page(first, count)]

    def pictures(self, first: int) -> Mapping[int, Picture]:
        """See `SheetDialog.pictures`."""
        return {int(seed) - first: each for seed, each in self.editor.sheet.pictures.items()}

    def headline(self) -> str:
        """See `SheetDialog.headline`."""
        marked = f", {len(self._marked)} marked" if self._marked else ""
        return f"Seed {self.selected}{marked}"

    def marked(self) -> Collection[int]:
        """See `SheetDialog.marked`."""
        return self._marked

    def end(self) -> None:
        """See `SheetDialog.end`."""
        self.editor.sheet.close()

    def on_sheet_marked(self, event: Sheet.Marked) -> None:
        """Mark the picture that was clicked."""
        event.stop()
        self.select(self._first + event.index)
        self.action_mark()

    def action_mark(self) -> None:
        """Mark what is selected, or no more."""
        if self.selected in self._marked:
            del self._marked[self.selected]
        else:
            self._marked[self.selected] = None
        self.show()

    def action_edit_marked(self) -> None:
        """Answer with those that are marked."""
        seeds = tuple(self._marked)
        try:
            self.editor.other_seeds.check(seeds)
        except InputError as error:
            self.show_problem(f"{error}.")
        else:
            self.dismiss(seeds)

    def other(self) -> None:
        """The button for the same edit."""
        self.action_edit_marked()

    def accept(self) -> None:
        """Answer with what is selected."""
        self.dismiss(self.selected)
