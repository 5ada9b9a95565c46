"""Placing, moving, selecting and deleting points."""

from __future__ import annotations

from dragonnx.document import Document
from dragonnx.editor.notices import HELD_HINT, TARGET_HINT, Notice, drag_hint
from dragonnx.editor.scene import live_pairs
from dragonnx.editor.state import EditorState, End, Marker, Part
from dragonnx.editor.tools import Tool, point_of
from dragonnx.errors import InputError

_MERGE = "drag a marker"


class PointCommands:
    """What can be done with points.

    Args:
        state: The editor's.
    """

    def __init__(self, state: EditorState) -> None:
        self._state = state

    def place(self, pixel: tuple[int, int]) -> None:
        """Place a handle, or the target of the newest handle."""
        state = self._state

        def place() -> None:
            if not state.is_model_open:
                state.say("The model is not open yet.")
                return
            document = state.document
            is_target = document.waits_for_target
            number = len(document.pairs) + (0 if is_target else 1)
            state.selected, state.is_held = number - 1, False
            state.selected_end = "target" if is_target else "handle"
            kind = "target point" if is_target else "handle point"
            state.edit(f"place {kind} {number}", lambda d: d.with_point(point_of(pixel)))
            if is_target:
                state.is_first_time = False
                state.say(drag_hint(state.document), "hint")
            else:
                state.say(TARGET_HINT, "hint")

        state.when_idle(place)

    def select(self, index: int, end: End = "handle") -> None:
        """Pick a marker up: the cross-hair goes there, and the arrows move it.

        Args:
            index: Which pair, from 0.
            end: Which end of it.

        Raises:
            InputError: There is no such point.
        """
        pairs = live_pairs(self._state)
        if not 0 <= index < len(pairs):
            raise InputError(f"there is no point {index + 1}: {len(pairs)} are placed")
        pair, state = pairs[index], self._state
        if pair.target is None:
            end = "handle"
        state.history.finish_merging()
        state.selected, state.selected_end, state.is_held = index, end, True
        state.put_cursor(*(pair.target if end == "target" and pair.target else pair.handle))
        state.changed(Part.SCENE | Part.FACTS | Part.JUMP)
        state.say(f"Point {index + 1}, its {end}. {HELD_HINT}")

    def select_other_end(self, index: int) -> None:
        """Pick a point's handle up, or its target where that is the handle that is picked.

        Raises:
            InputError: There is no such point.
        """
        is_handle = (self._state.selected, self._state.selected_end) == (index, "handle")
        self.select(index, "target" if is_handle and self._state.is_held else "handle")

    def select_next(self) -> None:
        """Pick the next marker up: handles and targets in turn."""
        self._select_by(1)

    def select_previous(self) -> None:
        """Pick the marker before up."""
        self._select_by(-1)

    def put_down(self) -> bool:
        """Let the arrows move the cross-hair alone; whether they moved a marker."""
        state, was_held = self._state, self._state.is_held
        state.is_held = False
        if was_held:
            state.history.finish_merging()
            state.changed()
        return was_held

    def nudge(self, x: int, y: int) -> None:
        """Move the marker that is picked up; until it is put down that is one edit."""
        state = self._state

        def move() -> None:
            index, end, pairs = state.selected, state.selected_end, state.document.pairs
            if index is None or index >= len(pairs):  # it went while this waited
                return
            width, height = state.image_size
            pair = pairs[index]
            at = pair.target if end == "target" and pair.target is not None else pair.handle
            to = min(max(at[0] + x, 0.0), width - 1.0), min(max(at[1] + y, 0.0), height - 1.0)
            state.put_cursor(*to)
            self._move(index, end, to, f"nudge {end} {index}")
            state.changed(Part.SCENE | Part.JUMP)

        state.when_idle(move)

    def switch(self) -> None:
        """Switch the selected point off, or on again; it keeps its place."""
        state = self._state
        index = state.selected
        if index is None or index >= len(live_pairs(state)):
            state.say("Select a point first: Tab.")
            return
        is_on = state.document.pairs[index].is_on
        told = (f"Point {index + 1} is off: drags leave it out. O switches it on." if is_on
                else f"Point {index + 1} is on.")  # fmt: skip

        def change(document: Document) -> Document:
            if index >= len(document.pairs):
                return document
            return document.with_pair_switched(index)

        verb = "off" if is_on else "on"
        state.edit(f"switch point {index + 1} {verb}", change, told=Notice(told))

    def swap(self) -> None:
        """Let the selected point's handle and target change places."""
        state, index = self._state, self._state.selected
        pairs = live_pairs(state)
        if index is None or index >= len(pairs):
            state.say("Select a point first: Tab.")
        elif pairs[index].target is None:
            state.say(f"Point {index + 1} has no target yet.")
        else:
            self.put_down()

            def change(document: Document) -> Document:
                if index >= len(document.pairs) or document.pairs[index].target is None:
                    return document  # it went while this waited
                return document.with_pair_swapped(index)

            told = Notice(f"Handle and target of point {index + 1} have changed places.")
            state.edit(f"swap point {index + 1}", change, told=told)

    def move_handle(self) -> None:
        """Move the selected handle to the cross-hair."""
        self._move_selected("handle")

    def move_target(self) -> None:
        """Move the selected target to the cross-hair."""
        self._move_selected("target")

    def delete(self) -> None:
        """Delete the selected point, else the newest."""
        state = self._state
        if not live_pairs(state):
            state.say("There is no point to delete.")
            return

        def delete() -> None:
            count = len(state.document.pairs)
            if count:
                index = count - 1 if state.selected is None else state.selected
                state.edit(f"delete point {index + 1}", lambda d: d.without_pair(index))

        state.when_idle(delete)

    def clear(self) -> None:
        """Delete all points."""
        if live_pairs(self._state):
            self._state.edit("delete all points", lambda d: d.without_pairs() if d.pairs else d)

    def grip(self, marker: Marker) -> None:
        """Begin to move a marker with the mouse."""
        state = self._state
        state.selected, state.selected_end = marker
        state.is_held = True

        def hold() -> None:
            state.history.finish_merging()
            state.gripped = marker

        state.when_idle(hold)
        state.changed()

    def move_gripped(self, pixel: tuple[int, int]) -> None:
        """Move the marker that the mouse holds; all of its way is one edit."""
        if self._state.gripped is not None:
            self._move(*self._state.gripped, pixel, _MERGE)

    def let_go(self) -> None:
        """End moving a marker."""
        self._state.gripped = None
        self._state.history.finish_merging()

    def use_tool(self) -> None:
        """Let clicks place and move points."""
        self._state.tool = Tool.POINTS
        self._state.stroke, self._state.is_held = None, False
        self._state.changed()
        self._state.say("Points: Enter or a click places handle, then target.")

    def _select_by(self, by: int) -> None:
        state = self._state
        markers: list[Marker] = []
        for index, pair in enumerate(live_pairs(state)):
            markers.append((index, "handle"))
            if pair.target is not None:
                markers.append((index, "target"))
        if not markers:
            state.say("There is no point yet: Enter places one.")
            return
        here = None if state.selected is None else (state.selected, state.selected_end)
        at = markers.index(here) if here in markers else (-1 if by > 0 else len(markers))
        self.select(*markers[(at + by) % len(markers)])

    def _move_selected(self, end: End) -> None:
        state = self._state
        if state.selected is None or state.selected >= len(live_pairs(state)):
            state.say("Select a point first: Tab.")
            return
        self._move(state.selected, end, state.cursor, None)

    def _move(
        self, index: int, end: End, pixel: tuple[float, float], merge_key: str | None
    ) -> None:
        at = point_of(pixel)

        def change(document: Document) -> Document:
            if index >= len(document.pairs):  # it went while this waited
                return document
            move = document.with_handle if end == "handle" else document.with_target
            return move(index, at)

        self._state.edit(f"move {end} point {index + 1}", change, merge_key)
