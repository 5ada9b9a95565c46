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
        prefers_yes: Whether it is the other way round, and no is the risky one.
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

    def __init__(self, fact: str, *, yes: str, no: str, prefers_yes: bool = False) -> None:
        super().__init__()
        self._fact, self._yes, self._no = fact, yes, no
        self._prefers_yes = prefers_yes

    def compose(self) -> ComposeResult:
        """The fact and the buttons."""
        with Vertical(classes="dialog"):
            yield Words(self._fact, classes="title")
            yield Words(classes="problem")
            answers = [(f"{self._no} (n)", "no"), (f"{self._yes} (y)", "yes")]
            harmless, risky = reversed(answers) if self._prefers_yes else answers
            with Horizontal(classes="buttons"):
                # The first has the focus.
                yield Button(harmless[0], id=harmless[1], variant="primary")
                yield Button(risky[0], id=risky[1], variant="warning")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer; the usual buttons of dialogs are not here."""
        event.prevent_default()
        self.dismiss(event.button.id == "yes")

    def action_answer(self, answer: bool) -> None:
        """Answer by key."""
        self.dismiss(answer)
