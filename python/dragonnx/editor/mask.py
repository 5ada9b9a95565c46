"""Painting the mask: brushes, boxes, eraser, invert, clear."""

from __future__ import annotations

import numpy as np

from dragonnx.document import Document
from dragonnx.editor.state import EditorState, Part
from dragonnx.editor.tools import Stroke, Tool, box, brush, canvas_mask, painted

_RADIUS_STEP = 1.25
_SMALLEST_RADIUS = 0.5


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
        state.stroke = None
        state.mask_shown = True
        state.changed()
        how = "Enter sets two corners, or drag" if tool.is_box else "Enter or drag paints, [ ] size"
        state.say(f"{tool.value.capitalize()}: {how}. 1 returns to points.")

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

        def begin() -> None:
            if not state.is_model_open:
                state.say("The model is not open yet.")
                return
            width, height = state.image_size
            movable = self._paints_movable()
            before = state.document.mask
            mask = canvas_mask(before, (height, width), paints=movable)
            if state.tool.is_box:
                corner = (float(pixel[0]), float(pixel[1]))
                state.stroke = Stroke(mask, movable, before, corner)
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
        """Make what was painted an edit; a rectangle ends at the cross-hair."""
        state, stroke = self._state, self._state.stroke
        state.stroke = None
        if stroke is None or not state.is_model_open:
            state.changed(Part.SCENE)
            return
        if stroke.corner is not None:
            box(stroke.mask, stroke.corner, state.cursor, movable=stroke.movable)
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
        if state.stroke is not None and state.stroke.corner is not None:
            self.end_stroke()
            return
        self.begin_stroke(state.cursor)
        if state.tool.is_brush:
            state.when_idle(self.end_stroke)
        else:
            state.say("Move the cross-hair to the other corner and press Enter.", "hint")

    def _paints_movable(self) -> bool:
        """What the tool makes of the mask; the eraser makes the contrary of the last paint."""
        paints = self._state.tool.paints
        if paints is None:
            return self._eraser_paints_movable
        self._eraser_paints_movable = not paints
        return paints

    def _brush(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        stroke = self._state.stroke
        if stroke is not None and stroke.corner is None:
            brush(stroke.mask, start, end, self._state.radius, movable=stroke.movable)

    def _set_radius(self, radius: float) -> None:
        largest = max(self._state.image_size) / 2
        self._state.radius = float(np.clip(radius, _SMALLEST_RADIUS, largest))
        self._state.changed(Part.SCENE)
        self._state.say(f"Brush radius {self._state.radius:.1f} px.")
