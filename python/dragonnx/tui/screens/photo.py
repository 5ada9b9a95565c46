"""Asks which photo to invert, and how."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input

from dragonnx.editor.answers import PHOTO_SETTINGS, existing_file, photo_settings_of
from dragonnx.editor.inversion_job import PhotoRequest
from dragonnx.errors import InputError
from dragonnx.inversion.config import InversionConfig
from dragonnx.paths import typed_path
from dragonnx.tui.drawing.cells import CanvasMode
from dragonnx.tui.screens.crop import CropScreen
from dragonnx.tui.screens.dialog import Buttons, Form
from dragonnx.tui.screens.path import PathLine
from dragonnx.tui.widgets.literal import Line, Words

if TYPE_CHECKING:
    from dragonnx.inversion.window import Box


class PhotoScreen(Form[PhotoRequest]):
    """A line for the photo's path, and one for each choice.

    Args:
        path: The photo that stands there at first.
        last: What was chosen before.
        image_size: (width, height) of the model's images.
        mode: How pictures are shown.
    """

    heading = "Invert a photo"
    advice = (
        "The model's picture that is most like your photo appears bit by bit; x ends early and keeps the "
        "best so far, c shows the photo for comparison. W+ comes closer, W looks more like the model's own "
        "pictures. Crop cuts the photo to the model's shape, pad shows all of it; F2 chooses a part on the "
        "photo. Photos of what the model was trained on come closest. A face is turned and cut as models "
        "of faces want it where a file has its landmarks, or is an .onnx network of YuNet, SCRFD or "
        "RetinaFace, which finds them: then the largest face is taken."
    )

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f2", "crop", "Crop box", priority=True)]

    def __init__(
        self,
        path: Path | None,
        last: PhotoRequest | None,
        image_size: tuple[int, int],
        mode: CanvasMode,
    ) -> None:
        super().__init__()
        self._image_size = image_size
        self._mode = mode
        self._box = None if last is None else last.box
        self._boxed = "" if last is None else str(last.path)
        """The photo that the box is of."""
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
            yield PathLine(self._path, id="path", placeholder="the photo's path")
            for name, label in PHOTO_SETTINGS:
                with Horizontal(classes="row"):
                    yield Words(label)
                    if name == "face":
                        told = "a file; empty: not aligned"
                        yield PathLine(self._values[name], id=name, placeholder=told, compact=True)
                    else:
                        yield Line(self._values[name], id=name, compact=True)
            yield Words(id="box")
            yield Words(classes="problem")
            yield Words(
                "Enter starts, F2 crop box, → completes, Tab or ↑↓ moves, Esc leaves",
                classes="hint",
            )
            yield Buttons("Start", "Crop box")

    def on_mount(self) -> None:
        """Show the box that was chosen before."""
        self._show_box()

    def on_input_changed(self, _event: Input.Changed) -> None:
        """Say at once which setting is wrong, and which box counts."""
        self._show_box()
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
            self.dismiss(photo_settings_of(texts, path, self._box_of(path)))
        except InputError as error:
            self.show_problem(f"{error}.")

    def action_crop(self) -> None:
        """Which part of the photo counts."""
        try:
            path = existing_file(self.query_one("#path", Line).value, "a photo's path")
        except InputError as error:
            self.show_problem(f"{error}.")
            return

        def use(box: Box | None) -> None:
            if box is not None:
                self._box, self._boxed = box, str(path)
                self._show_box()

        screen = CropScreen(path, self._image_size, self._mode, self._box_of(path))
        self.app.push_screen(screen, use)

    def _box_of(self, path: Path) -> Box | None:
        """The box that was chosen on this photo, if it was the last one."""
        return self._box if str(path) == self._boxed else None

    def _show_box(self) -> None:
        """Say which part of the photo that is named counts, where one was chosen."""
        box, text = self._box_of(typed_path(self.query_one("#path", Line).value.strip())), ""
        if box is not None:
            left, top, right, bottom = box
            text = f"Crop box {right - left} x {bottom - top} px at {left},{top}"
        self.query_one("#box", Words).update(text)

    def other(self) -> None:
        """The button for that."""
        self.action_crop()

    def _texts(self) -> dict[str, str]:
        return self.texts(name for name, _ in PHOTO_SETTINGS)
