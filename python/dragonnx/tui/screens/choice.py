"""Asks to choose from a list, or to type something that is not on it."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import OptionList

from dragonnx.tui.screens.dialog import Buttons, Dialog
from dragonnx.tui.widgets.literal import Choices, Line, Words


class ChoiceScreen(Dialog[str]):
    """A list, and a line for anything else.

    Args:
        title: What is chosen; up to a colon it heads the help.
        choices: For each, what is answered and what is shown.
        advice: How to choose, for the help.
        other: What may be typed instead; empty where nothing may.
    """

    def __init__(
        self, title: str, choices: list[tuple[str, str]], *, advice: str, other: str = ""
    ) -> None:
        super().__init__()
        self._title_text = title
        self.heading, self.advice = title.partition(":")[0], advice
        self._choices = choices
        self._other = other

    def compose(self) -> ComposeResult:
        """The list and the line."""
        with Vertical(classes="dialog"):
            yield Words(self._title_text, classes="title")
            yield Choices(*(shown for _, shown in self._choices))
            if self._other:
                yield Line(placeholder=f"or {self._other} (Tab)")
            yield Words(classes="problem")
            yield Words("Enter or a click chooses, Esc leaves", classes="hint")
            yield Buttons("")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Answer with a choice."""
        self.dismiss(self._choices[event.option_index][0])

    def accept(self) -> None:
        """Answer with what was typed."""
        text = self.query_one(Line).value.strip()
        if text:
            self.dismiss(text)
