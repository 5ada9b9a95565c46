"""Where image pixels lie among terminal cells: fit, zoom, pan. Pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dragonnx.types import Point

LARGEST_ZOOM = 32.0
ZOOM_STEP = 1.25
CELL_ASPECT = 0.5
"""Width of a terminal cell over its height, where the terminal does not tell."""


@dataclass(frozen=True)
class Viewport:
    """The part of an image that a canvas of cells shows.

    Attributes:
        image: (width, height) in pixels.
        cells: (columns, rows) of the canvas.
        zoom: 1 fits the whole image.
        centre: The image place at the canvas' middle; pixel centres at integers.
        aspect: Width of a cell over its height.
    """

    image: tuple[int, int]
    cells: tuple[int, int]
    zoom: float = 1.0
    centre: Point | None = None
    aspect: float = CELL_ASPECT

    @property
    def columns_per_pixel(self) -> float:
        """Scale across."""
        (width, height), (columns, rows) = self.image, self.cells
        fit = min(columns / width, rows / (height * self.aspect))
        return max(fit, 1e-6) * self.zoom

    @property
    def rows_per_pixel(self) -> float:
        """Scale down."""
        return self.columns_per_pixel * self.aspect

    @property
    def middle(self) -> Point:
        """The image place at the canvas' middle."""
        return self.centre or ((self.image[0] - 1) / 2, (self.image[1] - 1) / 2)

    def cell_of(self, point: Point) -> tuple[float, float]:
        """Column and row, in fractions, of an image place."""
        x, y = self.middle
        columns, rows = self.cells
        return (
            columns / 2 + (point[0] - x) * self.columns_per_pixel,
            rows / 2 + (point[1] - y) * self.rows_per_pixel,
        )

    def point_of(self, column: float, row: float) -> Point:
        """The image place at a column and row, in fractions; may lie outside the image."""
        x, y = self.middle
        columns, rows = self.cells
        return (
            x + (column - columns / 2) / self.columns_per_pixel,
            y + (row - rows / 2) / self.rows_per_pixel,
        )

    def pixel_at(self, column: int, row: int) -> tuple[int, int] | None:
        """The image pixel under a cell's middle; None outside the image."""
        x, y = self.point_of(column + 0.5, row + 0.5)
        px, py = round(x), round(y)
        inside = 0 <= px < self.image[0] and 0 <= py < self.image[1]
        return (px, py) if inside else None

    def nearest_pixel(self, column: int, row: int) -> tuple[int, int]:
        """The image pixel under a cell's middle, or the nearest one inside the image."""
        x, y = self.point_of(column + 0.5, row + 0.5)
        return (
            min(max(round(x), 0), self.image[0] - 1),
            min(max(round(y), 0), self.image[1] - 1),
        )

    def resized(self, cells: tuple[int, int]) -> Viewport:
        """The same part on a canvas of another size."""
        return replace(self, cells=(max(cells[0], 1), max(cells[1], 1)))

    def zoomed(self, factor: float, about: Point | None = None) -> Viewport:
        """Zoom by a factor, keeping an image place where it is on the canvas."""
        zoom = min(max(self.zoom * factor, 1.0), LARGEST_ZOOM)
        if zoom == 1.0:
            return replace(self, zoom=1.0, centre=None)
        x, y = self.middle
        ax, ay = about or (x, y)
        kept = self.zoom / zoom
        return replace(
            self, zoom=zoom, centre=(ax + (x - ax) * kept, ay + (y - ay) * kept)
        )._inside()

    def panned(self, columns: float, rows: float) -> Viewport:
        """Move the view by cells; the image stays on the canvas."""
        if self.zoom == 1.0:
            return self
        x, y = self.middle
        centre = (x + columns / self.columns_per_pixel, y + rows / self.rows_per_pixel)
        return replace(self, centre=centre)._inside()

    def showing(self, point: Point) -> Viewport:
        """The view, moved as little as needed so that an image place is on the canvas."""
        column, row = self.cell_of(point)
        columns, rows = self.cells
        dx = min(column - 1, 0) + max(column - (columns - 1), 0)
        dy = min(row - 1, 0) + max(row - (rows - 1), 0)
        return self.panned(dx, dy) if dx or dy else self

    def _inside(self) -> Viewport:
        """Keep the canvas filled by the image, or the image in its middle where it is smaller."""
        x, y = self.middle
        half = (
            self.cells[0] / 2 / self.columns_per_pixel,
            self.cells[1] / 2 / self.rows_per_pixel,
        )
        return replace(
            self, centre=(_held(x, half[0], self.image[0]), _held(y, half[1], self.image[1]))
        )


def _held(value: float, half: float, size: int) -> float:
    """A centre such that [centre - half, centre + half] lies in [-0.5, size - 0.5]."""
    if 2 * half >= size:
        return (size - 1) / 2
    return min(max(value, half - 0.5), size - 0.5 - half)
