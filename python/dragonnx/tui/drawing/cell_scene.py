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
BLACK = (0, 0, 0)
OFF = (90, 90, 90)
GUIDE = (160, 220, 200)


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
        if pair.target is not None and pair.is_on:
            draw_line(raster, pair.handle, pair.target, view, high, LINE, dotted=True)
    if scene.outline:
        draw_path(raster, np.array(scene.outline, np.float64), view, high, CURSOR)
    if scene.divider is not None:
        ends = (scene.divider, -0.5), (scene.divider, scene.picture.shape[0] - 0.5)
        draw_line(raster, *ends, view, high, LINE)
    if scene.brush is not None and scene.cursor is not None:
        draw_ring(raster, scene.cursor, scene.brush, view, high, CURSOR)
    cells = cells_of(raster, mode)
    _draw_cursor(cells, scene, view, blank=high == 1)
    _draw_points(cells, scene, view, plain=high == 1)
    return cells


def label_of(index: int) -> str:
    """What a pair is called, on the canvas and in lists."""
    return f"{index + 1}"


def marker_colours(
    scene: Scene, marker: Marker
) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Of a marker's label, and behind it: red is a handle, blue a target, grey one that is off."""
    index, end = marker
    if marker == scene.held:
        return BLACK, SELECTED
    back = (HANDLE if end == "handle" else TARGET) if scene.pairs[index].is_on else OFF
    return (SELECTED if index == scene.selected else WHITE), back


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


def _draw_points(cells: Cells, scene: Scene, view: Viewport, *, plain: bool) -> None:
    """The markers: the pair's number in the marker's colour; where colours are poor, in brackets."""
    for index, pair in enumerate(scene.pairs):
        label = label_of(index)
        for end, place, brackets in (("target", pair.target, "()"), ("handle", pair.handle, "[]")):
            if place is None:
                continue
            marker: Marker = (index, "target" if end == "target" else "handle")
            if plain:
                around = "><" if marker == scene.held else brackets if pair.is_on else "--"
                text = f"{around[0]}{label}{around[1]}"
            else:
                text = label
            column, row = view.cell_of(place)
            start = int(column // 1) - (len(text) - 1) // 2
            front, back = marker_colours(scene, marker)
            for k, character in enumerate(text):
                cells.put(start + k, int(row // 1), character, front, back)
