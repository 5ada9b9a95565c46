"""What every dialog of many pictures is: pages of tiles, one of which is selected and can be chosen."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from dragonnx.editor.editor import Editor
from dragonnx.editor.state import Part
from dragonnx.tui.drawing.cells import CanvasMode
from dragonnx.tui.drawing.graphics import Graphics
from dragonnx.tui.screens.dialog import Answer, Buttons, Dialog
from dragonnx.tui.widgets.literal import Words
from dragonnx.tui.widgets.sheet import Sheet
from dragonnx.types import Picture


class SheetDialog(Dialog[Answer]):
    """Pages of pictures; arrows move, Enter or a click chooses, Page Up and Down or the wheel turn.

    Args:
        editor: Whose pictures.
        mode: How pictures are shown.
        graphics: How the terminal takes real pixels; None where it does not.
        count: How many pictures there are.
        at: Which of them is selected at first, from 0.
    """

    CSS_PATH: ClassVar[list[str]] = ["dialog.tcss", "sheet_dialog.tcss"]  # type: ignore[assignment]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1, 0)", "Left", show=False),
        Binding("right", "move(1, 0)", "Right", show=False),
        Binding("up", "move(0, -1)", "Up", show=False),
        Binding("down", "move(0, 1)", "Down", show=False),
        Binding("pagedown,n", "turn(1)", "Next page"),
        Binding("pageup,p", "turn(-1)", "Previous page"),
        Binding("enter", "choose", "Choose"),
    ]
    hint = "Arrows move, Enter or a click chooses, PgUp PgDn turn, Esc leaves"
    buttons = ("Choose", "")
    """What the accepting button says, and another one; empty for none."""

    def __init__(
        self,
        editor: Editor,
        mode: CanvasMode,
        graphics: Graphics | None,
        *,
        count: int,
        at: int = 0,
    ) -> None:
        super().__init__()
        self.editor = editor
        self._mode = mode
        self._graphics = graphics
        self._count = count
        self.selected = at
        self._first = -1
        """Of the page; -1 before it is laid out."""
        self._unsubscribe = editor.state.subscribe(self._changed)

    # --- of each dialog -----------------------------------------------------------------------

    def begin_page(self, first: int, count: int) -> list[str]:
        """Have the pictures made from `first` on, so many or fewer; returns their titles."""
        raise NotImplementedError

    def pictures(self, first: int) -> Mapping[int, Picture]:
        """The pictures of the page that begins there, by tile, as far as there are some."""
        raise NotImplementedError

    def headline(self) -> str:
        """What is selected."""
        raise NotImplementedError

    def marked(self) -> Collection[int]:
        """Which pictures are marked."""
        return ()

    def end(self) -> None:
        """Let go of what was begun."""

    # --- of all -------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """The page."""
        with Vertical(classes="dialog"):
            yield Words(id="sheet-title", classes="title")
            yield Sheet(self._mode, self._graphics, count=self._count, id="sheet")
            yield Words(self.hint, classes="hint")
            yield Buttons(*self.buttons)

    def on_sheet_laid_out(self, event: Sheet.LaidOut) -> None:
        """Begin with the page of what is selected."""
        event.stop()
        self.begin_again()

    def on_sheet_chosen(self, event: Sheet.Chosen) -> None:
        """Choose the picture that was clicked."""
        event.stop()
        self.select(self._first + event.index)
        self.accept()

    def on_sheet_turned(self, event: Sheet.Turned) -> None:
        """Another page."""
        event.stop()
        self.action_turn(event.by)

    def action_move(self, columns: int, rows: int) -> None:
        """Select another picture, on another page where need be."""
        sheet = self.query_one(Sheet)
        self.select(self.selected + columns + rows * sheet.columns)

    def action_turn(self, by: int) -> None:
        """Another page."""
        self.select(self.selected + by * self.query_one(Sheet).count)

    def action_choose(self) -> None:
        """Answer with what is selected."""
        self.accept()

    def on_unmount(self) -> None:
        """Let go of the page."""
        self._unsubscribe()
        self.end()

    def on_resize(self, _event: events.Resize) -> None:
        """Lay out anew."""
        self._first = -1

    def show_problem(self, text: str) -> None:
        """Say what is wrong where the hint is: a line of its own would move the pictures."""
        self.query_one(".hint", Words).update(text or self.hint)

    def select(self, index: int) -> None:
        """Select a picture, on another page where need be."""
        self.selected = min(max(index, 0), self._count - 1)
        self.show_problem("")
        self.show()

    def begin_again(self) -> None:
        """Begin the page anew: its titles are others."""
        self._first = -1
        self.show()

    def show(self) -> None:
        """Show what is selected and marked."""
        sheet = self.query_one(Sheet)
        first = self.selected // sheet.count * sheet.count
        if first != self._first:
            self._first = first
            sheet.begin(self.begin_page(first, sheet.count))
            sheet.show(self.pictures(first))
        sheet.select(self.selected - first, [index - first for index in self.marked()])
        self.query_one("#sheet-title", Words).update(self.headline())

    def _changed(self, parts: Part) -> None:
        """Show pictures that came."""
        if Part.SHEET in parts and self._first >= 0 and self.query(Sheet):
            self.pictures_came()  # there is no sheet while the dialog is taken down

    def pictures_came(self) -> None:
        """Show the pictures that there are now."""
        self.query_one(Sheet).show(self.pictures(self._first))
