"""What every dialog is: a modal screen that escape leaves, with a title and a problem line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import ModalScreen
from textual.widgets import Button, Input

from dragonnx.tui.widgets.literal import Line, Words

Answer = TypeVar("Answer")


class Buttons(Horizontal):
    """The ways out of a dialog for the mouse; keys have Enter and Escape.

    Args:
        accept: What the accepting button says; empty for none.
        other: What a button says that does something else; empty for none.
        leave: What the button says that leaves.
    """

    def __init__(self, accept: str, other: str = "", leave: str = "Cancel") -> None:
        super().__init__(classes="buttons")
        self._leave = leave
        self._accept = accept
        self._other = other

    def compose(self) -> ComposeResult:
        """The buttons; they take no focus, so that Tab stays among the lines."""
        if self._accept:
            yield self._button(self._accept, "accept")
        if self._other:
            yield self._button(self._other, "other")
        yield self._button(self._leave, "cancel")

    @staticmethod
    def _button(label: str, name: str) -> Button:
        button = Button(label, classes=name, compact=True)
        button.can_focus = False
        return button


class Dialog(ModalScreen[Answer | None], Generic[Answer]):
    """A question whose answer is None where a user leaves it."""

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Cancel", priority=True),
        Binding("f1,question_mark", "help_here", "Help"),
    ]
    heading = ""
    """What the dialog is for, in a word or two."""
    advice = ""
    """How it is used."""
    lies_on_panel = False
    """Whether it leaves the canvas free where the side panel is shown."""

    def accept(self) -> None:
        """Answer, where everything fits."""

    def other(self) -> None:
        """What the button besides accepting and leaving does."""

    def action_leave(self) -> None:
        """Leave without an answer."""
        self.dismiss(None)

    def action_help_here(self) -> None:
        """How this dialog is used; where a line takes text, `?` is text and F1 asks."""
        from dragonnx.tui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen({}, (self.heading, self.advice), ()))

    def show_problem(self, text: str) -> None:
        """Say what is wrong; empty where nothing is."""
        self.query_one(".problem", Words).update(text)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in a line accepts."""
        event.stop()
        self.accept()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """A button accepts or leaves."""
        event.stop()
        if event.button.has_class("accept"):
            self.accept()
        elif event.button.has_class("other"):
            self.other()
        else:
            self.action_leave()


class Form(Dialog[Answer]):
    """A dialog of several lines, each for one value and with its name as id."""

    def texts(self, names: Iterable[str]) -> dict[str, str]:
        """What stands in the lines, by their names."""
        return {name: self.query_one(f"#{name}", Line).value for name in names}

    def key_down(self) -> None:
        """The next line."""
        self.focus_next()

    def key_up(self) -> None:
        """The line before."""
        self.focus_previous()
