"""Canvas pixels as terminal cells: half-blocks, 256 colours, ASCII. Pure, and vectorised.

A cell is a character, a foreground and a background. Rows become escape sequences at once, without
the segments and styles that Rich would make of them: thousands of objects a frame, whose collection
holds the screen up for a tenth of a second now and then.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.color import Color
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from dragonnx.tui.drawing.escapes import escape_rows
from dragonnx.tui.drawing.palette import dithered, numbers_of
from dragonnx.tui.drawing.raster import Raster

HALF_BLOCK = "▀"
RAMP = " .:-=+*#%@"
"""Characters from dark to bright."""


class CanvasMode(enum.Enum):
    """How a picture is shown; the value is what a user reads.

    Pixels need a graphics protocol; as cells they are half-blocks.
    """

    PIXELS = "pixels"
    HALF_BLOCKS = "half-blocks"
    HALF_BLOCKS_256 = "256 colours"
    COLOURED_ASCII = "coloured ASCII"
    ASCII = "ASCII"

    @property
    def rows_per_cell(self) -> int:
        """Canvas pixels on top of each other in one cell."""
        return 1 if self in (CanvasMode.COLOURED_ASCII, CanvasMode.ASCII) else 2


@dataclass
class Cells:
    """A canvas of cells.

    Attributes:
        characters: Code points [rows, columns].
        front: Foreground colours [rows, columns, 3].
        back: Background colours [rows, columns, 3].
        coloured: Whether colours are shown at all.
        are_few: Whether the terminal has 256 colours, and shows the nearest of them.
    """

    characters: NDArray[np.uint32]
    front: NDArray[np.uint8]
    back: NDArray[np.uint8]
    coloured: bool = True
    are_few: bool = False

    def put(
        self,
        column: int,
        row: int,
        character: str,
        front: tuple[int, int, int],
        back: tuple[int, int, int] | None = None,
    ) -> None:
        """Put a marker on a cell; without `back` on the mean of what is there."""
        rows, columns = self.characters.shape
        if not (0 <= column < columns and 0 <= row < rows):
            return
        if back is None:
            both = self.front[row, column].astype(int) + self.back[row, column]
            self.back[row, column] = both // 2
        else:
            self.back[row, column] = back
        self.characters[row, column] = ord(character)
        self.front[row, column] = front

    def keys(self) -> NDArray[np.uint64]:
        """One number for each cell: six channels of 8 bits, and above them the character."""
        keys = self.characters.astype(np.uint64)
        if self.coloured:
            for colour in (self.front, self.back):
                for channel in range(3):
                    keys = keys << np.uint64(8) | colour[..., channel]
        return keys

    def segments(self, row: int) -> list[Segment]:
        """A row as Rich knows it: a segment for each run of equal cells."""
        starts = _run_starts(self.keys()[row])
        ends = [*starts[1:].tolist(), self.characters.shape[1]]
        front, back = (self._colours(each[row, starts]) for each in (self.front, self.back))
        return [
            Segment(chr(self.characters[row, start]) * (end - start), Style.from_color(*colours))
            for start, end, *colours in zip(starts.tolist(), ends, front, back, strict=True)
        ]

    def _colours(self, values: NDArray[np.uint8]) -> list[Color]:
        """Colours [n, 3] as Rich knows them."""
        if self.are_few:
            return [Color.from_ansi(number) for number in numbers_of(values).tolist()]
        return [Color.from_rgb(*value) for value in values.tolist()]


def cells_of(raster: Raster, mode: CanvasMode) -> Cells:
    """The cells that show a raster [rows * rows_per_cell, columns, 3]."""
    if mode.rows_per_cell == 1:
        brightness = raster @ np.array([0.299, 0.587, 0.114], np.float32)
        steps = (brightness * (len(RAMP) / 256)).astype(np.intp)
        ramp = np.array([ord(c) for c in RAMP], np.uint32)
        colours = _quantised(raster, 16) if mode is CanvasMode.COLOURED_ASCII else raster
        black = np.zeros_like(raster)
        return Cells(ramp[steps], colours.copy(), black, mode is CanvasMode.COLOURED_ASCII)
    poor = mode is CanvasMode.HALF_BLOCKS_256
    raster = dithered(raster) if poor else _quantised(raster, 4)
    front, back = raster[0::2].copy(), raster[1::2].copy()
    characters = np.full(front.shape[:2], ord(HALF_BLOCK), np.uint32)
    return Cells(characters, front, back, are_few=poor)


class PaintedStrip(Strip):
    """A row of cells that knows its escape sequences, and makes segments only where it must.

    That is where something lies over a part of it, or where the terminal lacks truecolor.

    Args:
        escapes: The row as written to the terminal.
        width: Its cells.
        make: Makes its segments.
        truecolor: Whether the escapes need a terminal with truecolor.
    """

    def __init__(
        self,
        escapes: str,
        width: int,
        make: Callable[[], list[Segment]],
        *,
        truecolor: bool = True,
    ) -> None:
        super().__init__((), width)
        self._escapes = escapes
        self._truecolor = truecolor
        self._make = make
        self._made: list[Segment] = []

    @property
    def _segments(self) -> list[Segment]:
        """What Textual reads of a strip whenever it does not only write it."""
        if not self._made:
            self._made = self._make()
        return self._made

    @_segments.setter
    def _segments(self, segments: list[Segment]) -> None:
        self._made = segments

    def render(self, console: Console) -> str:
        """The row as escape sequences."""
        if self._truecolor and console.color_system != "truecolor":
            return super().render(console)
        return self._escapes


class CellStrip(PaintedStrip):
    """A row of cells, whose escape sequences are made when they are asked for.

    Args:
        cells: The canvas.
        row: Which of its rows.
        keys: The row's keys, as `Cells.keys` has them.
    """

    def __init__(self, cells: Cells, row: int, keys: NDArray[np.uint64]) -> None:
        super().__init__("", len(keys), functools.partial(cells.segments, row))
        self.cells = cells
        self.row = row
        self.keys = keys

    def has_escapes(self, console: Console) -> bool:
        """Whether the terminal shows the colours in them."""
        return self.cells.are_few or console.color_system == "truecolor"

    def render(self, console: Console) -> str:
        """The row as escape sequences."""
        if self.has_escapes(console):
            return escape_rows(self.cells, [self.row])[0]
        return Strip.render(self, console)


class StripMaker:
    """Turns cells into strips, row by row, and says which rows changed."""

    def __init__(self) -> None:
        self._keys: NDArray[np.uint64] | None = None
        self._coloured = True
        self.strips: list[Strip] = []

    def update(self, cells: Cells) -> list[int]:
        """Make the strips of these cells anew where they changed.

        Returns:
            The rows that changed.
        """
        keys = cells.keys()
        old = self._keys
        if old is None or old.shape != keys.shape or self._coloured != cells.coloured:
            changed = list(range(len(keys)))
            self.strips = [Strip.blank(0)] * len(keys)
        else:
            changed = np.flatnonzero((old != keys).any(axis=1)).tolist()
        self._keys, self._coloured = keys, cells.coloured
        width = keys.shape[1]
        if not cells.coloured:
            for row in changed:
                text = "".join(map(chr, cells.characters[row].tolist()))
                self.strips[row] = Strip([Segment(text)], width)
            return changed
        for row in changed:
            self.strips[row] = CellStrip(cells, row, keys[row])
        return changed


def _run_starts(keys: NDArray[np.uint64]) -> NDArray[np.intp]:
    """Where runs of equal cells begin in a row."""
    return np.concatenate(([0], np.flatnonzero(keys[1:] != keys[:-1]) + 1))


def _quantised(raster: Raster, step: int) -> Raster:
    """Colours rounded down to multiples of a step, spread so that white stays white."""
    top = 256 - step
    return np.asarray((raster // step * step).astype(np.uint16) * 255 // top, np.uint8)
