"""A picture as an array of canvas pixels, with mask, lines and trails drawn in. Pure NumPy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dragonnx.tui.drawing.geometry import Viewport
from dragonnx.types import Point

Raster = NDArray[np.uint8]
"""[rows, columns, 3]"""

FIXED_TINT = np.array([225, 40, 160], np.float32)
"""Colour over what the mask keeps fixed."""
LINE = (255, 255, 255)
TRAIL = (255, 205, 60)
_TINT_STRENGTH = 0.45
_LARGE_PIXEL = 8
_LONGEST_LINE = 4096
"""Places that are drawn of a line; beyond the canvas most of a longer one lies."""
_MOST_PLACES = 2**20
"""Of a whole trail: real ones have some for each step, a document's may jump about in every step."""


def draw_picture(
    picture: NDArray[np.uint8],
    view: Viewport,
    rows_per_cell: int,
    background: tuple[int, int, int],
    *,
    smooth: bool = False,
) -> Raster:
    """The visible part of a picture [H, W, 3] at canvas resolution.

    Args:
        picture: The image.
        view: What is visible.
        rows_per_cell: Canvas pixels on top of each other in one cell.
        background: Colour around the image.
        smooth: Blend an enlarged image's pixels, until they are so large that one wants to see them.
    """
    columns, rows = view.cells[0], view.cells[1] * rows_per_cell
    raster = np.empty((rows, columns, 3), np.uint8)
    raster[:] = background
    (c0, c1, u0, u1), (r0, r1, v0, v1) = _spans(view, rows_per_cell)
    if c1 <= c0 or r1 <= r0 or u1 <= u0 or v1 <= v0:
        return raster
    method = Image.Resampling.NEAREST
    if view.columns_per_pixel < 1:
        method = Image.Resampling.BOX
    elif smooth and view.columns_per_pixel < _LARGE_PIXEL:
        method = Image.Resampling.BILINEAR
    part = Image.fromarray(picture).resize((c1 - c0, r1 - r0), method, box=(u0, v0, u1, v1))
    raster[r0:r1, c0:c1] = np.asarray(part)
    return raster


def tint_fixed(raster: Raster, mask: NDArray[np.bool_], view: Viewport, rows_per_cell: int) -> None:
    """Tint where a mask [H, W] keeps pixels fixed, in place."""
    (c0, c1, u0, u1), (r0, r1, v0, v1) = _spans(view, rows_per_cell)
    if c1 <= c0 or r1 <= r0 or u1 <= u0 or v1 <= v0:
        return
    fixed = Image.fromarray((~mask).view(np.uint8) * 255)
    method = Image.Resampling.BOX if view.columns_per_pixel < 1 else Image.Resampling.NEAREST
    amount = np.asarray(fixed.resize((c1 - c0, r1 - r0), method, box=(u0, v0, u1, v1)), np.float32)
    strength = (amount * (_TINT_STRENGTH / 255))[..., None]
    part = raster[r0:r1, c0:c1].astype(np.float32)
    raster[r0:r1, c0:c1] = part + (FIXED_TINT - part) * strength


def draw_line(
    raster: Raster,
    start: Point,
    end: Point,
    view: Viewport,
    rows_per_cell: int,
    colour: tuple[int, int, int],
    *,
    dotted: bool = False,
) -> None:
    """Draw a straight line between two image places, in place."""
    draw_path(raster, np.array([start, end], np.float64), view, rows_per_cell, colour,
              dotted=dotted)  # fmt: skip


def draw_path(
    raster: Raster,
    path: NDArray[np.float64],
    view: Viewport,
    rows_per_cell: int,
    colour: tuple[int, int, int],
    *,
    dotted: bool = False,
) -> None:
    """Draw lines along image places (x, y) [n, 2], in place."""
    if len(path) < 2:
        return
    x, y = view.middle
    columns = view.cells[0] / 2 + (path[:, 0] - x) * view.columns_per_pixel
    rows = (view.cells[1] / 2 + (path[:, 1] - y) * view.rows_per_pixel) * rows_per_cell
    reach = np.maximum(np.abs(np.diff(columns)), np.abs(np.diff(rows)))
    longest = min(_LONGEST_LINE, max(_MOST_PLACES // len(reach), 2))
    counts = np.minimum(np.ceil(reach).astype(int) + 1, longest)
    # All lines at once: a trail has one for each step of a drag.
    line = np.repeat(np.arange(len(counts)), counts)
    number = np.arange(len(line)) - (np.cumsum(counts) - counts)[line]
    along = number / np.maximum(counts - 1, 1)[line]
    places = np.stack([columns, rows], axis=1)
    places = places[line] + along[:, None] * (places[line + 1] - places[line])
    at = np.floor(places).astype(int)
    if dotted:
        at = at[::2]
    inside = (at >= 0).all(axis=1) & (at[:, 0] < raster.shape[1]) & (at[:, 1] < raster.shape[0])
    at = at[inside]
    raster[at[:, 1], at[:, 0]] = colour


def draw_ring(
    raster: Raster,
    centre: Point,
    radius: float,
    view: Viewport,
    rows_per_cell: int,
    colour: tuple[int, int, int],
) -> None:
    """Draw a circle of a radius in image pixels, in place: the brush."""
    angles = np.linspace(0, 2 * np.pi, 65)
    ring = np.stack([centre[0] + radius * np.cos(angles), centre[1] + radius * np.sin(angles)], 1)
    draw_path(raster, ring, view, rows_per_cell, colour)


Span = tuple[int, int, float, float]


def _spans(view: Viewport, rows_per_cell: int) -> tuple[Span, Span]:
    """For columns and for rows: the canvas pixels that the image covers, and its part there."""
    x, y = view.middle
    across = _span(view.cells[0], x, view.columns_per_pixel, view.image[0])
    down = _span(
        view.cells[1] * rows_per_cell, y, view.rows_per_pixel * rows_per_cell, view.image[1]
    )
    return across, down


def _span(canvas: int, middle: float, scale: float, size: int) -> Span:
    # Continuous coordinates: pixel k of the image covers k to k + 1.
    at = middle + 0.5
    first = max(round(canvas / 2 + (0 - at) * scale), 0)
    last = min(round(canvas / 2 + (size - at) * scale), canvas)
    low = max(at + (first - canvas / 2) / scale, 0.0)
    high = min(at + (last - canvas / 2) / scale, float(size))
    return first, last, low, high
