"""Placing, moving, selecting and deleting points."""

from __future__ import annotations

from dragonnx.document import Document
from dragonnx.editor.notices import DRAG_HINT, TARGET_HINT
from dragonnx.editor.scene import live_pairs
from dragonnx.editor.state import EditorState, End, Marker, Part
from dragonnx.editor.tools import Tool
from dragonnx.errors import InputError
from dragonnx.types import Point

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
            state.selected = number - 1
            kind = "target point" if is_target else "handle point"
            state.edit(f"place {kind} {number}", lambda d: d.with_point(_float(pixel)))
            if is_target:
                state.is_first_time = False
                state.say(DRAG_HINT, "hint")
            else:
                state.say(TARGET_HINT, "hint")

        state.when_idle(place)

    def select(self, index: int) -> None:
        """Select a point, counted from 0, and put the cross-hair on its handle.

        Raises:
            InputError: There is no such point.
        """
        pairs = live_pairs(self._state)
        if not 0 <= index < len(pairs):
            raise InputError(f"there is no point {index + 1}: {len(pairs)} are placed")
        self._state.selected = index
        self._state.put_cursor(*pairs[index].handle)
        self._state.changed(Part.SCENE | Part.FACTS | Part.JUMP)

    def select_next(self) -> None:
        """Select the next point."""
        self._select_by(1)

    def select_previous(self) -> None:
        """Select the point before."""
        self._select_by(-1)

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
        state.selected = marker[0]

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
        self._state.stroke = None
        self._state.changed()
        self._state.say("Points: Enter or a click places handle, then target.")

    def _select_by(self, by: int) -> None:
        state, count = self._state, len(live_pairs(self._state))
        if not count:
            state.say("There is no point yet: Enter places one.")
        elif state.selected is None:
            self.select(0 if by > 0 else count - 1)
        else:
            self.select((state.selected + by) % count)

    def _move_selected(self, end: End) -> None:
        state = self._state
        if state.selected is None or state.selected >= len(live_pairs(state)):
            state.say("Select a point first: Tab.")
            return
        self._move(state.selected, end, state.cursor, None)

    def _move(self, index: int, end: End, pixel: tuple[int, int], merge_key: str | None) -> None:
        at = _float(pixel)

        def change(document: Document) -> Document:
            if index >= len(document.pairs):  # it went while this waited
                return document
            move = document.with_handle if end == "handle" else document.with_target
            return move(index, at)

        self._state.edit(f"move {end} point {index + 1}", change, merge_key)


def _float(pixel: tuple[int, int]) -> Point:
    return float(pixel[0]), float(pixel[1])
