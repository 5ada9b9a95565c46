"""What the terminal is owed: parts of rows that are not written yet, only the newest of each place.

A line that takes less than is painted gets no queue of frames: what a newer frame paints replaces
what waits at the same place. What is text goes first; a canvas of cells follows as the line takes it,
row by row, and of its cells only those that differ from what the terminal has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

from dragonnx.tui.drawing.cells import CellStrip, PaintedStrip
from dragonnx.tui.drawing.escapes import escape_rows


@dataclass(frozen=True)
class _Piece:
    """A part of a row."""

    x: int
    strip: Strip

    @property
    def end(self) -> int:
        return self.x + self.strip.cell_length

    @property
    def is_canvas(self) -> bool:
        return isinstance(self.strip, PaintedStrip)


class Owed:
    """Takes frames, and gives what is to be written of them."""

    def __init__(self) -> None:
        self._rows: dict[int, list[_Piece]] = {}
        self._shown: dict[int, tuple[int, NDArray[np.uint64]]] = {}
        """Of each row, where a canvas begins in it that the terminal shows, and its cells."""
        self._next_row = 0

    def __bool__(self) -> bool:
        return bool(self._rows)

    def add(self, update: CompositorUpdate) -> None:
        """Owe a frame, or what it changes."""
        if isinstance(update, LayoutUpdate):
            # All is new, also where another program or another size left something.
            self._rows.clear()
            self._shown.clear()
        for y, piece in _pieces(update):
            row = self._rows.setdefault(y, [])
            row[:] = [each for each in row if not (piece.x <= each.x and each.end <= piece.end)]
            row.append(piece)

    def take(self, room: float, console: Console) -> str:
        """What to write now: all text, and as much of a canvas as there is room for."""
        canvas: dict[int, _Piece] = {}
        written: list[str] = []
        for y, row in list(self._rows.items()):
            overlap = any(a.x < b.end and b.x < a.end for a in row for b in row if a is not b)
            late = [] if overlap else [piece for piece in row if piece.is_canvas]
            for piece in row:
                if piece not in late:
                    written.append(f"{_move_to(piece.x, y)}{piece.strip.render(console)}")
                    self._forget(y, piece)
            if late:
                self._rows[y] = late
                canvas[y] = late[0]
            else:
                del self._rows[y]
        text = "".join(written)
        return text + self._take_canvas(canvas, room - len(text), console)

    def _take_canvas(self, canvas: dict[int, _Piece], room: float, console: Console) -> str:
        """Rows of a canvas, beginning where the last time ended, so that all get their turn."""
        order = sorted(canvas, key=lambda y: (y < self._next_row, y))
        written: list[str] = []
        size = 0
        for y, text in self._encoded({y: canvas[y] for y in order}, console):
            if written and size + len(text) > room:
                self._next_row = y
                break
            if text:
                written.append(f"{_move_to(canvas[y].x, y)}{text}")
                size += len(written[-1])
            self._done(y, canvas[y])
        return "".join(written)

    def _encoded(self, canvas: dict[int, _Piece], console: Console) -> Iterator[tuple[int, str]]:
        """For each row what brings the terminal from what it shows to what it should."""
        texts: dict[int, str] = {}
        groups: dict[int, list[int]] = {}
        for y, piece in canvas.items():
            strip = piece.strip
            if isinstance(strip, CellStrip) and strip.has_escapes(console):
                groups.setdefault(id(strip.cells), []).append(y)
        for rows in groups.values():
            strips = {y: canvas[y].strip for y in rows}
            cells = next(iter(strips.values())).cells  # type: ignore[attr-defined]
            changed = np.array([self._changed(y, canvas[y]) for y in rows])
            numbers = [strips[y].row for y in rows]  # type: ignore[attr-defined]
            texts |= dict(zip(rows, escape_rows(cells, numbers, changed), strict=True))
        for y, piece in canvas.items():
            yield y, texts[y] if y in texts else piece.strip.render(console)

    def _changed(self, y: int, piece: _Piece) -> NDArray[np.bool_]:
        keys = piece.strip.keys  # type: ignore[attr-defined]
        x, shown = self._shown.get(y, (-1, keys))
        if x != piece.x or len(shown) != len(keys):
            return np.ones(len(keys), np.bool_)
        return np.asarray(shown != keys)

    def _done(self, y: int, piece: _Piece) -> None:
        """The terminal shows a part of a canvas."""
        self._rows[y] = [each for each in self._rows[y] if each is not piece]
        if not self._rows[y]:
            del self._rows[y]
        self._forget(y, piece)
        if isinstance(piece.strip, CellStrip):
            self._shown[y] = (piece.x, piece.strip.keys)

    def _forget(self, y: int, piece: _Piece) -> None:
        """Something else is shown where a canvas may have been."""
        if y in self._shown:
            x, keys = self._shown[y]
            if piece.x < x + len(keys) and x < piece.end:
                del self._shown[y]


def _pieces(update: CompositorUpdate) -> Iterator[tuple[int, _Piece]]:
    """The parts of rows that a frame paints, as `render_segments` of Textual's classes has them."""
    if isinstance(update, LayoutUpdate):
        for y, strips in enumerate(update.strips, update.region.y):
            x = update.region.x
            for part in strips:
                yield y, _Piece(x, part)
                x += part.cell_length
    elif isinstance(update, ChopsUpdate):
        for y, x1, x2 in update.spans:
            for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
                if strip is not None and x <= x2 and end > x1:
                    is_whole = x2 > x >= x1 and end <= x2
                    yield y, _Piece(x, strip if is_whole else strip.crop(0, min(end, x2) - x))


def _move_to(x: int, y: int) -> str:
    return f"\x1b[{y + 1};{x + 1}H"
