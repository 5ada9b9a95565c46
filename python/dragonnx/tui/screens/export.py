"""Asks what to export, and where to."""

from __future__ import annotations

from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, Label, OptionList
from textual.widgets.option_list import Option

from dragonnx.document import Document
from dragonnx.document.outputs import OUTPUTS, OutputId, free_path
from dragonnx.errors import InputError
from dragonnx.files import typed_path
from dragonnx.media import check_animation
from dragonnx.tui.screens.dialog import Buttons, Dialog
from dragonnx.tui.screens.path import PathSuggester, folder_problem, with_suffix


class ExportScreen(Dialog[tuple[OutputId, Path]]):
    """A list of outputs and the file's name, which follows the choice.

    Args:
        stem: What the file's name begins with.
        document: What is exported.
    """

    heading = "Export"
    advice = (
        "The arrows choose what to write, Enter goes on to the name, Enter there writes the file. What "
        "there is nothing of yet is grey: some outputs need a drag, the mask one needs a mask."
    )

    def __init__(self, stem: str, document: Document) -> None:
        super().__init__()
        self._stem = stem
        self._export = OUTPUTS[0]
        self._usable = {export.id: export.is_possible(document) for export in OUTPUTS}

    def compose(self) -> ComposeResult:
        """The list and the line."""
        with Vertical(classes="dialog"):
            yield Label("Export", classes="title")
            yield OptionList(
                *(Option(each.label, id=each.id, disabled=not self._usable[each.id])
                  for each in OUTPUTS)
            )  # fmt: skip
            yield Input(str(self._suggestion()), suggester=PathSuggester())
            yield Label("", classes="problem", markup=False)
            yield Label("Enter chooses, then asks for the name", classes="hint")
            yield Buttons("Write")

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Suggest a name for the kind of output."""
        self._export = OUTPUTS[event.option_index]
        self.query_one(Input).value = str(self._suggestion())

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Go on to the name."""
        event.stop()
        self.query_one(Input).focus()
        self.query_one(".hint", Label).update("Enter writes this file, Esc leaves")

    def accept(self) -> None:
        """Answer, where the file can be made."""
        text = self.query_one(Input).value.strip()
        path, problem = with_suffix(typed_path(text), self._export.suffixes)
        problem = "Type a file's name." if not text else problem or folder_problem(path)
        if not problem and self._export.id == "animation":
            problem = _animation_problem(path)
        if problem:
            self.show_problem(problem)
        else:
            self.dismiss((self._export.id, path))

    def _suggestion(self) -> Path:
        return free_path(Path(), self._stem + self._export.tail, self._export.suffixes[0])


def _animation_problem(path: Path) -> str | None:
    """What is missing to write an animation of this kind."""
    try:
        check_animation(path)
    except InputError as error:
        return f"{error}."
    return None
