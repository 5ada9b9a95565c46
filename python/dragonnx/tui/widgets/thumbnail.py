"""One picture, as large as its place."""

from __future__ import annotations

import numpy as np
from textual import events

from dragonnx.tui.drawing.cells import CanvasMode, cells_of
from dragonnx.tui.drawing.geometry import Viewport
from dragonnx.tui.drawing.raster import draw_picture
from dragonnx.tui.widgets.painted import Painted
from dragonnx.types import Picture


class Thumbnail(Painted):
    """Shows a picture, or nothing.

    Args:
        mode: How pictures are shown.
        id: Textual's name of it.
    """

    def __init__(self, mode: CanvasMode, *, id: str) -> None:  # noqa: A002 Textual's word
        super().__init__(id=id)
        self._mode = mode
        self.picture: Picture | None = None
        """What is shown."""

    def show(self, picture: Picture | None) -> None:
        """Show another picture; None for nothing."""
        self.picture = picture
        self._repaint()

    def on_resize(self, _event: events.Resize) -> None:
        """Draw it anew."""
        self._repaint()

    def _repaint(self) -> None:
        if not self.size.area:
            return
        width, height = self.size
        background, high = self.background_colors[1].rgb, self._mode.rows_per_cell
        raster = np.full((height * high, width, 3), background, np.uint8)
        if self.picture is not None:
            rows, columns = self.picture.shape[:2]
            view = Viewport((columns, rows), (width, height))
            raster = draw_picture(self.picture, view, high, background)
        self.paint(cells_of(raster, self._mode))
