"""Painting the mask: brushes, boxes, polygons, eraser, invert, clear."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dragonnx.document import Document
from dragonnx.editor.state import EditorState, Part
from dragonnx.editor.tools import Stroke, Tool, box, brush, canvas_mask, painted, polygon
from dragonnx.types import Point

_RADIUS_STEP = 1.25
_SMALLEST_RADIUS = 0.5
_NEAR = 0.02
"""Of the picture's longer side: so near to a polygon's first corner is at it."""


class MaskCommands:
    """What can be done with the mask. A stroke, from press to release, is one edit.

    Args:
        state: The editor's.
    """

    def __init__(self, state: EditorState) -> None:
        self._state = state
        self._eraser_paints_movable = False

    def use_tool(self, tool: Tool) -> None:
        """Let clicks paint."""
        state = self._state
        state.tool = tool
        state.stroke, state.is_held = None, False
        state.mask_shown = True
        state.changed()
        how = "Enter or drag paints, [ ] size"
        if tool.is_box:
            how = "Enter sets two corners, or drag"
        elif tool.is_polygon:
            how = "Enter or a click sets corners"
        state.say(f"{tool.value.capitalize()}: {how}. 1: points.")

    def smaller_brush(self) -> None:
        """A smaller radius."""
        self._set_radius(self._state.radius / _RADIUS_STEP)

    def larger_brush(self) -> None:
        """A larger radius."""
        self._set_radius(self._state.radius * _RADIUS_STEP)

    def invert(self) -> None:
        """Movable becomes fixed, fixed movable."""
        if self._state.document.mask is None:
            self._state.say("There is no mask to invert: paint one with 2 or 3.")
            return
        self._state.edit("invert the mask", lambda d: d if d.mask is None else d.with_mask(~d.mask))

    def clear(self) -> None:
        """No mask: everything may move."""
        if self._state.document.mask is not None:
            self._state.edit("clear the mask", lambda d: d if d.mask is None else d.with_mask(None))

    def show_or_hide(self) -> None:
        """Show or hide the mask; it works either way."""
        state = self._state
        state.mask_shown = not state.mask_shown
        state.changed()
        state.say("The mask is shown." if state.mask_shown else "The mask is hidden, and works.")

    def begin_stroke(self, pixel: tuple[int, int]) -> None:
        """Begin to paint at a pixel, or set a corner."""
        state = self._state
        if state.stroke is not None and state.tool.is_polygon:
            self._set_corner(state.stroke, (float(pixel[0]), float(pixel[1])))
            return

        def begin() -> None:
            if not state.is_model_open:
                state.say("The model is not open yet.")
                return
            width, height = state.image_size
            movable = self._paints_movable()
            before = state.document.mask
            mask = canvas_mask(before, (height, width), paints=movable)
            if state.tool.is_box or state.tool.is_polygon:
                corners = ((float(pixel[0]), float(pixel[1])),)
                state.stroke = Stroke(mask, movable, before, corners, is_box=state.tool.is_box)
            else:
                state.stroke = Stroke(mask, movable, before)
                self._brush(pixel, pixel)
            state.changed(Part.SCENE)

        state.when_idle(begin)

    def go_on_stroke(self, before: tuple[int, int], pixel: tuple[int, int]) -> None:
        """Paint on from one pixel to another."""
        self._brush(before, pixel)
        self._state.changed(Part.SCENE)

    def end_stroke(self) -> None:
        """Make what was painted an edit; a box ends at the cross-hair. A polygon stays open."""
        if not self._state.tool.is_polygon:
            self._end_stroke()

    def drop_stroke(self) -> bool:
        """Forget a box or a polygon that is not closed; whether there was one."""
        state = self._state
        if state.stroke is None:
            return False
        state.stroke = None
        state.changed(Part.SCENE)
        return True

    def _set_corner(self, stroke: Stroke, corner: Point) -> None:
        """The next corner of a polygon, or its end."""
        state = self._state
        near = max(state.image_size) * _NEAR
        ends = corner == stroke.corners[-1] or np.hypot(
            corner[0] - stroke.corners[0][0], corner[1] - stroke.corners[0][1]
        ) <= near  # fmt: skip
        if not ends:
            state.stroke = replace(stroke, corners=(*stroke.corners, corner))
            state.changed(Part.SCENE)
            self._tell_corners()
        elif len(stroke.corners) > 2:
            self._end_stroke()
        else:
            state.say("A polygon has three corners or more; Esc drops it.", "hint")

    def _tell_corners(self) -> None:
        stroke = self._state.stroke
        count = 0 if stroke is None else len(stroke.corners)
        self._state.say(f"Corner {count}. The first again, or Enter twice, closes; Esc drops it.",
                        "hint")  # fmt: skip

    def _end_stroke(self) -> None:
        state, stroke = self._state, self._state.stroke
        state.stroke = None
        if stroke is None or not state.is_model_open:
            state.changed(Part.SCENE)
            return
        if stroke.is_box:
            box(stroke.mask, stroke.corners[0], state.cursor, movable=stroke.movable)
        elif stroke.corners:
            polygon(stroke.mask, stroke.corners, movable=stroke.movable)
        mask = painted(stroke.mask)
        if mask is None and state.document.mask is None:
            state.say("That would fix or free everything, which is the same as no mask.")
            state.changed(Part.SCENE)
            return
        model = state.document.model

        def change(document: Document) -> Document:
            return document.with_mask(mask) if document.model == model else document

        state.edit(f"paint with the {state.tool.value}", change)
        state.changed()

    def stamp(self) -> None:
        """Use the tool at the cross-hair: paint, or set one corner after the other."""
        state = self._state
        if state.stroke is not None and state.stroke.is_box:
            self.end_stroke()
            return
        goes_on = state.stroke is not None and state.tool.is_polygon
        self.begin_stroke(state.cursor)
        if state.tool.is_brush:
            state.when_idle(self.end_stroke)
        elif state.tool.is_box:
            state.say("Move the cross-hair to the other corner and press Enter.", "hint")
        elif not goes_on and state.stroke is not None:
            self._tell_corners()

    def _paints_movable(self) -> bool:
        """What the tool makes of the mask; the eraser makes the contrary of the last paint."""
        paints = self._state.tool.paints
        if paints is None:
            return self._eraser_paints_movable
        self._eraser_paints_movable = not paints
        return paints

    def _brush(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        stroke = self._state.stroke
        if stroke is not None and not stroke.corners:
            brush(stroke.mask, start, end, self._state.radius, movable=stroke.movable)

    def _set_radius(self, radius: float) -> None:
        largest = max(self._state.image_size) / 2
        self._state.radius = float(np.clip(radius, _SMALLEST_RADIUS, largest))
        self._state.changed(Part.SCENE)
        self._state.say(f"Brush radius {self._state.radius:.1f} px.")
