"""A widget that is nothing but a canvas of cells."""

from __future__ import annotations

from collections.abc import Callable

from textual.filter import LineFilter
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from dragonnx.tui.drawing.cells import Cells, StripMaker
from dragonnx.tui.drawing.graphics import Graphics, PixelStripMaker
from dragonnx.tui.drawing.raster import Raster


class Painted(Widget):
    """Shows `Cells`, and paints only the rows that differ from those before.

    It has neither borders nor padding nor text to select, so its strips go to the terminal as they
    are, past all that Textual does for such things.
    """

    def __init__(self, *, id: str) -> None:  # noqa: A002 Textual's word
        super().__init__(id=id)
        self._maker: StripMaker | PixelStripMaker = StripMaker()

    def paint(self, cells: Cells) -> None:
        """Show other cells."""
        if isinstance(self._maker, PixelStripMaker):
            # Not within a strip: there it would be measured, and cut, as text.
            if self.app._driver is not None:
                self.app._driver.write(self._maker.farewell())
            self._maker = StripMaker()
        self._refresh_rows(self._maker.update(cells))

    def paint_pixels(
        self, graphics: Graphics, raster: Raster, height: int, cells: Callable[[], Cells]
    ) -> None:
        """Show other pixels.

        Args:
            graphics: How the terminal takes them.
            raster: The pixels.
            height: How many of them a cell is high.
            cells: The same in characters, for where something lies over them.
        """
        if not (isinstance(self._maker, PixelStripMaker) and self._maker.graphics == graphics):
            self._maker = PixelStripMaker(graphics)
        self._refresh_rows(self._maker.update(raster, height, self.size.width, cells))

    def _refresh_rows(self, changed: list[int]) -> None:
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

    def get_line_filters(self) -> list[LineFilter]:
        """No filters: every colour is already what the terminal shows."""
        return []

    def render_line(self, y: int) -> Strip:
        """One row of cells."""
        strips = self._maker.strips
        return strips[y] if y < len(strips) else Strip.blank(self.size.width)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Some rows of cells."""
        left, right = crop.column_span
        return [self.render_line(y).crop(left, right) for y in crop.line_range]
