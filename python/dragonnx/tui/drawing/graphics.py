"""Rows of real pixels in terminals that have a protocol for them: Kitty's, iTerm2's, or Sixel.

Every row of cells is a picture of its own. So only rows that changed are sent, a row that something
lies over falls back to characters, and a cross-hair that moves costs a few rows. The library for
this, textual-image, makes whole pictures, on the screen's thread, and writes them past Textual.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from rich.segment import Segment
from textual.strip import Strip

from dragonnx.tui.drawing.cells import Cells, PaintedStrip
from dragonnx.tui.drawing.iterm import iterm
from dragonnx.tui.drawing.kitty import kitty, kitty_in_tmux, past_tmux, without_kitty
from dragonnx.tui.drawing.raster import Raster
from dragonnx.tui.drawing.sixel import sixel

_MOST_PIXELS, _MOST_MOVING = 400_000, 120_000
"""On a canvas, at rest and while a drag runs."""


class Protocol(enum.Enum):
    """How a terminal takes pictures."""

    KITTY = "kitty"
    TMUX = "tmux"
    """Kitty's, through tmux."""
    ITERM = "iterm"
    SIXEL = "sixel"

    @property
    def enlarges(self) -> bool:
        """Whether the terminal fits pictures into their cells, whatever their size."""
        return self is not Protocol.SIXEL


@dataclass(frozen=True)
class Graphics:
    """What a terminal can do.

    Attributes:
        protocol: How it takes pictures.
        cell: (width, height) of a cell in its pixels.
    """

    protocol: Protocol
    cell: tuple[int, int]

    def pixels(self, area: int, *, moving: bool) -> tuple[int, int]:
        """(width, height) in pixels at which cells are drawn on a canvas of so many.

        Where the terminal enlarges pictures, a large canvas costs no more than a small one. Sixels it
        does not: those of a drag repeat pixels, and those at rest are as many as there are.
        """
        width, height = self.cell
        if moving or self.protocol.enlarges:
            most = _MOST_MOVING if moving else _MOST_PIXELS
            shrink = max((width * height * area / most) ** 0.5, 1.0)
            width, height = max(round(width / shrink), 1), max(round(height / shrink), 2)
        return width, height


_ENCODE: dict[Protocol, Callable[[Raster, int, int], str]] = {
    Protocol.KITTY: kitty,
    Protocol.TMUX: kitty_in_tmux,
    Protocol.ITERM: iterm,
    Protocol.SIXEL: sixel,
}


class PixelStripMaker:
    """Turns a raster of pixels into strips, row by row, and says which rows changed.

    Args:
        graphics: How the terminal takes pictures.
    """

    def __init__(self, graphics: Graphics) -> None:
        self.graphics = graphics
        self._raster: Raster | None = None
        self.strips: list[Strip] = []

    def update(
        self, raster: Raster, height: int, columns: int, cells: Callable[[], Cells]
    ) -> list[int]:
        """Make the strips of this raster anew where they changed.

        Args:
            raster: [rows * height, columns * width, 3]
            height: Pixels of a cell's height.
            columns: Cells beside each other.
            cells: The same in characters, for where a row cannot be a picture.

        Returns:
            The rows that changed.
        """
        rows = len(raster) // height
        old = self._raster
        anew = old is None or old.shape != raster.shape or len(self.strips) != rows
        if anew:
            self.strips = [Strip.blank(0)] * rows
        slices = [slice(row * height, (row + 1) * height) for row in range(rows)]
        changed = [
            row for row, part in enumerate(slices)
            if anew or old is None or not np.array_equal(old[part], raster[part])
        ]  # fmt: skip
        self._raster = raster
        encode = _ENCODE[self.graphics.protocol]
        if self.graphics.protocol is Protocol.SIXEL:
            width, cell_height = self.graphics.cell
            encode = functools.partial(sixel, size=(width * columns, cell_height))
        for row in changed:
            escapes = encode(raster[slices[row]], columns, row)
            self.strips[row] = PaintedStrip(
                escapes, columns, _segments_of(cells, row), truecolor=False
            )
        return changed

    def farewell(self) -> str:
        """What takes the pixels off the screen; characters alone do that to sixels."""
        gone = without_kitty(len(self.strips))
        return {Protocol.KITTY: gone, Protocol.TMUX: past_tmux(gone)}.get(
            self.graphics.protocol, ""
        )


def _segments_of(cells: Callable[[], Cells], row: int) -> Callable[[], list[Segment]]:
    return lambda: cells().segments(row)
