"""Asks which part of a photo the model is to show."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from dragonnx.editor.crop import Crop, read_photo, shaded
from dragonnx.errors import InputError
from dragonnx.tui.drawing.cells import CanvasMode
from dragonnx.tui.screens.dialog import Buttons, Dialog
from dragonnx.tui.widgets.crop_view import CropView
from dragonnx.tui.widgets.literal import Words
from dragonnx.types import Picture

if TYPE_CHECKING:
    from dragonnx.inversion.window import Box

_STEP = 0.02
"""Of the photo's longer side, for a key."""
_LARGER = 1.1


class CropScreen(Dialog["Box"]):
    """The photo, dark but for the box.

    Args:
        path: The photo.
        image_size: (width, height) of the model's images.
        mode: How pictures are shown.
        box: The box that was chosen before; None for the largest one.
    """

    heading = "Crop box"
    advice = (
        "What is bright becomes the model's picture; the box has its shape. The arrows (Shift: five times "
        "as far) or the mouse move it, + and - or the wheel resize it, 0 takes the largest. Enter takes "
        "it. A part that looks like the model's own pictures is found best."
    )
    CSS_PATH: ClassVar[list[str]] = ["dialog.tcss", "crop.tcss"]  # type: ignore[assignment]
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(f"{shift}{key}", f"move({x * far}, {y * far})", key, show=False)
            for shift, far in (("", 1), ("shift+", 5))
            for key, x, y in (("left", -1, 0), ("right", 1, 0), ("up", 0, -1), ("down", 0, 1))
        ),
        Binding("plus,equals_sign", "resize(1)", "Larger", show=False),
        Binding("minus", "resize(-1)", "Smaller", show=False),
        Binding("0", "largest", "Largest", show=False),
        Binding("enter,space", "take", "Take", show=False),
    ]

    def __init__(
        self, path: Path, image_size: tuple[int, int], mode: CanvasMode, box: Box | None = None
    ) -> None:
        super().__init__()
        self._path = path
        self._image_size = image_size
        self._mode = mode
        self._before = box
        self._photo: Picture | None = None
        self._crop: Crop | None = None

    def compose(self) -> ComposeResult:
        """The photo and what the box is."""
        with Vertical(classes="dialog"):
            yield Words(f"Reading {self._path.name} ...", classes="title")
            yield CropView(self._mode, id="crop")
            yield Words("Arrows or mouse move, + - or wheel resize, 0 largest, Enter takes, Esc leaves",
                        classes="hint")  # fmt: skip
            yield Words(classes="problem")
            yield Buttons("Take")

    def on_mount(self) -> None:
        """Read the photo while keys are answered."""
        self.run_worker(self._read(), exclusive=True)

    async def _read(self) -> None:
        width, height = self._image_size
        try:
            self._photo, size = await asyncio.to_thread(read_photo, self._path, (height, width))
        except InputError as error:
            self.show_problem(f"{error}.")
            return
        shape = width / height
        self._crop = Crop.largest(size, shape)
        if self._before is not None:
            self._crop = Crop.of_box(size, shape, self._before)
        self._show()

    def on_crop_view_placed(self, event: CropView.Placed) -> None:
        """The box follows the mouse."""
        event.stop()
        if self._crop is not None:
            width, height = self._crop.photo
            self._change(self._crop.at(event.x * width, event.y * height))

    def on_crop_view_turned(self, event: CropView.Turned) -> None:
        """The wheel resizes."""
        event.stop()
        self.action_resize(event.by)

    def action_move(self, x: int, y: int) -> None:
        """Move the box."""
        if self._crop is not None:
            step = max(_STEP * max(self._crop.photo), 1.0)
            self._change(self._crop.moved(x * step, y * step))

    def action_resize(self, by: int) -> None:
        """Resize the box."""
        if self._crop is not None:
            self._change(self._crop.resized(_LARGER**by))

    def action_largest(self) -> None:
        """The largest box."""
        if self._crop is not None:
            self._change(Crop.largest(self._crop.photo, self._crop.shape))

    def action_take(self) -> None:
        """Answer."""
        self.accept()

    def accept(self) -> None:
        """Answer with the box."""
        if self._crop is not None:
            self.dismiss(self._crop.box)

    def _change(self, crop: Crop) -> None:
        self._crop = crop
        self._show()

    def _show(self) -> None:
        if self._photo is None or self._crop is None or not self.query(CropView):
            return
        left, top, right, bottom = self._crop.box
        self.query_one(".title", Words).update(
            f"{self._path.name}: {right - left} x {bottom - top} px at {left},{top}"
        )
        self.query_one(CropView).show(shaded(self._photo, self._crop))
