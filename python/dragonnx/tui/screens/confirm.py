"""Asks a question that is answered with yes or no."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button

from dragonnx.tui.screens.dialog import Dialog
from dragonnx.tui.widgets.literal import Words


class ConfirmScreen(Dialog[bool]):
    """A fact, and two ways on. The harmless one has the focus.

    Args:
        fact: What the user should know.
        yes: What the risky button says.
        no: What the harmless button says.
    """

    heading = "A question"
    advice = (
        "The harmless answer has the focus. y and n answer at once; the arrows choose, Enter takes. "
        "Escape leaves everything as it is."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes"),
        Binding("n", "answer(False)", "No"),
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
    ]

    def __init__(self, fact: str, *, yes: str, no: str) -> None:
        super().__init__()
        self._fact, self._yes, self._no = fact, yes, no

    def compose(self) -> ComposeResult:
        """The fact and the buttons."""
        with Vertical(classes="dialog"):
            yield Words(self._fact, classes="title")
            yield Words(classes="problem")
            with Horizontal(classes="buttons"):
                yield Button(f"{self._no} (n)", id="no", variant="primary")
                yield Button(f"{self._yes} (y)", id="yes", variant="warning")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer; the usual buttons of dialogs are not here."""
        event.prevent_default()
        self.dismiss(event.button.id == "yes")

    def action_answer(self, answer: bool) -> None:
        """Answer by key."""
        self.dismiss(answer)
