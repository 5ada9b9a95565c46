"""Rows of real pixels in terminals that have a protocol for them: Kitty's graphics, or Sixel.

Every row of cells is a picture of its own. So only rows that changed are sent, a row that something
lies over falls back to characters, and a cross-hair that moves costs a few rows. The library for
this, textual-image, makes whole pictures, on the screen's thread, and writes them past Textual.
"""

from __future__ import annotations

import base64
import enum
import os
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.segment import Segment
from textual.strip import Strip

from dragonnx.tui.drawing.cells import Cells, PaintedStrip
from dragonnx.tui.drawing.raster import Raster

_UNDER_BACKGROUNDS = -1073741825
"""Kitty's z-index below which a picture lies under cells that have a background colour."""
_CHUNK = 4096
_SIXEL_COLOURS = 48
"""Of a row of cells; more take longer than a user wants to wait for a key."""
_BAND = 6
"""Rows of pixels in a band of sixels."""
_RUN = re.compile(rb"(.)\1{3,}", re.DOTALL)


class Protocol(enum.Enum):
    """How a terminal takes pictures."""

    KITTY = "kitty"
    SIXEL = "sixel"


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

        Kitty enlarges pictures, so a large canvas costs no more than a small one; Sixel does not.
        """
        width, height = self.cell
        if self.protocol is Protocol.KITTY:
            most = 120_000 if moving else 400_000
            shrink = max((width * height * area / most) ** 0.5, 1.0)
            width, height = max(round(width / shrink), 1), max(round(height / shrink), 2)
        return width, height


class PixelStripMaker:
    """Turns a raster of pixels into strips, row by row, and says which rows changed.

    Args:
        protocol: How the terminal takes pictures.
    """

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self._encode = kitty if protocol is Protocol.KITTY else sixel
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
        for row in changed:
            escapes = self._encode(raster[slices[row]], columns, row)
            self.strips[row] = PaintedStrip(
                escapes, columns, _segments_of(cells, row), truecolor=False
            )
        return changed

    def farewell(self) -> str:
        """What takes the pixels off the screen; characters alone do that to sixels."""
        return without_kitty(len(self.strips)) if self._protocol is Protocol.KITTY else ""


def _segments_of(cells: Callable[[], Cells], row: int) -> Callable[[], list[Segment]]:
    return lambda: cells().segments(row)


def kitty(pixels: Raster, columns: int, row: int) -> str:
    """A row [height, width, 3] in Kitty's protocol; the cursor ends behind it.

    The cells are emptied first: the picture lies under those with a background.
    """
    height, width = pixels.shape[:2]
    content = base64.b64encode(zlib.compress(pixels.tobytes(), 1)).decode()
    facts = (
        f"a=T,q=2,f=24,o=z,s={width},v={height},i={_number(row)},p=1,c={columns},r=1,C=1,"
        f"z={_UNDER_BACKGROUNDS},"
    )
    chunks = [content[at : at + _CHUNK] for at in range(0, len(content), _CHUNK)]
    sent = [
        f"\x1b_G{facts if k == 0 else ''}m={int(k < len(chunks) - 1)};{chunk}\x1b\\"
        for k, chunk in enumerate(chunks)
    ]
    return f"\x1b[0m\x1b7{' ' * columns}\x1b8{''.join(sent)}\x1b8\x1b[{columns}C"


def without_kitty(rows: int) -> str:
    """Takes the pictures of so many rows off the screen."""
    return "".join(f"\x1b_Ga=d,d=I,i={_number(row)},q=2\x1b\\" for row in range(rows))


def _number(row: int) -> int:
    """A row's picture: this process's own, and the same each time, so that a new one replaces it."""
    return (os.getpid() & 0xFFFF) << 12 | row + 1


def sixel(pixels: Raster, columns: int, row: int) -> str:  # noqa: ARG001 as Kitty's
    """A row [height, width, 3] as sixels, with colours of its own; the cursor ends behind it."""
    height, width = pixels.shape[:2]
    picture = Image.fromarray(pixels).quantize(_SIXEL_COLOURS, Image.Quantize.FASTOCTREE)
    palette = np.array(picture.getpalette(), np.uint16).reshape(-1, 3) * 100 // 255
    numbers = np.asarray(picture)
    parts = [f'\x1b7\x1bP0;1q"1;1;{width};{height}'.encode()]
    parts += [b"#%d;2;%d;%d;%d" % (k, *palette[k].tolist()) for k in np.unique(numbers).tolist()]
    for top in range(0, height, _BAND):
        parts += [*_band(numbers[top : top + _BAND]), b"-"]
    parts[-1] = f"\x1b\\\x1b8\x1b[{columns}C".encode()
    return b"".join(parts).decode()


def _band(numbers: NDArray[np.uint8]) -> list[bytes]:
    """Up to six rows of colour numbers [rows, width]: a layer for each colour."""
    colours = np.unique(numbers)
    bits = np.uint8(1) << np.arange(len(numbers), dtype=np.uint8)
    layers = np.einsum("kyx,y->kx", numbers == colours[:, None, None], bits, dtype=np.uint8) + 63
    parts = []
    for colour, layer in zip(colours.tolist(), layers, strict=True):
        parts.append(b"#%d" % colour + _RUN.sub(_repeated, layer.tobytes()) + b"$")
    return parts


def _repeated(run: re.Match[bytes]) -> bytes:
    return b"!%d%c" % (len(run[0]), run[0][0])
