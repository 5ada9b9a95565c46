"""Asks a question that has a few answers, each with a key and a button."""

from __future__ import annotations

from typing import NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Button

from dragonnx.tui.screens.dialog import Dialog
from dragonnx.tui.widgets.literal import Words


class Choice(NamedTuple):
    """An answer.

    Attributes:
        key: The key that gives it, and what the dialog answers with.
        label: What its button says.
        loses: Whether something is lost by it that nothing brings back.
    """

    key: str
    label: str
    loses: bool = False


class ConfirmScreen(Dialog[str]):
    """A fact, and ways on. The answer is the key of the one that was chosen.

    Args:
        fact: What the user should know.
        choices: The ways on. The first has the focus, so it must be one that loses nothing.
    """

    heading = "A question"
    advice = (
        "The answer that loses nothing has the focus. The letters in brackets answer at once; the "
        "arrows choose, Enter takes. Escape leaves everything as it is."
    )

    def __init__(self, fact: str, *choices: Choice) -> None:
        super().__init__()
        if choices[0].loses:
            raise ValueError("the first answer must lose nothing")
        self._fact = fact
        self._choices = choices

    def compose(self) -> ComposeResult:
        """The fact and the buttons."""
        with Vertical(classes="dialog"):
            yield Words(self._fact, classes="title")
            yield Words(classes="problem")
            with Horizontal(classes="buttons"):
                for choice in self._choices:
                    kind = "warning" if choice.loses else "primary"
                    yield Button(f"{choice.label} ({choice.key})", name=choice.key, variant=kind)  # type: ignore[arg-type]

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer; the usual buttons of dialogs are not here."""
        event.prevent_default()
        self.dismiss(event.button.name)

    def on_key(self, event: events.Key) -> None:
        """Answer by key, or go to the next button."""
        if event.key in [choice.key for choice in self._choices]:
            event.stop()
            self.dismiss(event.key)
        elif event.key in ("left", "right"):
            event.stop()
            (self.focus_previous if event.key == "left" else self.focus_next)()
