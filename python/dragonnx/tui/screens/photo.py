"""Asks which photo to invert, and how."""

from __future__ import annotations

from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input

from dragonnx.editor.answers import PHOTO_SETTINGS, existing_file, photo_settings_of
from dragonnx.editor.inversion_job import PhotoRequest
from dragonnx.errors import InputError
from dragonnx.inversion.config import InversionConfig
from dragonnx.tui.screens.dialog import Buttons, Dialog
from dragonnx.tui.screens.path import PathSuggester
from dragonnx.tui.widgets.literal import Line, Words


class PhotoScreen(Dialog[PhotoRequest]):
    """A line for the photo's path, and one for each choice.

    Args:
        path: The photo that stands there at first.
        last: What was chosen before.
    """

    heading = "Invert a photo"
    advice = (
        "The model's picture that is most like your photo appears bit by bit; x ends early and keeps "
        "the best so far, c shows the photo for comparison. W+ comes closer, W "
        "looks more like the model's own pictures. Crop cuts the photo to the model's shape, pad "
        "shows all of it. Photos of what the model was trained on come closest. A face is turned and cut "
        "as models of faces want it where a file has its landmarks, or is an .onnx network of YuNet, SCRFD "
        "or RetinaFace, which finds them: then the largest face is taken."
    )

    def __init__(self, path: Path | None = None, last: PhotoRequest | None = None) -> None:
        super().__init__()
        config = InversionConfig() if last is None else last.config
        fit = "crop" if last is None else last.fit
        path = path or (None if last is None else last.path)
        self._path = "" if path is None else str(path)
        face = None if last is None else last.face
        self._values = {
            "space": config.space,
            "steps": str(config.steps),
            "fit": fit,
            "face": "" if face is None else str(face),
        }

    def compose(self) -> ComposeResult:
        """The lines."""
        with Vertical(classes="dialog"):
            yield Words(
                "Invert a photo: recreate it with the model, to drag it then", classes="title"
            )
            yield Line(
                self._path, id="path", placeholder="the photo's path", suggester=PathSuggester()
            )
            for name, label in PHOTO_SETTINGS:
                with Horizontal(classes="row"):
                    yield Words(label)
                    yield Line(
                        self._values[name],
                        id=name,
                        placeholder="a file; empty: not aligned" if name == "face" else "",
                        suggester=PathSuggester() if name == "face" else None,
                        compact=True,
                    )
            yield Words(classes="problem")
            yield Words("Enter starts, → completes, Tab or ↑↓ moves, Esc leaves", classes="hint")
            yield Buttons("Start")

    def on_input_changed(self, _event: Input.Changed) -> None:
        """Say at once which setting is wrong."""
        try:
            photo_settings_of(self._texts())
        except InputError as error:
            self.show_problem(f"{error}.")
        else:
            self.show_problem("")

    def accept(self) -> None:
        """Answer, where everything fits."""
        try:
            texts = self._texts()
            photo_settings_of(texts)
            path = existing_file(self.query_one("#path", Line).value, "a photo's path")
            self.dismiss(photo_settings_of(texts, path))
        except InputError as error:
            self.show_problem(f"{error}.")

    def key_down(self) -> None:
        """The next line."""
        self.focus_next()

    def key_up(self) -> None:
        """The line before."""
        self.focus_previous()

    def _texts(self) -> dict[str, str]:
        return {name: self.query_one(f"#{name}", Line).value for name, _ in PHOTO_SETTINGS}
