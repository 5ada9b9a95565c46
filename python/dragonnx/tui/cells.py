"""Canvas pixels as terminal cells: half-blocks, 256 colours, ASCII. Pure, and vectorised.

A cell is a character, a foreground and a background. Equal neighbours become one segment, and
styles are kept between frames, since making them costs more than all the arithmetic.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.color import Color, ColorType
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from dragonnx.tui.raster import Raster

HALF_BLOCK = "▀"
RAMP = " .:-=+*#%@"
"""Characters from dark to bright."""
_CUBE = np.array([0, 95, 135, 175, 215, 255], np.int16)
"""Levels of each channel that a terminal of 256 colours has."""
_MOST_STYLES = 60_000
_DITHER = (np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) / 16 - 0.5) * 38


class CanvasMode(enum.Enum):
    """How a picture is shown; the value is what a person reads."""

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
    """

    characters: NDArray[np.uint32]
    front: NDArray[np.uint8]
    back: NDArray[np.uint8]
    coloured: bool = True

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
        """One number for each cell that tells cells of other looks apart, [rows, columns]."""
        keys = self.characters.astype(np.uint64)
        if self.coloured:
            for colour in (self.front, self.back):
                for channel in range(3):
                    # 7 bits of each channel, which `_quantised` has already rounded.
                    keys = keys << np.uint64(7) | (colour[..., channel] >> 1).astype(np.uint64)
        return keys


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
    raster = _in_cube(raster) if poor else _quantised(raster, 4)
    front, back = raster[0::2].copy(), raster[1::2].copy()
    characters = np.full(front.shape[:2], ord(HALF_BLOCK), np.uint32)
    return Cells(characters, front, back)


class StripMaker:
    """Turns cells into strips, row by row, and says which rows changed."""

    def __init__(self) -> None:
        self._styles: dict[int, Style] = {}
        self._colours: dict[int, Color] = {}
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
        if len(self._styles) > _MOST_STYLES:
            self._styles.clear()
            self._colours.clear()
        for row in changed:
            self.strips[row] = self._strip(cells, keys[row], row)
        return changed

    def _strip(self, cells: Cells, keys: NDArray[np.uint64], row: int) -> Strip:
        width = len(keys)
        if not cells.coloured:
            text = "".join(map(chr, cells.characters[row].tolist()))
            return Strip([Segment(text)], width)
        starts = np.concatenate(([0], np.flatnonzero(keys[1:] != keys[:-1]) + 1))
        lengths = np.diff(np.append(starts, width)).tolist()
        looks = (keys[starts] & np.uint64((1 << 42) - 1)).tolist()
        characters = cells.characters[row, starts].tolist()
        front = cells.front[row, starts].tolist()
        back = cells.back[row, starts].tolist()
        styles = self._styles
        segments = []
        for k, look in enumerate(looks):
            style = styles.get(look)
            if style is None:
                style = styles[look] = self._style(front[k], back[k])
            segments.append(Segment(chr(characters[k]) * lengths[k], style))
        return Strip(segments, width)

    def _style(self, front: list[int], back: list[int]) -> Style:
        return Style.from_color(self._colour(*front), self._colour(*back))

    def _colour(self, red: int, green: int, blue: int) -> Color:
        key = red << 16 | green << 8 | blue
        colour = self._colours.get(key)
        if colour is None:
            triplet = ColorTriplet(red, green, blue)
            colour = self._colours[key] = Color("", ColorType.TRUECOLOR, None, triplet)
        return colour


def _quantised(raster: Raster, step: int) -> Raster:
    """Colours rounded down to multiples of a step, spread so that white stays white."""
    top = 256 - step
    return np.asarray((raster // step * step).astype(np.uint16) * 255 // top, np.uint8)


def _in_cube(raster: Raster) -> Raster:
    """Colours that a terminal of 256 colours has, dithered."""
    rows, columns, _ = raster.shape
    pattern = np.tile(_DITHER, (-(-rows // 4), -(-columns // 4)))[:rows, :columns, None]
    values = raster + pattern
    edges = (_CUBE[1:] + _CUBE[:-1]) / 2
    return _CUBE[np.searchsorted(edges, values)].astype(np.uint8)
