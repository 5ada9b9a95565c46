"""The status line: where the cross-hair is, what the drag does, and what just happened."""

from __future__ import annotations

from rich.text import Text

from dragonnx.tui.widgets.rows import Rows

STYLES = {"": "", "good": "bold green", "bad": "bold red", "hint": "bold yellow"}


class StatusLine(Rows):
    """One line with a place on the left and a message after it."""

    NAME = "Status line"
    HELP = "The cross-hair's pixel (x, y), the zoom, and what just happened or what to do next."
    GROUPS = ("Drag", "Document", "Editor")
    """Headings of the actions that belong to it."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 Textual's word
        super().__init__(id=id)
        self.place = ""
        self.message = ""
        self._tone = ""

    def show_place(self, x: int, y: int, zoom: float) -> None:
        """Show the cross-hair's pixel."""
        self.place = f"({x}, {y})" + (f" x{zoom:.1f}" if zoom > 1 else "")
        self._draw()

    def say(self, message: str, tone: str = "") -> None:
        """Show a message; tone is "good", "bad", "hint" or nothing."""
        self.message, self._tone = message, tone
        self._draw()

    def _draw(self) -> None:
        place = (f"{self.place:<12} ", "bold")
        self.show_rows([Text.assemble(place, (self.message, STYLES[self._tone]))])
