"""Painting the mask: brushes, boxes, eraser, invert, clear."""

from __future__ import annotations

import numpy as np

from dragonnx.tui.editing.points import PointEditing
from dragonnx.tui.editing.tools import Tool, box, brush, canvas_mask, painted

RADIUS_STEP = 1.25


class MaskEditing(PointEditing):
    """The mask by keys and mouse. A stroke, from press to release, is one edit."""

    def action_tool_movable(self) -> None:
        """The movable brush."""
        self._mask_tool(Tool.MOVABLE)

    def action_tool_fixed(self) -> None:
        """The fixed brush."""
        self._mask_tool(Tool.FIXED)

    def action_tool_movable_box(self) -> None:
        """The movable rectangle."""
        self._mask_tool(Tool.MOVABLE_BOX)

    def action_tool_fixed_box(self) -> None:
        """The fixed rectangle."""
        self._mask_tool(Tool.FIXED_BOX)

    def action_tool_eraser(self) -> None:
        """The eraser."""
        self._mask_tool(Tool.ERASER)

    def action_smaller_brush(self) -> None:
        """A smaller radius."""
        self._set_radius(self.radius / RADIUS_STEP)

    def action_larger_brush(self) -> None:
        """A larger radius."""
        self._set_radius(self.radius * RADIUS_STEP)

    def action_invert_mask(self) -> None:
        """Movable becomes fixed."""
        if self.document.mask is None:
            self.say("There is no mask to invert: paint one with 2 or 3.")
            return
        self.edit("invert the mask", lambda d: d if d.mask is None else d.with_mask(~d.mask))

    def action_clear_mask(self) -> None:
        """No mask."""
        if self.document.mask is not None:
            self.edit("clear the mask", lambda d: d.with_mask(None))

    def action_show_mask(self) -> None:
        """Show or hide the mask."""
        self.mask_shown = not self.mask_shown
        self.show_all()
        self.say("The mask is shown." if self.mask_shown else "The mask is hidden, and works.")

    def begin_stroke(self, pixel: tuple[int, int]) -> None:
        """Begin to paint at a pixel, or set a corner."""

        def begin() -> None:
            width, height = self.image_size
            self.stroke = canvas_mask(
                self.document.mask, (height, width), paints=self._paints(record=True)
            )
            if self.tool.is_box:
                self.corner = (float(pixel[0]), float(pixel[1]))
            else:
                self._brush(pixel, pixel)
            self.show_scene()

        self.when_still(begin)

    def go_on_stroke(self, before: tuple[int, int], pixel: tuple[int, int]) -> None:
        """Paint on to another pixel."""
        if self.stroke is not None and self.tool.is_brush:
            self._brush(before, pixel)
        self.show_scene()

    def end_stroke(self) -> None:
        """Make what was painted an edit."""
        stroke, corner = self.stroke, self.corner
        self.stroke = self.corner = None
        if stroke is None:
            return
        if self.tool.is_box and corner is not None:
            box(stroke, corner, self.cursor, movable=self._paints())
        mask = painted(stroke)
        if mask is None and self.document.mask is None:
            self.say("That would fix or free everything, which is the same as no mask.")
            self.show_scene()
            return
        self.edit(f"paint with the {self.tool.value}", lambda d: d.with_mask(mask))
        self.show_all()

    def stamp(self) -> None:
        """Use the mask tool at the cross-hair, by key: paint, or set one corner after the other."""
        if self.tool.is_box and self.corner is not None:
            self.end_stroke()
            return
        self.begin_stroke(self.cursor)
        if self.tool.is_brush:
            self.when_still(self.end_stroke)
        else:
            self.say("Move the cross-hair to the other corner and press Enter.", "hint")

    def _mask_tool(self, tool: Tool) -> None:
        self.use_tool(tool)
        self.mask_shown = True
        how = "Enter sets two corners, or drag" if tool.is_box else "Enter or drag paints, [ ] size"
        self.say(f"{tool.value.capitalize()}: {how}. 1 returns to points.")

    def _paints(self, *, record: bool = False) -> bool:
        """What the tool sets; the eraser sets the contrary of the last paint."""
        paints = self.tool.paints
        if paints is None:
            return self.erases_to
        if record:
            self.erases_to = not paints
        return paints

    def _brush(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        assert self.stroke is not None  # noqa: S101 for the type checker
        brush(self.stroke, start, end, self.radius, movable=self._paints())

    def _set_radius(self, radius: float) -> None:
        largest = max(self.image_size) / 2
        self.radius = float(np.clip(radius, 0.5, largest))
        self.show_scene()
        self.say(f"Brush radius {self.radius:.1f} px.")
