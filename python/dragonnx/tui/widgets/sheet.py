"""A grid of small pictures with their seeds."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from textual import events
from textual.message import Message

from dragonnx.tui.drawing.cells import CanvasMode, Cells, cells_of
from dragonnx.tui.drawing.geometry import CELL_ASPECT, Viewport
from dragonnx.tui.drawing.graphics import Graphics
from dragonnx.tui.drawing.raster import Raster, draw_picture
from dragonnx.tui.widgets.painted import Painted
from dragonnx.types import Picture

_LEAST_WIDTH, _LEAST_HEIGHT = 18, 6
"""Columns and rows of a tile; its last row holds the seed."""
_PLAIN, _CHOSEN = (150, 150, 150), (255, 235, 90)


@dataclass(frozen=True)
class Grid:
    """How tiles fill a sheet.

    Attributes:
        columns: Tiles beside each other.
        rows: Tiles on top of each other.
        width: Columns of characters of a tile, one of them a gap.
        height: Rows of a tile, the last of them the seed's.
    """

    columns: int
    rows: int
    width: int
    height: int

    @classmethod
    def filling(cls, width: int, height: int, aspect: float) -> Grid:
        """As many tiles as can be told apart, for pictures that are about square.

        Args:
            width: Columns of characters.
            height: Rows.
            aspect: Width of a cell over its height.
        """
        columns = max(width // _LEAST_WIDTH, 1)
        wide = width // columns
        rows = max(round(height / max((wide - 1) * aspect + 1, _LEAST_HEIGHT)), 1)
        return cls(columns, rows, wide, height // rows)


class Sheet(Painted):
    """Shows pictures in rows; a click chooses one."""

    @dataclass
    class LaidOut(Message):
        """The number of tiles is known."""

    @dataclass
    class Chosen(Message):
        """A tile was clicked."""

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
        id: str,  # noqa: A002 Textual's word
    ) -> None:
        super().__init__(id=id)
        self._graphics = graphics
        self._mode = mode
        self._pictures: dict[int, Picture] = {}
        self._seeds: list[int] = []
        self._selected = 0

    @property
    def grid(self) -> Grid:
        """How the tiles lie."""
        cell = None if self._graphics is None else self._graphics.cell
        aspect = CELL_ASPECT if cell is None else cell[0] / cell[1]
        return Grid.filling(max(self.size.width, 1), max(self.size.height, 1), aspect)

    @property
    def columns(self) -> int:
        """Tiles beside each other."""
        return self.grid.columns

    @property
    def count(self) -> int:
        """Tiles on a page."""
        return self.grid.columns * self.grid.rows

    def begin(self, seeds: list[int]) -> None:
        """Begin another page."""
        self._seeds = seeds
        self._pictures = {}
        self._repaint()

    def show(self, pictures: Mapping[int, Picture]) -> None:
        """Show the pictures that there are, by seed."""
        self._pictures = dict(pictures)
        self._repaint()

    def select(self, index: int) -> None:
        """Mark a tile."""
        self._selected = index
        self._repaint()

    def on_resize(self, _event: events.Resize) -> None:
        """Lay the tiles out anew."""
        self.post_message(self.LaidOut())

    def on_click(self, event: events.Click) -> None:
        """Choose the tile under the mouse."""
        grid = self.grid
        column, row = event.x // grid.width, event.y // grid.height
        index = row * grid.columns + column
        if column < grid.columns and index < len(self._seeds):
            self.post_message(self.Chosen(index))

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

    def _places(self) -> Iterator[tuple[int, int, int]]:
        """Of each tile its seed, and the column and row where it begins."""
        grid = self.grid
        for index, seed in enumerate(self._seeds):
            row, column = divmod(index, grid.columns)
            yield seed, column * grid.width, row * grid.height

    def _title(self, index: int, seed: int) -> tuple[str, tuple[int, int, int]]:
        is_chosen = index == self._selected
        return (f"> {seed} <", _CHOSEN) if is_chosen else (f"{seed}", _PLAIN)

    def _cells(self) -> Cells:
        """The sheet in characters."""
        (width, height), high = self.size, self._mode.rows_per_cell
        background, grid = self.background_colors[1].rgb, self.grid
        raster = np.full((height * high, width, 3), background, np.uint8)
        for seed, left, top in self._places():
            self._put(raster, seed, left, top * high, (grid.width - 1, grid.height - 1), high)
        cells = cells_of(raster, self._mode)
        for index, (seed, left, top) in enumerate(self._places()):
            text, colour = self._title(index, seed)
            start = left + (grid.width - 1 - len(text)) // 2
            for k, character in enumerate(text):
                cells.put(start + k, top + grid.height - 1, character, colour, background)
        return cells

    def _pixels(self, cell: tuple[int, int]) -> Raster:
        """The sheet in pixels, the seeds written below their pictures."""
        wide, high = cell
        background, grid = self.background_colors[1].rgb, self.grid
        raster = np.full((self.size.height * high, self.size.width * wide, 3), background, np.uint8)
        tile = (grid.width - 1) * wide, (grid.height - 1) * high
        for seed, left, top in self._places():
            self._put(raster, seed, left * wide, top * high, tile, 1, aspect=1.0)
        picture = Image.fromarray(raster)
        draw, font = ImageDraw.Draw(picture), ImageFont.load_default(max(0.7 * high, 6))
        for index, (seed, left, top) in enumerate(self._places()):
            text, colour = self._title(index, seed)
            middle = (left + (grid.width - 1) / 2) * wide, (top + grid.height - 0.5) * high
            draw.text(middle, text, fill=colour, font=font, anchor="mm")
        return np.asarray(picture)

    def _put(
        self,
        raster: Raster,
        seed: int,
        left: int,
        top: int,
        tile: tuple[int, int],
        high: int,
        aspect: float = CELL_ASPECT,
    ) -> None:
        """Put a seed's picture on the sheet, where it is there yet."""
        picture = self._pictures.get(seed)
        if picture is None:
            return
        view = Viewport((picture.shape[1], picture.shape[0]), tile, aspect=aspect)
        background = self.background_colors[1].rgb
        shown = draw_picture(picture, view, high, background, smooth=high == 1)
        place = raster[top : top + shown.shape[0], left : left + shown.shape[1]]
        place[:] = shown[: place.shape[0], : place.shape[1]]
