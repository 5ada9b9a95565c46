"""A widget that is nothing but a canvas of cells."""

from __future__ import annotations

from textual.filter import LineFilter
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from dragonnx.tui.cells import Cells, StripMaker


class Painted(Widget):
    """Shows `Cells`, and paints only the rows that differ from those before.

    It has neither borders nor padding nor text to select, so its strips go to the terminal as they
    are, past all that Textual does for such things.
    """

    def __init__(self, *, id: str) -> None:  # noqa: A002 Textual's word
        super().__init__(id=id)
        self._maker = StripMaker()

    def paint(self, cells: Cells) -> None:
        """Show other cells."""
        changed = self._maker.update(cells)
        if not changed:
            return
        if len(changed) == len(self._maker.strips):
            self.refresh()
            return
        first = previous = changed[0]
        regions = []
        for row in [*changed[1:], -1]:
            if row != previous + 1:
                regions.append(Region(0, first, self.size.width, previous - first + 1))
                first = row
            previous = row
        self.refresh(*regions)

    def paint_anew(self) -> None:
        """Forget what was painted."""
        self._maker = StripMaker()

    def get_line_filters(self) -> list[LineFilter]:
        """No filters: every colour is already what the terminal shows."""
        return []

    def render_line(self, y: int) -> Strip:
        """One row of cells."""
        strips = self._maker.strips
        return strips[y] if y < len(strips) else Strip.blank(self.size.width)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Some rows of cells."""
        strips = [self.render_line(y) for y in crop.line_range]
        left, right = crop.column_span
        return [strip.crop(left, right) for strip in strips]
