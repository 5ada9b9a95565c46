"""A photo with a crop box on it, for keys and mouse."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.message import Message

from dragonnx.tui.drawing.cells import CanvasMode
from dragonnx.tui.drawing.geometry import Viewport
from dragonnx.tui.widgets.thumbnail import Thumbnail


class CropView(Thumbnail):
    """Says where on the photo the mouse was pressed or moved, and which way the wheel was turned.

    Args:
        mode: How pictures are shown.
        id: Textual's name of it.
    """

    @dataclass
    class Placed(Message):
        """The mouse was pressed, or moved while it was, at a share of the photo's width and height."""

        x: float
        y: float

    @dataclass
    class Turned(Message):
        """The wheel was turned: 1 for larger."""

        by: int

    def __init__(self, mode: CanvasMode, *, id: str) -> None:  # noqa: A002 Textual's word
        super().__init__(mode, id=id)
        self._pressed = False

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Place the box there."""
        self._pressed = True
        self.capture_mouse()
        self._place(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Let the box follow."""
        if self._pressed:
            self._place(event)

    def on_mouse_up(self, _event: events.MouseUp) -> None:
        """Let it lie there."""
        self._pressed = False
        self.release_mouse()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """A larger box."""
        event.stop()
        self.post_message(self.Turned(1))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """A smaller box."""
        event.stop()
        self.post_message(self.Turned(-1))

    def _place(self, event: events.MouseDown | events.MouseMove) -> None:
        if self.picture is None:
            return
        height, width = self.picture.shape[:2]
        view = Viewport((width, height), (self.size.width, self.size.height))
        x, y = view.point_of(event.x + 0.5, event.y + 0.5)
        self.post_message(self.Placed((x + 0.5) / width, (y + 0.5) / height))
