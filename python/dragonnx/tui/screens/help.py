"""The help: all actions with their keys, as the table has them, or about one thing."""

from __future__ import annotations

from itertools import groupby
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from dragonnx.tui.actions import ACTIONS, keys_of
from dragonnx.tui.screens.dialog import Dialog
from dragonnx.tui.widgets.literal import Words

LESSON = (
    "Click (or move the cross-hair and press Enter) on what should move, then on where it should "
    "go, and press Space. Paint with 2 or 3 where the picture may or may not change."
)


class HelpScreen(Dialog[None]):
    """Help; any of the usual keys leaves it.

    Args:
        keymap: A user's own keys.
        about: A heading and a text about one thing, shown first.
        groups: Which headings of actions; None for all.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,f1,question_mark,enter", "leave", "Close"),
    ]

    def __init__(
        self,
        keymap: dict[str, str],
        about: tuple[str, str] = ("dragonnx", LESSON),
        groups: tuple[str, ...] | None = None,
    ) -> None:
        super().__init__()
        self._keymap = keymap
        self._about = about
        self._groups = groups

    def compose(self) -> ComposeResult:
        """The text."""
        with Vertical(classes="dialog"):
            yield Words(self._about[0], classes="title")
            yield Static(self._about[1], markup=False)
            with VerticalScroll():
                yield Static(self._table(), id="actions")
            more = "↑↓ scroll, Ctrl+P finds any action, " * (self._groups != ())
            yield Words(f"{more}Esc leaves", classes="hint")

    def on_mount(self) -> None:
        """Let the arrows scroll."""
        self.query_one(VerticalScroll).focus()
        self.call_after_refresh(self._fit)

    def on_resize(self) -> None:
        """Fit anew."""
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        """Leave the table what the other lines and the border leave."""
        scroll = self.query_one(VerticalScroll)
        others = self.query(".dialog > Label, .dialog > Static")
        rest = sum(widget.outer_size.height for widget in others) + 2
        scroll.styles.max_height = max(self.app.size.height - rest, 3)

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 1))
        table.add_column(width=14)
        table.add_column(width=16)
        table.add_column(ratio=1)
        for group, actions in groupby(ACTIONS, key=lambda action: action.group):
            if self._groups is not None and group not in self._groups:
                continue
            table.add_row(Text(group, "bold"), "", "")
            for action in actions:
                table.add_row(Text(keys_of(action, self._keymap), "bold cyan"), action.label,
                              Text(action.help, "dim"))  # fmt: skip
        return table
