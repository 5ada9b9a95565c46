"""Asks for a file, with completion of what is there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.suggester import Suggester
from textual.widgets import Input, OptionList

from dragonnx.editor.answers import existing_file, new_file
from dragonnx.errors import InputError
from dragonnx.paths import pasted_path, typed_path
from dragonnx.tui.screens.dialog import Buttons, Dialog
from dragonnx.tui.widgets.literal import Choices, Line, Words

_MOST_LISTED = 200
"""Of a folder; who looks for more types a letter."""
_SEPARATORS = tuple(each for each in (os.sep, os.altsep) if each)


class PathSuggester(Suggester):
    """Completes a path with the first file that fits."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        """The first file that begins with what was typed."""
        return next(iter(completions(value)), None) if value else None


class PathLine(Line):
    """A line for a path; a file that is dropped on the terminal is its path, without quotes."""

    def __init__(self, value: str = "", **settings: Any) -> None:
        super().__init__(value, suggester=PathSuggester(), **settings)

    def _on_paste(self, event: events.Paste) -> None:
        """Let the line, whose turn is next, take the path as it is typed."""
        event.text = pasted_path(event.text)


class PathScreen(Dialog[Path]):
    """A line for a path, and a list of what is in its folder; → takes the completion.

    Args:
        title: What it is for; up to a colon it heads the help.
        value: What stands there at first.
        advice: What the file is for, for the help.
        suffixes: How a file to write must end; the first is added where it ends in nothing. None
            where the file must be there.
        recent: Files that were used last, listed while nothing is typed.
    """

    def __init__(
        self,
        title: str,
        value: str,
        *,
        advice: str,
        suffixes: tuple[str, ...] | None = None,
        recent: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self._title_text = title
        self.heading, self.advice = title.partition(":")[0], advice
        self._value = value
        self._suffixes = suffixes
        self._recent = recent
        self._listed: list[str] = []
        self._listed_for: str | None = None
        """What was typed when the list was made; None before there is one."""

    def compose(self) -> ComposeResult:
        """The line and the list."""
        with Vertical(classes="dialog"):
            yield Words(self._title_text, classes="title")
            yield PathLine(self._value)
            yield Choices()
            yield Words(classes="problem")
            yield Words(
                "Enter accepts, → completes, ↓ goes into the list, Esc leaves", classes="hint"
            )
            yield Buttons("OK")

    def on_mount(self) -> None:
        """List what there is."""
        self._list()

    def on_input_changed(self, _: Input.Changed) -> None:
        """List what fits, once the line shows the key: a long list takes longer than a key may."""
        self.call_after_refresh(self._list)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Who goes into the list chooses from what fits."""
        if isinstance(event.widget, Choices):
            self._list()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take a name from the list: of a folder, to look into it."""
        event.stop()
        line, chosen = self.query_one(PathLine), self._listed[event.option_index]
        line.value, line.cursor_position = chosen, len(chosen)
        line.focus()
        if not chosen.endswith(_SEPARATORS):
            self.accept()

    def key_down(self) -> None:
        """Into the list."""
        self._list()
        if self._listed:
            self.query_one(Choices).focus()

    def accept(self) -> None:
        """Answer, where the path can be used."""
        text = self.query_one(PathLine).value
        try:
            path = existing_file(text) if self._suffixes is None else new_file(text, self._suffixes)
        except InputError as error:
            self.show_problem(f"{error}.")
        else:
            self.dismiss(path)

    def _list(self) -> None:
        typed = self.query_one(PathLine).value
        if typed == self._listed_for:
            return
        self._listed_for = typed
        recent = [] if typed else list(self._recent)
        self._listed = [*recent, *completions(typed)][:_MOST_LISTED]
        self.query_one(Choices).show(*self._listed)


def completions(typed: str) -> list[str]:
    """Paths of what is in the folder and begins with what was typed; folders end in a separator."""
    folder, start, separator = split_typed(typed)
    try:
        names = sorted(
            entry.name + separator * entry.is_dir() for entry in typed_path(folder or ".").iterdir()
        )
    except (OSError, ValueError):
        return []
    before = typed[: len(typed) - len(start)]
    return [
        before + name
        for name in names
        if name.startswith(start) and (start or not name.startswith("."))
    ]


def split_typed(value: str, system: ModuleType = os.path) -> tuple[str, str, str]:
    """What was typed of a path: its folder, the beginning of a name, and what parts the two.

    Args:
        value: The path so far.
        system: The module `os.path` of the system whose paths they are.
    """
    folder, start = system.split(value)
    before = value[: len(value) - len(start)]
    separators = [s for s in (system.sep, system.altsep) if s and before.endswith(s)]
    return folder, start, separators[0] if separators else system.sep
