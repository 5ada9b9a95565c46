"""Asks what to export, where to, and in which quality."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import OptionList

from dragonnx.document import Document
from dragonnx.document.outputs import OUTPUTS, OutputId
from dragonnx.editor.answers import new_file, quality_of
from dragonnx.errors import InputError
from dragonnx.media import QUALITY, check_animation, check_quality
from dragonnx.tui.screens.dialog import Buttons, Dialog
from dragonnx.tui.screens.path import PathLine
from dragonnx.tui.widgets.literal import Choices, Line, Words


class ExportScreen(Dialog[tuple[OutputId, Path, int | None]]):
    """A list of outputs, the file's name, which follows the choice, and a quality.

    Args:
        document: What is exported.
        suggest: Suggests a path for a kind of output.
    """

    heading = "Export"
    advice = (
        "The arrows choose what to write, Enter goes on to the name, Enter there writes the file. What "
        "there is nothing of yet is grey: some outputs need a drag, the mask one needs a mask. Pictures "
        "that end in .jpg or .webp take a quality; a .webp of 100 loses nothing."
    )

    def __init__(self, document: Document, suggest: Callable[[OutputId], Path]) -> None:
        super().__init__()
        self._document = document
        self._suggest = suggest
        self._output = OUTPUTS[0]

    def compose(self) -> ComposeResult:
        """The list and the line."""
        with Vertical(classes="dialog"):
            yield Words("Export", classes="title")
            nothing_yet = [
                k for k, each in enumerate(OUTPUTS) if not each.is_possible(self._document)
            ]
            yield Choices(*(each.label for each in OUTPUTS), grey=nothing_yet)
            yield PathLine(str(self._suggest(self._output.id)), id="path")
            with Horizontal(classes="row"):
                yield Words("Quality of .jpg and .webp")
                yield Line(id="quality", placeholder=f"{QUALITY}", compact=True)
            yield Words(classes="problem")
            yield Words("Enter chooses, then asks for the name", classes="hint")
            yield Buttons("Write")

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Suggest a name for the kind of output."""
        self._output = OUTPUTS[event.option_index]
        self._path.value = str(self._suggest(self._output.id))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Go on to the name."""
        event.stop()
        self._path.focus()
        self.query_one(".hint", Words).update("Enter writes this file, Esc leaves")

    def accept(self) -> None:
        """Answer, where the file can be made."""
        try:
            path = new_file(self._path.value, self._output.suffixes)
            quality = quality_of(self.query_one("#quality", Line).value)
            check_quality(quality, [path])
            if self._output.id == "animation":
                check_animation(path)
        except InputError as error:
            self.show_problem(f"{error}.")
        else:
            self.dismiss((self._output.id, path, quality))

    @property
    def _path(self) -> Line:
        return self.query_one("#path", Line)
