"""The tools that a click uses, and what they do to a mask."""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from dragonnx.types import Mask, Point


class Tool(enum.Enum):
    """What a click does; the value is what a user reads."""

    POINTS = "points"
    MOVABLE = "movable brush"
    FIXED = "fixed brush"
    MOVABLE_BOX = "movable box"
    FIXED_BOX = "fixed box"
    MOVABLE_POLYGON = "movable polygon"
    FIXED_POLYGON = "fixed polygon"
    ERASER = "eraser"

    @property
    def help(self) -> str:
        """What it does and how, in a few sentences."""
        return _HELP[self]

    @property
    def is_brush(self) -> bool:
        """Whether it paints with a radius."""
        return self in (Tool.MOVABLE, Tool.FIXED, Tool.ERASER)

    @property
    def is_box(self) -> bool:
        """Whether it draws rectangles."""
        return self in (Tool.MOVABLE_BOX, Tool.FIXED_BOX)

    @property
    def is_polygon(self) -> bool:
        """Whether it draws polygons, corner by corner."""
        return self in (Tool.MOVABLE_POLYGON, Tool.FIXED_POLYGON)

    @property
    def paints(self) -> bool | None:
        """What it sets the mask to, True for movable; None where that depends."""
        if self in (Tool.MOVABLE, Tool.MOVABLE_BOX, Tool.MOVABLE_POLYGON):
            return True
        if self in (Tool.FIXED, Tool.FIXED_BOX, Tool.FIXED_POLYGON):
            return False
        return None


@dataclass(frozen=True, eq=False)
class Stroke:
    """What is being painted, from press to release.

    Attributes:
        mask: The mask with it, bool [H, W]; painted in place while the stroke goes on.
        movable: What it paints.
        before: The document's mask without it.
        corners: Of a box the one where it began, of a polygon those so far; none for a brush.
        is_box: Whether it is a box.
    """

    mask: NDArray[np.bool_]
    movable: bool
    before: Mask | None
    corners: tuple[Point, ...] = ()
    is_box: bool = False

    def outline(self, cursor: Point) -> tuple[Point, ...]:
        """Its corners as they would be if it ended at the cursor, the first one again at the end."""
        if not self.corners:
            return ()
        if not self.is_box:
            return (*self.corners, cursor, self.corners[0])
        (x0, y0), (x1, y1) = self.corners[0], cursor
        return (x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)


_HOW = "Press and move the mouse, or press Enter at the cross-hair."
_CORNERS = "Draw it with the mouse, or press Enter at two corners."
_AROUND = (
    "Click its corners, or press Enter at them; the first corner again, or Enter twice, closes it."
)
_HELP = {
    Tool.POINTS: (
        "Enter or a click places a handle point, then its target point, and so on. Drag a marker to "
        "move it; Tab goes through handles and targets, the arrows then move the one that is picked, "
        "Enter or Esc puts it down. h and t bring handle and target to the cross-hair; O switches a "
        "point off or on."
    ),
    Tool.MOVABLE: f"Paints what may move; the first stroke makes all else fixed. {_HOW}",
    Tool.FIXED: f"Paints what stays fixed; the first stroke leaves all else movable. {_HOW}",
    Tool.MOVABLE_BOX: f"A rectangle of what may move. {_CORNERS}",
    Tool.FIXED_BOX: f"A rectangle of what stays fixed. {_CORNERS}",
    Tool.MOVABLE_POLYGON: f"A shape of what may move. {_AROUND} Esc drops it.",
    Tool.FIXED_POLYGON: f"A shape of what stays fixed. {_AROUND} Esc drops it.",
    Tool.ERASER: f"Takes back what was painted last: movable or fixed. {_HOW}",
}


def point_of(pixel: tuple[float, float]) -> Point:
    """A pixel, or another pair of numbers, as a point of the image."""
    return float(pixel[0]), float(pixel[1])


def canvas_mask(mask: Mask | None, size: tuple[int, int], *, paints: bool) -> NDArray[np.bool_]:
    """A mask [H, W] to paint on: a copy, or where there is none yet, what leaves paint visible.

    Args:
        mask: The mask so far.
        size: (height, width).
        paints: What is going to be painted: the first movable paint makes all else fixed.
    """
    return np.full(size, not paints) if mask is None else np.array(mask)


def painted(mask: NDArray[np.bool_]) -> Mask | None:
    """The mask, or None where it says nothing: all may move, or nothing may."""
    return None if mask.all() or not mask.any() else mask


def brush(
    mask: NDArray[np.bool_], start: Point, end: Point, radius: float, *, movable: bool
) -> None:
    """Paint from one place to another with a round brush, in place."""
    height, width = mask.shape
    x0, x1 = sorted((start[0], end[0]))
    y0, y1 = sorted((start[1], end[1]))
    left, right = max(int(x0 - radius), 0), min(int(x1 + radius) + 2, width)
    top, bottom = max(int(y0 - radius), 0), min(int(y1 + radius) + 2, height)
    if left >= right or top >= bottom:
        return
    y, x = np.ogrid[top:bottom, left:right]
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = dx * dx + dy * dy
    along = 0.0 if length == 0 else ((x - start[0]) * dx + (y - start[1]) * dy) / length
    along = np.clip(along, 0.0, 1.0)
    away = np.hypot(x - start[0] - along * dx, y - start[1] - along * dy)
    mask[top:bottom, left:right][away <= radius] = movable


def box(mask: NDArray[np.bool_], start: Point, end: Point, *, movable: bool) -> None:
    """Paint a rectangle, its corners included, in place."""
    x0, x1 = sorted((round(start[0]), round(end[0])))
    y0, y1 = sorted((round(start[1]), round(end[1])))
    mask[max(y0, 0) : y1 + 1, max(x0, 0) : x1 + 1] = movable


def polygon(mask: NDArray[np.bool_], corners: tuple[Point, ...], *, movable: bool) -> None:
    """Paint a polygon, its edges included, in place."""
    height, width = mask.shape
    inside = Image.new("1", (width, height))
    places = [(round(x), round(y)) for x, y in corners]
    ImageDraw.Draw(inside).polygon(places, fill=1, outline=1)
    mask[np.asarray(inside)] = movable
