"""Pictures of many seeds, to choose one."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Label

from dragonnx.document import Document
from dragonnx.model.latent import LARGEST_SEED
from dragonnx.tui.cells import CanvasMode
from dragonnx.tui.messages import SheetGrown
from dragonnx.tui.screens.dialog import Dialog
from dragonnx.tui.widgets.sheet import Sheet
from dragonnx.tui.worker import Worker
from dragonnx.types import Picture


class ContactSheetScreen(Dialog[int]):
    """A page of pictures; arrows move, Enter chooses, Page Up and Down turn.

    Args:
        worker: Makes the pictures.
        document: Whose model and truncation.
        mode: How pictures are shown.
    """

    heading = "Contact sheet"
    advice = (
        "Pictures of many seeds, of the same model, class and truncation. The arrows move, Page Up and "
        "Page Down (or p and n) turn pages, Enter or a click chooses."
    )

    CSS_PATH: ClassVar[list[str]] = ["dialog.tcss", "contact_sheet.tcss"]  # type: ignore[assignment]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1, 0)", "Left", show=False),
        Binding("right", "move(1, 0)", "Right", show=False),
        Binding("up", "move(0, -1)", "Up", show=False),
        Binding("down", "move(0, 1)", "Down", show=False),
        Binding("pagedown,n", "turn(1)", "Next page"),
        Binding("pageup,p", "turn(-1)", "Previous page"),
        Binding("enter,space", "choose", "Choose"),
    ]

    def __init__(self, worker: Worker, document: Document, mode: CanvasMode) -> None:
        super().__init__()
        self._worker = worker
        self._document = document
        self._mode = mode
        self._ticket = 0
        self._seed = document.start.seed
        self._first = -1

    def compose(self) -> ComposeResult:
        """The page."""
        with Vertical(classes="dialog"):
            yield Label("", id="sheet-title", classes="title", markup=False)
            yield Sheet(self._mode, id="sheet")
            yield Label("Arrows move, Enter or a click chooses, PgUp PgDn turn, Esc leaves",
                        classes="hint")  # fmt: skip

    def on_sheet_laid_out(self, event: Sheet.LaidOut) -> None:
        """Begin with the page of the current seed."""
        event.stop()
        self._first = -1
        self._show()

    def on_sheet_chosen(self, event: Sheet.Chosen) -> None:
        """Answer with the picture that was clicked."""
        event.stop()
        self._leave(self._first + event.index)

    def on_sheet_grown(self, message: SheetGrown) -> None:
        """Show one more picture."""
        message.stop()
        self.receive(message.ticket, message.seed, message.picture)

    def receive(self, ticket: int, seed: int, picture: Picture) -> None:
        """Show a picture, where it belongs to this page."""
        if ticket == self._ticket:
            self.query_one(Sheet).put(seed - self._first, seed, np.asarray(picture))

    def action_move(self, columns: int, rows: int) -> None:
        """Select another picture, on another page where need be."""
        sheet = self.query_one(Sheet)
        self._select(self._seed + columns + rows * sheet.columns)

    def action_turn(self, by: int) -> None:
        """Another page."""
        self._select(self._seed + by * self.query_one(Sheet).count)

    def action_choose(self) -> None:
        """Answer."""
        self._leave(self._seed)

    def action_leave(self) -> None:
        """Leave without an answer."""
        self._worker.drop_sheet()
        self.dismiss(None)

    def on_resize(self, _event: events.Resize) -> None:
        """Lay out anew."""
        self._first = -1

    def _leave(self, seed: int) -> None:
        self._worker.drop_sheet()
        self.dismiss(seed)

    def _select(self, seed: int) -> None:
        self._seed = min(max(seed, 0), LARGEST_SEED)
        self._show()

    def _show(self) -> None:
        sheet = self.query_one(Sheet)
        first = self._seed // sheet.count * sheet.count
        if first != self._first:
            self._first = first
            seeds = [seed for seed in range(first, first + sheet.count) if seed <= LARGEST_SEED]
            sheet.clear(seeds)
            self._ticket = self._worker.sheet(self._document, seeds)
        sheet.select(self._seed - first)
        self.query_one("#sheet-title", Label).update(f"Seed {self._seed}")
