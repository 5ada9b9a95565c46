"""Asks for a file, with completion of what is there."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.suggester import Suggester

from dragonnx.editor.answers import existing_file, new_file
from dragonnx.errors import InputError
from dragonnx.paths import typed_path
from dragonnx.tui.screens.dialog import Buttons, Dialog
from dragonnx.tui.widgets.literal import Line, Words


class PathSuggester(Suggester):
    """Completes a path with the first file that fits."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        """The first file that begins with what was typed."""
        if not value:
            return None
        folder, start, separator = split_typed(value)
        try:
            names = sorted(
                p.name + separator * p.is_dir() for p in typed_path(folder or ".").iterdir()
            )
        except (OSError, ValueError):
            return None
        for name in names:
            if name.startswith(start) and not (name.startswith(".") and not start):
                return value[: len(value) - len(start)] + name
        return None


class PathScreen(Dialog[Path]):
    """A line for a path; → takes the completion.

    Args:
        title: What it is for; up to a colon it heads the help.
        value: What stands there at first.
        advice: What the file is for, for the help.
        suffixes: How a file to write must end; the first is added where it ends in nothing. None
            where the file must be there.
    """

    def __init__(
        self, title: str, value: str, *, advice: str, suffixes: tuple[str, ...] | None = None
    ) -> None:
        super().__init__()
        self._title_text = title
        self.heading, self.advice = title.partition(":")[0], advice
        self._value = value
        self._suffixes = suffixes

    def compose(self) -> ComposeResult:
        """The line."""
        with Vertical(classes="dialog"):
            yield Words(self._title_text, classes="title")
            yield Line(self._value, suggester=PathSuggester())
            yield Words(classes="problem")
            yield Words("Enter accepts, → completes, Esc leaves", classes="hint")
            yield Buttons("OK")

    def accept(self) -> None:
        """Answer, where the path can be used."""
        text = self.query_one(Line).value
        try:
            path = existing_file(text) if self._suffixes is None else new_file(text, self._suffixes)
        except InputError as error:
            self.show_problem(f"{error}.")
        else:
            self.dismiss(path)


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
