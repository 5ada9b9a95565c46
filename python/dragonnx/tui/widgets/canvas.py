"""The canvas: shows a scene, and says where a user pressed, dragged and scrolled on it."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass, replace

import numpy as np
from textual import events
from textual.message import Message

from dragonnx.editor.scene import Scene
from dragonnx.editor.state import Marker
from dragonnx.tui.drawing.cell_scene import compose, point_at
from dragonnx.tui.drawing.cells import CanvasMode
from dragonnx.tui.drawing.geometry import CELL_ASPECT, ZOOM_STEP, Viewport
from dragonnx.tui.drawing.graphics import Graphics, Protocol
from dragonnx.tui.drawing.pixel_scene import compose_pixels
from dragonnx.tui.terminal import cell_size
from dragonnx.tui.widgets.painted import Painted
from dragonnx.types import Point

RIGHT_BUTTON = 3
MIDDLE_BUTTON = 2
_LONGEST_FRAME = 0.06
"""Seconds to make a picture of a drag in sixels; where it takes longer, keys would wait for it."""


class Canvas(Painted, can_focus=True):
    """Shows a `Scene` as cells. It knows nothing of documents; screens act on its messages."""

    HELP = (
        "The arrow keys (Shift: 8 px) or the mouse move the cross-hair. The wheel, + and - zoom, the "
        "right button and Ctrl+arrows pan, 0 fits; on a point the right button opens a menu. Red is a "
        "handle, blue its target; what the mask keeps fixed is tinted."
    )

    @dataclass
    class Pressed(Message):
        """The left button went down on an image pixel, perhaps on a marker."""

        pixel: tuple[int, int]
        marker: Marker | None

    @dataclass
    class Dragged(Message):
        """The mouse moved with the left button down."""

        pixel: tuple[int, int]

        def can_replace(self, message: Message) -> bool:
            """Only painting needs each place, and it draws lines between them."""
            return isinstance(message, Canvas.Dragged)

    @dataclass
    class Released(Message):
        """The left button went up."""

        pixel: tuple[int, int]

    @dataclass
    class MenuAsked(Message):
        """The right button was pressed on a marker, and let go there."""

        marker: Marker

    @dataclass
    class Hovered(Message):
        """The mouse moved over an image pixel."""

        pixel: tuple[int, int]

        def can_replace(self, message: Message) -> bool:
            """Only the newest place counts."""
            return isinstance(message, Canvas.Hovered)

    @dataclass
    class Viewed(Message):
        """Zoom or place of the view changed."""

        view: Viewport

    def __init__(
        self,
        *,
        mode: CanvasMode,
        aspect: float = CELL_ASPECT,
        graphics: Graphics | None = None,
        id: str,  # noqa: A002 Textual's word
    ) -> None:
        super().__init__(id=id)
        self.graphics = graphics
        self._covered = False
        self._keeps_up = True
        """Whether pixels come soon enough while a drag runs."""
        self._mode = mode
        self._scene = Scene(np.zeros((1, 1, 3), np.uint8))
        self._view = Viewport((1, 1), (1, 1), aspect=aspect)
        self._panning: tuple[int, int] | None = None
        self._panned = False
        """Whether the mouse moved since the right button went down."""
        self._pressed = False

    @property
    def mode(self) -> CanvasMode:
        """How the picture is shown."""
        return self._mode

    @mode.setter
    def mode(self, mode: CanvasMode) -> None:
        self._mode = mode
        self._repaint()

    @property
    def view(self) -> Viewport:
        """What is visible."""
        return self._view

    @property
    def scene(self) -> Scene:
        """What is shown."""
        return self._scene

    def show(self, scene: Scene) -> None:
        """Show another scene; only rows that differ are painted."""
        height, width = scene.picture.shape[:2]
        if (width, height) != self._view.image:
            self._view = Viewport((width, height), self._view.cells, aspect=self._view.aspect)
        self._scene = scene
        self._repaint()

    def cover(self, covered: bool) -> None:
        """Show cells while a dialog lies over the canvas: some terminals draw pixels over it."""
        if covered is not self._covered:
            self._covered = covered
            self._repaint()

    def zoom(self, factor: float, about: Point | None = None) -> None:
        """Zoom about an image place, or the cross-hair."""
        self._look(self._view.zoomed(factor, about or self._scene.cursor or self._view.middle))

    def zoom_in(self) -> None:
        """Zoom in about the cross-hair, by what a key should do."""
        self.zoom(ZOOM_STEP**2)

    def zoom_out(self) -> None:
        """Zoom out likewise."""
        self.zoom(ZOOM_STEP**-2)

    def pan_by_eighths(self, x: int, y: int) -> None:
        """Move the view by an eighth of the canvas, to each side as many."""
        columns, rows = self._view.cells
        self.pan(x * columns / 8, y * rows / 8)

    def next_mode(self) -> None:
        """Show the picture another way, of those that the terminal can show."""
        modes = [mode for mode in CanvasMode if self.graphics or mode is not CanvasMode.PIXELS]
        self.mode = modes[(modes.index(self.mode) + 1) % len(modes)]

    def fit(self) -> None:
        """Show the whole picture."""
        self._look(replace(self._view, zoom=1.0, centre=None))

    def pan(self, columns: float, rows: float) -> None:
        """Move the view by cells."""
        self._look(self._view.panned(columns, rows))

    def reveal(self, point: Point) -> None:
        """Move the view so that an image place is visible."""
        self._look(self._view.showing(point))

    def _look(self, view: Viewport) -> None:
        if view != self._view:
            self._view = view
            self._repaint()
            self.post_message(self.Viewed(view))

    def _repaint(self) -> None:
        if not self.size.area:
            return
        background = self.styles.background.rgb if self.is_attached else (0, 0, 0)
        scene, view, graphics = self._scene, self._view, self.graphics
        if not scene.moving:
            self._keeps_up = True
        late = scene.moving and not (self._keeps_up and self._line_is_fast())
        if self._mode is not CanvasMode.PIXELS or graphics is None or late or self._covered:
            self.paint(compose(scene, view, self._mode, background))
            return
        began = time.perf_counter()
        cell = graphics.pixels(self.size.area, moving=scene.moving)
        self.paint_pixels(
            graphics,
            compose_pixels(scene, view, cell, background),
            cell[1],
            functools.cache(lambda: compose(scene, view, CanvasMode.PIXELS, background)),
        )
        if graphics.protocol is Protocol.SIXEL and scene.moving:
            # A first frame has all its rows; where they take so long, so do those that follow.
            self._keeps_up = time.perf_counter() - began < _LONGEST_FRAME

    def _line_is_fast(self) -> bool:
        """Whether the line to the terminal takes pictures that come ten times a second."""
        line = getattr(self.app._driver, "line", None)
        return line is None or not line.is_slow

    # --- events -------------------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        """Keep the view on a canvas of another size."""
        if self.graphics is not None:  # another size of letters makes other cells
            self.graphics = replace(self.graphics, cell=cell_size() or self.graphics.cell)
        self._view = self._view.resized((event.size.width, event.size.height))
        self._repaint()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Press, or begin to pan."""
        self.focus()
        self.capture_mouse()
        if event.button in (RIGHT_BUTTON, MIDDLE_BUTTON):
            self._panning, self._panned = (event.x, event.y), False
            return
        pixel = self._view.pixel_at(event.x, event.y)
        if pixel is None:
            return
        self._pressed = True
        marker = point_at(self._scene.pairs, self._view, event.x, event.y)
        self.post_message(self.Pressed(pixel, marker))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Pan, drag or hover."""
        if self._panning is not None:
            self.pan(self._panning[0] - event.x, self._panning[1] - event.y)
            self._panned = self._panned or self._panning != (event.x, event.y)
            self._panning = (event.x, event.y)
        elif self._pressed:
            self.post_message(self.Dragged(self._view.nearest_pixel(event.x, event.y)))
        elif (pixel := self._view.pixel_at(event.x, event.y)) is not None:
            self.post_message(self.Hovered(pixel))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """End what the press began."""
        self.release_mouse()
        if self._pressed:
            self._pressed = False
            self.post_message(self.Released(self._view.nearest_pixel(event.x, event.y)))
        marker = point_at(self._scene.pairs, self._view, event.x, event.y)
        if self._panning is not None and not self._panned and marker is not None:
            self.post_message(self.MenuAsked(marker))
        self._panning = None

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Zoom in where the mouse is."""
        event.stop()
        self.zoom(ZOOM_STEP, self._view.point_of(event.x + 0.5, event.y + 0.5))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Zoom out where the mouse is."""
        event.stop()
        self.zoom(1 / ZOOM_STEP, self._view.point_of(event.x + 0.5, event.y + 0.5))
