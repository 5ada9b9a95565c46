"""Pictures of many seeds, to choose one."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from dragonnx.editor.editor import Editor
from dragonnx.editor.state import Part
from dragonnx.model.latent import LARGEST_SEED
from dragonnx.tui.drawing.cells import CanvasMode
from dragonnx.tui.drawing.graphics import Graphics
from dragonnx.tui.screens.dialog import Dialog
from dragonnx.tui.widgets.literal import Words
from dragonnx.tui.widgets.sheet import Sheet


class ContactSheetScreen(Dialog[int]):
    """A page of pictures; arrows move, Enter chooses, Page Up and Down turn.

    Args:
        editor: Whose model and truncation.
        mode: How pictures are shown.
        graphics: How the terminal takes real pixels; None where it does not.
    """

    heading = "Contact sheet"
    advice = (
        "Pictures of many seeds, of the same model, class and truncation. The arrows move, Page Up and "
        "Page Down (or p and n, or the wheel) turn pages, Enter or a click chooses."
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

    def __init__(self, editor: Editor, mode: CanvasMode, graphics: Graphics | None = None) -> None:
        super().__init__()
        self._sheet = editor.sheet
        self._mode = mode
        self._graphics = graphics
        self._seed = editor.document.start.seed
        self._first = -1
        self._unsubscribe = editor.state.subscribe(self._changed)

    def compose(self) -> ComposeResult:
        """The page."""
        with Vertical(classes="dialog"):
            yield Words(id="sheet-title", classes="title")
            yield Sheet(self._mode, self._graphics, id="sheet")
            yield Words("Arrows move, Enter or a click chooses, PgUp PgDn turn, Esc leaves",
                        classes="hint")  # fmt: skip

    def on_sheet_laid_out(self, event: Sheet.LaidOut) -> None:
        """Begin with the page of the current seed."""
        event.stop()
        self._first = -1
        self._show()

    def on_sheet_chosen(self, event: Sheet.Chosen) -> None:
        """Answer with the picture that was clicked."""
        event.stop()
        self.dismiss(self._first + event.index)

    def on_sheet_turned(self, event: Sheet.Turned) -> None:
        """Another page."""
        event.stop()
        self.action_turn(event.by)

    def action_move(self, columns: int, rows: int) -> None:
        """Select another picture, on another page where need be."""
        sheet = self.query_one(Sheet)
        self._select(self._seed + columns + rows * sheet.columns)

    def action_turn(self, by: int) -> None:
        """Another page."""
        self._select(self._seed + by * self.query_one(Sheet).count)

    def action_choose(self) -> None:
        """Answer."""
        self.dismiss(self._seed)

    def action_leave(self) -> None:
        """Leave without an answer."""
        self.dismiss(None)

    def on_unmount(self) -> None:
        """Let go of the page."""
        self._unsubscribe()
        self._sheet.close()

    def on_resize(self, _event: events.Resize) -> None:
        """Lay out anew."""
        self._first = -1

    def _changed(self, parts: Part) -> None:
        """Show pictures that came."""
        if Part.SHEET in parts:
            for sheet in self.query(Sheet):  # none while the dialog is taken down
                sheet.show(self._sheet.pictures)

    def _select(self, seed: int) -> None:
        self._seed = min(max(seed, 0), LARGEST_SEED)
        self._show()

    def _show(self) -> None:
        sheet = self.query_one(Sheet)
        first = self._seed // sheet.count * sheet.count
        if first != self._first:
            self._first = first
            sheet.begin(self._sheet.show_page(self._seed, sheet.count))
        sheet.select(self._seed - first)
        self.query_one("#sheet-title", Words).update(f"Seed {self._seed}")
