"""Asks what to export, and where to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, Label, OptionList
from textual.widgets.option_list import Option

from dragonnx.document.outputs import free_path
from dragonnx.errors import InputError
from dragonnx.media import ANIMATION_SUFFIXES, check_animation
from dragonnx.tui.screens.dialog import Buttons, Dialog
from dragonnx.tui.screens.path import PathSuggester, folder_problem, with_suffix


@dataclass(frozen=True)
class Export:
    """A kind of output.

    Attributes:
        id: Its name.
        label: For people.
        tail: Added to the file's stem.
        suffixes: How the file may end; the first is suggested.
        needs_drag: Whether there must be a drag's steps.
        needs_mask: Whether there must be a mask.
    """

    id: str
    label: str
    tail: str
    suffixes: tuple[str, ...]
    needs_drag: bool = False
    needs_mask: bool = False


EXPORTS = (
    Export("png", "Picture (PNG; opens again as this session)", "", (".png",)),
    Export("pair", "Before and after, side by side (PNG)", "-pair", (".png",), needs_drag=True),
    Export("animation", f"Animation of the drag ({', '.join(ANIMATION_SUFFIXES)})", "-drag",
           ANIMATION_SUFFIXES, needs_drag=True),
    Export("report", "Report: points, settings, losses (JSON)", "-report", (".json",),
           needs_drag=True),
    Export("latent", "Latent (NPZ)", "", (".npz",)),
    Export("mask", "Mask (PNG)", "-mask", (".png",), needs_mask=True),
)  # fmt: skip


class ExportScreen(Dialog[tuple[str, Path]]):
    """A list of outputs and the file's name, which follows the choice.

    Args:
        stem: What the file's name begins with.
        dragged: Whether there are a drag's steps.
        masked: Whether there is a mask.
    """

    heading = "Export"
    advice = (
        "The arrows choose what to write, Enter goes on to the name, Enter there writes the file. What "
        "there is nothing of yet is grey: some outputs need a drag, the mask one needs a mask."
    )

    def __init__(self, stem: str, *, dragged: bool, masked: bool) -> None:
        super().__init__()
        self._stem = stem
        self._export = EXPORTS[0]
        self._usable = {
            export.id: (dragged or not export.needs_drag) and (masked or not export.needs_mask)
            for export in EXPORTS
        }

    def compose(self) -> ComposeResult:
        """The list and the line."""
        with Vertical(classes="dialog"):
            yield Label("Export", classes="title")
            yield OptionList(
                *(Option(each.label, id=each.id, disabled=not self._usable[each.id])
                  for each in EXPORTS)
            )  # fmt: skip
            yield Input(str(self._suggestion()), suggester=PathSuggester())
            yield Label("", classes="problem", markup=False)
            yield Label("Enter chooses, then asks for the name", classes="hint")
            yield Buttons("Write")

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Suggest a name for the kind of output."""
        self._export = EXPORTS[event.option_index]
        self.query_one(Input).value = str(self._suggestion())

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Go on to the name."""
        event.stop()
        self.query_one(Input).focus()
        self.query_one(".hint", Label).update("Enter writes this file, Esc leaves")

    def accept(self) -> None:
        """Answer, where the file can be made."""
        text = self.query_one(Input).value.strip()
        path, problem = with_suffix(Path(text).expanduser(), self._export.suffixes)
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
