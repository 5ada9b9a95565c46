"""Moving the cross-hair and the view, and how the picture is shown."""

from __future__ import annotations

from dragonnx.tui.cells import CanvasMode
from dragonnx.tui.editing.base import EditorBase
from dragonnx.tui.geometry import ZOOM_STEP
from dragonnx.tui.widgets.side_panel import SidePanel

LEAP = 8
"""Pixels."""
_DIRECTIONS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}


class ViewEditing(EditorBase):
    """View and cross-hair; none of it changes the document."""

    def action_cursor(self, direction: str) -> None:
        """Move the cross-hair by a pixel."""
        self._move_cursor_by(direction, 1)

    def action_leap(self, direction: str) -> None:
        """Move the cross-hair by 8 pixels."""
        self._move_cursor_by(direction, LEAP)

    def action_pan(self, direction: str) -> None:
        """Move the view."""
        x, y = _DIRECTIONS[direction]
        columns, rows = self.canvas.view.cells
        self.canvas.pan(x * columns / 8, y * rows / 8)

    def action_zoom_in(self) -> None:
        """Zoom in about the cross-hair."""
        self.canvas.zoom(ZOOM_STEP**2)

    def action_zoom_out(self) -> None:
        """Zoom out about the cross-hair."""
        self.canvas.zoom(ZOOM_STEP**-2)

    def action_fit(self) -> None:
        """Show the whole picture."""
        self.canvas.fit()

    def action_next_mode(self) -> None:
        """Show the picture another way."""
        modes = list(CanvasMode)
        if self.canvas.graphics is None:
            modes.remove(CanvasMode.PIXELS)
        self.canvas.mode = modes[(modes.index(self.canvas.mode) + 1) % len(modes)]
        self.preferences.mode = self.canvas.mode.name
        self.preferences.save()
        self.show_panel()
        self.say(f"The picture is shown as {self.canvas.mode.value}.")

    def action_panel(self) -> None:
        """Show or hide the side panel."""
        panel = self.query_one(SidePanel)
        panel.display = not panel.display

    def action_next_theme(self) -> None:
        """The next colour theme."""
        names = sorted(self.app.available_themes)
        at = names.index(self.app.theme) if self.app.theme in names else -1
        self.app.theme = names[(at + 1) % len(names)]
        self.say(f"Theme {self.app.theme}.")

    def _move_cursor_by(self, direction: str, pixels: int) -> None:
        x, y = _DIRECTIONS[direction]
        self.move_cursor(self.cursor[0] + x * pixels, self.cursor[1] + y * pixels)
        self.canvas.reveal(self.cursor)
        self.show_scene()
