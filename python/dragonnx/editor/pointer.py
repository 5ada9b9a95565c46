"""The cross-hair and the mouse: what a place on the image means to the tool in use."""

from __future__ import annotations

from dragonnx.editor.mask import MaskCommands
from dragonnx.editor.phase import waiting
from dragonnx.editor.points import PointCommands
from dragonnx.editor.state import EditorState, Marker, Part
from dragonnx.editor.tools import Tool


class PointerCommands:
    """What a user can do at a place of the image.

    Args:
        state: The editor's.
        points: What the point tool does.
        mask: What the other tools do.
    """

    def __init__(self, state: EditorState, points: PointCommands, mask: MaskCommands) -> None:
        self._state = state
        self._points = points
        self._mask = mask

    def move_by(self, x: int, y: int) -> None:
        """Move what is picked up, else the cross-hair, by pixels; a view of a part follows it."""
        state = self._state
        if state.is_held:
            self._points.nudge(x, y)
            return
        state.put_cursor(state.cursor[0] + x, state.cursor[1] + y)
        state.changed(Part.SCENE | Part.JUMP)

    def use(self) -> None:
        """Use the tool at the cross-hair; a marker that is picked up is put down."""
        self._state.bare = False
        if self._points.put_down():
            return
        if self._state.tool is Tool.POINTS:
            self._points.place(self._state.cursor)
        else:
            self._mask.stamp()

    def press(self, pixel: tuple[int, int], marker: Marker | None = None) -> None:
        """Use the tool where the mouse is pressed.

        Args:
            pixel: Where.
            marker: The marker that lies there, if any.
        """
        state = self._state
        state.bare = False
        self._points.put_down()
        state.put_cursor(*pixel)
        if state.tool is not Tool.POINTS:
            self._mask.begin_stroke(pixel)
        elif marker is not None and not self._places_target(marker):
            self._points.grip(marker)
        else:
            self._points.place(pixel)

    def drag(self, pixel: tuple[int, int]) -> None:
        """Move a marker, or paint, where the pressed mouse goes."""
        state, before = self._state, self._state.cursor
        state.put_cursor(*pixel)
        if state.stroke is not None:
            self._mask.go_on_stroke(before, state.cursor)
        elif state.gripped is not None:
            self._points.move_gripped(state.cursor)
        else:
            state.changed(Part.SCENE)

    def release(self) -> None:
        """End what the press began; where the press waits for a pause, after it."""

        def end() -> None:
            self._mask.end_stroke()
            self._points.let_go()

        if waiting(self._state.phase):
            self._state.when_idle(end)
        else:
            end()

    def let_go(self) -> None:
        """Drop a shape that is not closed, else put down what is picked up, else select nothing."""
        state = self._state
        if self._mask.drop_stroke() or self._points.put_down():
            return
        state.selected = None
        state.changed()

    def hover(self, pixel: tuple[int, int]) -> None:
        """Let the cross-hair follow the mouse; what the arrows moved is put down."""
        self._points.put_down()
        self._state.put_cursor(*pixel)
        self._state.changed(Part.SCENE)

    def _places_target(self, marker: Marker) -> bool:
        """Whether a press on a marker places a target: the waiting handle is no obstacle."""
        document = self._state.document
        return document.waits_for_target and marker != (len(document.pairs) - 1, "handle")
