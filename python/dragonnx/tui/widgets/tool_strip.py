"""The tools side by side, for the mouse: a press uses one, and the one in use stands out."""

from __future__ import annotations

from dataclasses import dataclass

from rich.text import Text
from textual import events
from textual.message import Message

from dragonnx.editor.tools import Tool
from dragonnx.tui.widgets.rows import Rows

_NAMES = {
    Tool.POINTS: "points",
    Tool.MOVABLE: "+brush",
    Tool.FIXED: "-brush",
    Tool.MOVABLE_BOX: "+box",
    Tool.FIXED_BOX: "-box",
    Tool.MOVABLE_POLYGON: "+poly",
    Tool.FIXED_POLYGON: "-poly",
    Tool.ERASER: "erase",
}
"""On the strip; + is what may move, - what stays fixed."""


class ToolStrip(Rows):
    """One line of tools."""

    NAME = "Tools"
    HELP = "Press one to use it: + paints what may move, - what stays fixed. The keys 1 to 8 do the same."
    GROUPS = ("Mask", "Points")
    """Headings of the actions that belong to it."""

    @dataclass
    class Used(Message):
        """A tool was pressed."""

        tool: Tool

    def show(self, used: Tool) -> None:
        """Show which tool is in use."""
        line = Text()
        for tool, name in _NAMES.items():
            line.append(name, "reverse" if tool is used else "")
            line.append(" ")
        self.show_rows([line])

    def on_click(self, event: events.Click) -> None:
        """Use the tool under the mouse."""
        tool = _tool_at(event.x)
        if tool is not None:
            self.post_message(self.Used(tool))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Say of the tool under the mouse what it does."""
        tool = _tool_at(event.x)
        self.tooltip = None if tool is None else f"{tool.value.capitalize()}. {tool.help}"


def _tool_at(column: int) -> Tool | None:
    """The tool whose name lies on a column."""
    start = 0
    for tool, name in _NAMES.items():
        if start <= column < start + len(name):
            return tool
        start += len(name) + 1
    return None
