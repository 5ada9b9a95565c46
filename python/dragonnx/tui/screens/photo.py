"""Asks which photo to recreate, and how."""

from __future__ import annotations

from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Label

from dragonnx.errors import InputError
from dragonnx.files import typed_path
from dragonnx.inversion.config import InversionConfig
from dragonnx.tui.inversion_job import PhotoWish
from dragonnx.tui.screens.dialog import Buttons, Dialog
from dragonnx.tui.screens.path import PathSuggester

FIELDS = (
    ("space", "Space: w+ (closer) or w (plainer)"),
    ("steps", "Steps"),
    ("fit", "Another shape: crop or pad"),
)
"""Name, label."""


class PhotoScreen(Dialog[PhotoWish]):
    """A line for the photo's path, and one for each choice.

    Args:
        path: The photo that stands there at first.
        last: What was chosen before.
    """

    heading = "Recreate a photo"
    advice = (
        "The model's picture that is most like your photo appears bit by bit; x ends early and keeps "
        "the best so far, c shows the photo for comparison. W+ comes closer, W "
        "looks more like the model's own pictures. Crop cuts the photo to the model's shape, pad "
        "shows all of it. Photos of what the model was trained on come closest."
    )

    def __init__(self, path: Path | None = None, last: PhotoWish | None = None) -> None:
        super().__init__()
        config = InversionConfig() if last is None else last.config
        fit = "crop" if last is None else last.fit
        path = path or (None if last is None else last.path)
        self._path = "" if path is None else str(path)
        self._values = {"space": config.space, "steps": str(config.steps), "fit": fit}

    def compose(self) -> ComposeResult:
        """The lines."""
        with Vertical(classes="dialog"):
            yield Label("Recreate a photo, to drag it then", classes="title")
            yield Input(
                self._path, id="path", placeholder="the photo's path", suggester=PathSuggester()
            )
            for name, label in FIELDS:
                with Horizontal(classes="row"):
                    yield Label(label)
                    yield Input(self._values[name], id=name, compact=True)
            yield Label("", classes="problem", markup=False)
            yield Label("Enter starts, → completes, Tab or ↑↓ moves, Esc leaves", classes="hint")
            yield Buttons("Start")

    def on_input_changed(self, _event: Input.Changed) -> None:
        """Say at once which setting is wrong."""
        problem = self._settings()
        self.show_problem(problem if isinstance(problem, str) else "")

    def accept(self) -> None:
        """Answer, where everything fits."""
        settings = self._settings()
        if isinstance(settings, str):
            self.show_problem(settings)
            return
        text = self.query_one("#path", Input).value.strip()
        path = typed_path(text)
        if not text:
            self.show_problem("Type a photo's path.")
        elif not path.is_file():
            self.show_problem(f"There is no file {path}.")
        else:
            config, pads = settings
            self.dismiss(PhotoWish(path, config, "pad" if pads else "crop"))

    def key_down(self) -> None:
        """The next line."""
        self.focus_next()

    def key_up(self) -> None:
        """The line before."""
        self.focus_previous()

    def _settings(self) -> tuple[InversionConfig, bool] | str:
        """The settings and whether to pad, or what is wrong."""
        space, steps, fit = (
            self.query_one(f"#{name}", Input).value.strip().lower() for name, _ in FIELDS
        )
        if fit not in ("crop", "pad"):
            return "Another shape: crop or pad is expected."
        if not steps.isdecimal():
            return "Steps: a whole number is expected."
        try:
            return InversionConfig(space=space, steps=int(steps)), fit == "pad"  # type: ignore[arg-type]
        except InputError as error:
            return f"{error}."
