"""The scene in cells of characters: the picture, and points, lines, mask and cross-hair over it."""

from __future__ import annotations

import numpy as np

from dragonnx.document import PointPair
from dragonnx.editor.scene import Scene
from dragonnx.editor.state import End, Marker
from dragonnx.tui.drawing.cells import CanvasMode, Cells, cells_of
from dragonnx.tui.drawing.geometry import Viewport
from dragonnx.tui.drawing.raster import LINE, TRAIL, draw_line, draw_path, draw_picture, draw_ring
from dragonnx.tui.drawing.raster import tint_fixed as _tint_fixed
from dragonnx.types import Point

HANDLE = (225, 25, 40)
TARGET = (35, 90, 235)
SELECTED = (255, 235, 90)
CURSOR = (0, 255, 170)
WHITE = (255, 255, 255)
GUIDE = (160, 220, 200)

NUMERALS = "123456789abcdefghijklmnopqrstuvwxyz"


def compose(
    scene: Scene,
    view: Viewport,
    mode: CanvasMode,
    background: tuple[int, int, int] = (0, 0, 0),
) -> Cells:
    """The cells of a scene."""
    high = mode.rows_per_cell
    raster = draw_picture(scene.picture, view, high, background)
    if scene.mask is not None:
        _tint_fixed(raster, scene.mask, view, high)
    for number in range(scene.trails.shape[1]):
        draw_path(raster, scene.trails[:, number], view, high, TRAIL)
    for pair in scene.pairs:
        if pair.target is not None:
            draw_line(raster, pair.handle, pair.target, view, high, LINE, dotted=True)
    if scene.rectangle is not None:
        (x0, y0), (x1, y1) = scene.rectangle
        corners = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)], np.float64)
        draw_path(raster, corners, view, high, CURSOR)
    if scene.divider is not None:
        ends = (scene.divider, -0.5), (scene.divider, scene.picture.shape[0] - 0.5)
        draw_line(raster, *ends, view, high, LINE)
    if scene.brush is not None and scene.cursor is not None:
        draw_ring(raster, scene.cursor, scene.brush, view, high, CURSOR)
    cells = cells_of(raster, mode)
    _draw_cursor(cells, scene, view, blank=high == 1)
    _draw_points(cells, scene, view)
    return cells


def point_at(pairs: tuple[PointPair, ...], view: Viewport, column: int, row: int) -> Marker | None:
    """The marker that lies on a cell or beside it: which pair, and which of its ends."""
    best: tuple[float, int, End] | None = None
    for index, pair in enumerate(pairs):
        ends: tuple[tuple[End, Point | None], ...] = (
            ("handle", pair.handle), ("target", pair.target)
        )  # fmt: skip
        for end, place in ends:
            if place is None:
                continue
            at = view.cell_of(place)
            away = abs(int(at[0]) - column) + 2 * abs(int(at[1]) - row)
            if away <= 1 and (best is None or away < best[0]):
                best = (away, index, end)
    return None if best is None else (best[1], best[2])


def _draw_cursor(cells: Cells, scene: Scene, view: Viewport, *, blank: bool) -> None:
    """A cross-hair: the cell itself, and four marks that lead the eye to it."""
    if scene.cursor is None:
        return
    at = view.cell_of(scene.cursor)
    column, row = int(at[0] // 1), int(at[1] // 1)
    back = (0, 0, 0) if blank else None
    for away in (2, 3):
        cells.put(column - away, row, "-", GUIDE, back)
        cells.put(column + away, row, "-", GUIDE, back)
    cells.put(column, row - 1, "|", GUIDE, back)
    cells.put(column, row + 1, "|", GUIDE, back)
    cells.put(column, row, "+", CURSOR, (0, 0, 0))


def _draw_points(cells: Cells, scene: Scene, view: Viewport) -> None:
    for index, pair in enumerate(scene.pairs):
        front = SELECTED if index == scene.selected else WHITE
        if pair.target is not None:
            _marker(cells, view, pair.target, "x", front, TARGET)
        numeral = NUMERALS[index] if index < len(NUMERALS) else "+"
        _marker(cells, view, pair.handle, numeral, front, HANDLE)


def _marker(
    cells: Cells,
    view: Viewport,
    place: Point,
    character: str,
    front: tuple[int, int, int],
    back: tuple[int, int, int],
) -> None:
    column, row = view.cell_of(place)
    cells.put(int(column // 1), int(row // 1), character, front, back)
