"""Asks for one line of text."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from dragonnx.errors import InputError
from dragonnx.tui.screens.dialog import Buttons, Dialog
from dragonnx.tui.widgets.literal import Line, Words


class PromptScreen(Dialog[str]):
    """A title, a line to type in, and what is wrong with it.

    Args:
        title: What is asked for; up to a colon it heads the help.
        value: What stands there at first.
        check: Refuses a text with an InputError.
        advice: What it does, for the help.
    """

    def __init__(
        self, title: str, value: str, *, check: Callable[[str], object], advice: str
    ) -> None:
        super().__init__()
        self._title_text = title
        self.heading, self.advice = title.partition(":")[0], advice
        self._value = value
        self._check = check

    def compose(self) -> ComposeResult:
        """The line."""
        with Vertical(classes="dialog"):
            yield Words(self._title_text, classes="title")
            yield Line(self._value)
            yield Words(classes="problem")
            yield Words("Enter accepts, Esc leaves", classes="hint")
            yield Buttons("OK")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say at once what is wrong."""
        self.show_problem(self._problem(event.value))

    def accept(self) -> None:
        """Answer."""
        text = self.query_one(Line).value.strip()
        problem = self._problem(text)
        self.show_problem(problem)
        if not problem:
            self.dismiss(text)

    def _problem(self, text: str) -> str:
        try:
            self._check(text)
        except InputError as error:
            return f"{error}."
        return ""
