"""Points drawn on pictures, and pictures in a row or a grid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PIL import Image, ImageDraw

from dragonnx.types import Points

_HANDLE_COLOUR = (230, 30, 40)
_TARGET_COLOUR = (40, 90, 235)
_LINE_COLOUR = (255, 255, 255)
_SMALLEST_DRAWING = 384
"""Pixels: a smaller image is enlarged before points are drawn on it, so that they stay legible."""
_OVERSAMPLING = 3
_GAP = 4
"""Pixels around each picture of a grid."""


def with_points(image: Image.Image, handles: Points, targets: Points) -> Image.Image:
    """The image with its handles (red), targets (blue) and the lines between, enlarged if small.

    Args:
        image: The picture.
        handles: (x, y) in its pixels, [n, 2].
        targets: Likewise.
    """
    scale = max(1, -(-_SMALLEST_DRAWING // min(image.size)))
    size = (image.width * scale, image.height * scale)
    fine = scale * _OVERSAMPLING
    overlay = Image.new("RGBA", (image.width * fine, image.height * fine))
    draw = ImageDraw.Draw(overlay)
    radius = max(overlay.size) / 110

    def disc(point: tuple[float, float], colour: tuple[int, int, int]) -> None:
        for reach, fill in ((1.35, _LINE_COLOUR), (1.0, colour)):
            r = radius * reach
            draw.ellipse((point[0] - r, point[1] - r, point[0] + r, point[1] + r), fill=fill)

    for handle, target in zip(handles, targets, strict=True):
        # Pixel centres are at integers, so the first pixel's middle is half a pixel in.
        start, end = ((float((p[0] + 0.5) * fine), float((p[1] + 0.5) * fine))
                      for p in (handle, target))  # fmt: skip
        draw.line((start, end), fill=_LINE_COLOUR, width=round(radius * 0.6))
        disc(end, _TARGET_COLOUR)
        disc(start, _HANDLE_COLOUR)
    enlarged = image.convert("RGBA").resize(size, Image.Resampling.LANCZOS)
    enlarged.alpha_composite(overlay.resize(size, Image.Resampling.BOX))
    return enlarged.convert("RGB")


def side_by_side(pictures: Sequence[Image.Image]) -> Image.Image:
    """Pictures of one size in a row, a thin white gap between them."""
    gap = max(2, pictures[0].width // 48)
    width = sum(picture.width for picture in pictures) + gap * (len(pictures) - 1)
    row = Image.new("RGB", (width, pictures[0].height), "white")
    x = 0
    for picture in pictures:
        row.paste(picture, (x, 0))
        x += picture.width + gap
    return row


def grid_size(cell: tuple[int, int], columns: int, rows: int) -> tuple[int, int]:
    """The width and height of a grid of pictures, of so many pixels each."""
    return columns * (cell[0] + _GAP) + _GAP, rows * (cell[1] + _GAP) + _GAP


def in_grid(
    pictures: Iterable[Image.Image], cell: tuple[int, int], columns: int, rows: int
) -> Image.Image:
    """Pictures row by row on white; they are taken one by one, and cells may stay free.

    Args:
        pictures: At most as many as there are cells.
        cell: The largest width and height of one.
        columns: Of the grid.
        rows: Of the grid.
    """
    sheet = Image.new("RGB", grid_size(cell, columns, rows), "white")
    for at, picture in enumerate(pictures):
        row, column = divmod(at, columns)
        sheet.paste(picture, (column * (cell[0] + _GAP) + _GAP, row * (cell[1] + _GAP) + _GAP))
    return sheet
