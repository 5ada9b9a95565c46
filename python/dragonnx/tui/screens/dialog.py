"""What every dialog is: a modal screen that escape leaves, with a title and a problem line."""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Label

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer | None], Generic[Answer]):
    """A question whose answer is None where a person leaves it."""

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Cancel", priority=True)]

    def action_leave(self) -> None:
        """Leave without an answer."""
        self.dismiss(None)

    def show_problem(self, text: str) -> None:
        """Say what is wrong; empty where nothing is."""
        self.query_one(".problem", Label).update(text)
