"""A grid of small pictures with their seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from textual import events
from textual.message import Message

from dragonnx.tui.drawing.cells import CanvasMode, Cells, cells_of
from dragonnx.tui.drawing.geometry import Viewport
from dragonnx.tui.drawing.raster import draw_picture
from dragonnx.tui.widgets.painted import Painted
from dragonnx.types import Picture

TILE = (18, 9)
"""Columns and rows of a tile; its last row holds the seed."""
GAP = 2
_PLAIN, _CHOSEN = (150, 150, 150), (255, 235, 90)


class Sheet(Painted):
    """Shows pictures in rows; a click chooses one."""

    @dataclass
    class LaidOut(Message):
        """The number of tiles is known."""

    @dataclass
    class Chosen(Message):
        """A tile was clicked."""

        index: int

    def __init__(self, mode: CanvasMode, *, id: str) -> None:  # noqa: A002 Textual's word
        super().__init__(id=id)
        self._mode = mode
        self._pictures: dict[int, Picture] = {}
        self._seeds: list[int] = []
        self._selected = 0

    @property
    def columns(self) -> int:
        """Tiles beside each other."""
        return max(self.size.width // (TILE[0] + GAP), 1)

    @property
    def count(self) -> int:
        """Tiles on a page."""
        return self.columns * max(self.size.height // TILE[1], 1)

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
        column, row = event.x // (TILE[0] + GAP), event.y // TILE[1]
        index = row * self.columns + column
        if column < self.columns and index < len(self._seeds):
            self.post_message(self.Chosen(index))

    def _repaint(self) -> None:
        width, height = self.size
        if not self.size.area:
            return
        background = self.background_colors[1].rgb
        high = self._mode.rows_per_cell
        blank = np.full((height * high, width, 3), background, np.uint8)
        cells = cells_of(blank, self._mode)
        for index, seed in enumerate(self._seeds):
            self._draw(cells, index, seed, background)
        self.paint(cells)

    def _draw(self, cells: Cells, index: int, seed: int, background: tuple[int, int, int]) -> None:
        row, column = divmod(index, self.columns)
        left, top = column * (TILE[0] + GAP), row * TILE[1]
        rows = TILE[1] - 1
        if (picture := self._pictures.get(seed)) is not None:
            height, width = picture.shape[:2]
            view = Viewport((width, height), (TILE[0], rows))
            tile = cells_of(
                draw_picture(picture, view, self._mode.rows_per_cell, background), self._mode
            )
            place = (slice(top, top + rows), slice(left, left + TILE[0]))
            room = cells.characters[place].shape
            cells.characters[place] = tile.characters[: room[0], : room[1]]
            cells.front[place] = tile.front[: room[0], : room[1]]
            cells.back[place] = tile.back[: room[0], : room[1]]
        chosen = index == self._selected
        text = f"> {seed} <" if chosen else f"{seed}"
        start = left + (TILE[0] - len(text)) // 2
        for k, character in enumerate(text):
            cells.put(start + k, top + rows, character, _CHOSEN if chosen else _PLAIN, background)
