"""A grid of small pictures with a line below each."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from textual import events
from textual.message import Message

from dragonnx.tui.drawing.cells import CanvasMode, Cells, cells_of
from dragonnx.tui.drawing.geometry import CELL_ASPECT, Viewport
from dragonnx.tui.drawing.graphics import Graphics
from dragonnx.tui.drawing.raster import Raster, draw_picture
from dragonnx.tui.widgets.canvas import RIGHT_BUTTON
from dragonnx.tui.widgets.painted import Painted
from dragonnx.types import Picture

_LEAST_WIDTH, _LEAST_HEIGHT = 18, 6
"""Columns and rows of a tile; its last row holds its title."""
_ANY = 2**32
"""Pictures: more than any sheet holds."""
_PLAIN, _CHOSEN, _MARKED = (150, 150, 150), (255, 235, 90), (120, 220, 120)


@dataclass(frozen=True)
class Grid:
    """How tiles fill a sheet.

    Attributes:
        columns: Tiles beside each other.
        rows: Tiles on top of each other.
        width: Columns of characters of a tile, one of them a gap.
        height: Rows of a tile, the last of them its title's.
    """

    columns: int
    rows: int
    width: int
    height: int

    @classmethod
    def filling(cls, width: int, height: int, aspect: float, count: int = _ANY) -> Grid:
        """As many tiles as can be told apart, for pictures that are about square.

        Args:
            width: Columns of characters.
            height: Rows.
            aspect: Width of a cell over its height.
            count: How many pictures there are: few have larger tiles.
        """
        most = max(width // _LEAST_WIDTH, 1)
        for columns in range(1, most + 1):
            wide = width // columns
            rows = max(round(height / max((wide - 1) * aspect + 1, _LEAST_HEIGHT)), 1)
            if columns == most or columns * rows >= count:
                break
        return cls(columns, rows, wide, height // rows)


class Sheet(Painted):
    """Shows pictures in rows; a click chooses one, one with the right button marks it.

    Args:
        mode: How pictures are shown.
        graphics: How the terminal takes real pixels; None where it does not.
        count: How many pictures there are, on all pages.
        id: Textual's name of it.
    """

    @dataclass
    class LaidOut(Message):
        """The number of tiles is known."""

    @dataclass
    class Chosen(Message):
        """A tile was clicked."""

        index: int

    @dataclass
    class Marked(Message):
        """A tile was clicked with the right button."""

        index: int

    @dataclass
    class Turned(Message):
        """The wheel asks for another page."""

        by: int

    def __init__(
        self,
        mode: CanvasMode,
        graphics: Graphics | None = None,
        *,
        count: int = _ANY,
        id: str,  # noqa: A002 Textual's word
    ) -> None:
        super().__init__(id=id)
        self._count = count
        self._graphics = graphics
        self._mode = mode
        self._pictures: dict[int, Picture] = {}
        self._titles: list[str] = []
        self._selected = 0
        self._marked: frozenset[int] = frozenset()

    @property
    def grid(self) -> Grid:
        """How the tiles lie."""
        cell = None if self._graphics is None else self._graphics.cell
        aspect = CELL_ASPECT if cell is None else cell[0] / cell[1]
        width, height = max(self.size.width, 1), max(self.size.height, 1)
        return Grid.filling(width, height, aspect, self._count)

    @property
    def columns(self) -> int:
        """Tiles beside each other."""
        return self.grid.columns

    @property
    def count(self) -> int:
        """Tiles on a page."""
        return self.grid.columns * self.grid.rows

    def begin(self, titles: list[str]) -> None:
        """Begin another page, of so many tiles."""
        self._titles = titles
        self._pictures = {}
        self._repaint()

    def show(self, pictures: Mapping[int, Picture]) -> None:
        """Show the pictures that there are, by the tile's number from 0."""
        self._pictures = dict(pictures)
        self._repaint()

    def select(self, index: int, marked: Collection[int] = ()) -> None:
        """Point out a tile, and mark others."""
        self._selected, self._marked = index, frozenset(marked)
        self._repaint()

    def on_resize(self, _event: events.Resize) -> None:
        """Lay the tiles out anew."""
        self.post_message(self.LaidOut())

    def on_click(self, event: events.Click) -> None:
        """Choose or mark the tile under the mouse."""
        grid = self.grid
        column, row = event.x // grid.width, event.y // grid.height
        index = row * grid.columns + column
        if column < grid.columns and index < len(self._titles):
            marks = event.button == RIGHT_BUTTON or event.ctrl
            self.post_message(self.Marked(index) if marks else self.Chosen(index))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The next page."""
        event.stop()
        self.post_message(self.Turned(1))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The page before."""
        event.stop()
        self.post_message(self.Turned(-1))

    def _repaint(self) -> None:
        if not self.size.area:
            return
        graphics = self._graphics if self._mode is CanvasMode.PIXELS else None
        if graphics is None:
            self.paint(self._cells())
            return
        cell = graphics.pixels(self.size.area, moving=False)
        self.paint_pixels(graphics, self._pixels(cell), cell[1], functools.cache(self._cells))

    def _places(self) -> Iterator[tuple[int, int]]:
        """The column and row where each tile begins."""
        grid = self.grid
        for index in range(len(self._titles)):
            row, column = divmod(index, grid.columns)
            yield column * grid.width, row * grid.height

    def _title(self, index: int) -> tuple[str, tuple[int, int, int]]:
        """The line below a tile, as it fits there."""
        is_marked = index in self._marked
        room = self.grid.width - 5 - 2 * is_marked
        title = self._titles[index]
        title = title if len(title) <= room else f"{title[: room - 3]}..."
        text = f"* {title}" if is_marked else title
        if index == self._selected:
            return f"> {text} <", _CHOSEN
        return text, _MARKED if is_marked else _PLAIN

    def _cells(self) -> Cells:
        """The sheet in characters."""
        (width, height), high = self.size, self._mode.rows_per_cell
        background, grid = self.background_colors[1].rgb, self.grid
        raster = np.full((height * high, width, 3), background, np.uint8)
        for index, (left, top) in enumerate(self._places()):
            self._put(raster, index, left, top * high, (grid.width - 1, grid.height - 1), high)
        cells = cells_of(raster, self._mode)
        for index, (left, top) in enumerate(self._places()):
            text, colour = self._title(index)
            start = left + (grid.width - 1 - len(text)) // 2
            for k, character in enumerate(text):
                cells.put(start + k, top + grid.height - 1, character, colour, background)
        return cells

    def _pixels(self, cell: tuple[int, int]) -> Raster:
        """The sheet in pixels, the titles written below their pictures."""
        wide, high = cell
        background, grid = self.background_colors[1].rgb, self.grid
        raster = np.full((self.size.height * high, self.size.width * wide, 3), background, np.uint8)
        tile = (grid.width - 1) * wide, (grid.height - 1) * high
        for index, (left, top) in enumerate(self._places()):
            self._put(raster, index, left * wide, top * high, tile, 1, aspect=1.0)
        picture = Image.fromarray(raster)
        draw, font = ImageDraw.Draw(picture), ImageFont.load_default(max(0.7 * high, 6))
        for index, (left, top) in enumerate(self._places()):
            text, colour = self._title(index)
            middle = (left + (grid.width - 1) / 2) * wide, (top + grid.height - 0.5) * high
            draw.text(middle, text, fill=colour, font=font, anchor="mm")
        return np.asarray(picture)

    def _put(
        self,
        raster: Raster,
        index: int,
        left: int,
        top: int,
        tile: tuple[int, int],
        high: int,
        aspect: float = CELL_ASPECT,
    ) -> None:
        """Put a tile's picture on the sheet, where it is there yet."""
        picture = self._pictures.get(index)
        if picture is None:
            return
        view = Viewport((picture.shape[1], picture.shape[0]), tile, aspect=aspect)
        background = self.background_colors[1].rgb
        shown = draw_picture(picture, view, high, background, smooth=high == 1)
        place = raster[top : top + shown.shape[0], left : left + shown.shape[1]]
        place[:] = shown[: place.shape[0], : place.shape[1]]
