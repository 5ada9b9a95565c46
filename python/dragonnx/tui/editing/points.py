"""Placing, moving, selecting and deleting points."""

from __future__ import annotations

from dragonnx.tui.editing.base import EditorBase
from dragonnx.tui.editing.tools import Tool

MERGE = "drag a marker"


class PointEditing(EditorBase):
    """Points by keys and mouse."""

    def place_point(self, pixel: tuple[int, int]) -> None:
        """Place a handle, or the target of the newest handle."""

        def place() -> None:
            document = self.document
            number = len(document.pairs) + (0 if document.waits_for_target else 1)
            kind = "target point" if document.waits_for_target else "handle point"
            self.selected = number - 1
            self.edit(f"place {kind} {number}", lambda d: d.with_point(_float(pixel)))
            if kind == "handle point":
                self.say("Now the target: move the cross-hair and press Enter, or click.", "hint")
            else:
                self.preferences.hint_seen = True
                self.say("Space starts the drag; Enter or a click adds another point.", "hint")

        self.when_still(place)

    def action_next_point(self) -> None:
        """Select the next point."""
        self._select(1)

    def action_previous_point(self) -> None:
        """Select the point before."""
        self._select(-1)

    def select(self, index: int) -> None:
        """Select a point and put the cross-hair on its handle."""
        self.selected = index
        handle = self.live_pairs()[index].handle
        self.move_cursor(*handle)
        self.canvas.reveal(handle)
        self.show_all()

    def action_move_handle(self) -> None:
        """Move the selected handle to the cross-hair."""
        self._move("handle")

    def action_move_target(self) -> None:
        """Move the selected target to the cross-hair."""
        self._move("target")

    def action_delete_point(self) -> None:
        """Delete the selected point, else the newest."""
        pairs = self.live_pairs()
        if not pairs:
            self.say("There is no point to delete.")
            return
        index = len(pairs) - 1 if self.selected is None else self.selected
        self.edit(f"delete point {index + 1}", lambda d: d.without_pair(index))

    def action_clear_points(self) -> None:
        """Delete all points."""
        if self.live_pairs():
            self.edit("delete all points", lambda d: d.without_pairs())

    def grip(self, marker: tuple[int, str]) -> None:
        """Begin to move a marker with the mouse."""
        self.selected = marker[0]

        def hold() -> None:
            self.history.finish_merging()
            self.gripped = marker

        self.when_still(hold)
        self.show_all()

    def move_gripped(self, pixel: tuple[int, int]) -> None:
        """Move the marker that the mouse holds."""
        if self.gripped is not None:
            self._move_to(*self.gripped, pixel, MERGE)

    def let_go(self) -> None:
        """End moving a marker."""
        self.gripped = None
        self.history.finish_merging()

    def _select(self, by: int) -> None:
        pairs = self.live_pairs()
        if not pairs:
            self.say("There is no point yet: Enter places one.")
            return
        if self.selected is None:
            self.select(0 if by > 0 else len(pairs) - 1)
        else:
            self.select((self.selected + by) % len(pairs))

    def _move(self, end: str) -> None:
        if self.selected is None or self.selected >= len(self.live_pairs()):
            self.say("Select a point first: Tab.")
            return
        self._move_to(self.selected, end, self.cursor, None)

    def _move_to(self, index: int, end: str, pixel: tuple[int, int], merge_key: str | None) -> None:
        if index >= len(self.document.pairs):
            return
        at = _float(pixel)
        label = f"move {end} point {index + 1}"
        if end == "handle":
            self.edit(label, lambda d: d.with_handle(index, at), merge_key)
        else:
            self.edit(label, lambda d: d.with_target(index, at), merge_key)

    def use_tool(self, tool: Tool) -> None:
        """Choose what a click does."""
        self.tool = tool
        self.corner = None
        self.show_all()

    def action_tool_points(self) -> None:
        """The point tool."""
        self.use_tool(Tool.POINTS)
        self.say("Points: Enter or a click places handle, then target.")


def _float(pixel: tuple[int, int]) -> tuple[float, float]:
    return float(pixel[0]), float(pixel[1])
