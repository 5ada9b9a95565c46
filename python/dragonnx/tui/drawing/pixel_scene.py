"""The scene in real pixels: the picture, and points, lines, mask and cross-hair drawn into it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dragonnx.editor.scene import Scene
from dragonnx.tui.drawing.cell_scene import CURSOR, label_of, marker_colours
from dragonnx.tui.drawing.geometry import Viewport
from dragonnx.tui.drawing.raster import LINE, TRAIL, Raster, draw_picture, tint_fixed
from dragonnx.types import Point


def compose_pixels(
    scene: Scene,
    view: Viewport,
    cell: tuple[int, int],
    background: tuple[int, int, int] = (0, 0, 0),
) -> Raster:
    """The pixels of a scene, [rows * cell height, columns * cell width, 3].

    Args:
        scene: What to show.
        view: What is visible, in cells.
        cell: (width, height) of a cell in pixels.
        background: Colour around the picture.
    """
    fine = replace(view, cells=(view.cells[0] * cell[0], view.cells[1] * cell[1]),
                   aspect=view.aspect * cell[1] / cell[0])  # fmt: skip
    raster = draw_picture(scene.picture, fine, 1, background, smooth=True)
    if scene.mask is not None:
        tint_fixed(raster, scene.mask, fine, 1)
    picture = Image.fromarray(raster)
    _Drawing(picture, scene, fine, cell).draw()
    return np.asarray(picture)


class _Drawing:
    """Draws what lies over a picture.

    Args:
        picture: Where to.
        scene: What.
        view: Where image places are, in pixels.
        cell: (width, height) of a cell in pixels: sizes follow it.
    """

    def __init__(
        self, picture: Image.Image, scene: Scene, view: Viewport, cell: tuple[int, int]
    ) -> None:
        self._draw = ImageDraw.Draw(picture)
        self._scene = scene
        self._view = view
        self._unit = cell[1] / 20

    def draw(self) -> None:
        """Everything, the most important last."""
        scene = self._scene
        for number in range(scene.trails.shape[1]):
            self._path(scene.trails[:, number].tolist(), TRAIL, 1.5)
        for pair in scene.pairs:
            if pair.target is not None and pair.is_on:
                self._path([pair.handle, pair.target], LINE, 2)
        self._path(list(scene.outline), CURSOR, 1.5)
        if scene.divider is not None:
            bottom = scene.picture.shape[0] - 0.5
            self._path([(scene.divider, -0.5), (scene.divider, bottom)], LINE, 1)
        if scene.brush is not None and scene.cursor is not None:
            reach = scene.brush * self._view.columns_per_pixel
            self._draw.ellipse(self._around(self._at(scene.cursor), reach), outline=CURSOR)
        if scene.cursor is not None:
            self._cross_hair(self._at(scene.cursor))
        for index, pair in enumerate(scene.pairs):
            label = label_of(index)
            if pair.target is not None:
                self._disc(pair.target, *marker_colours(scene, (index, "target")), label)
            self._disc(pair.handle, *marker_colours(scene, (index, "handle")), label)

    def _at(self, point: Point) -> Point:
        return self._view.cell_of(point)

    def _path(self, points: list[Point], colour: tuple[int, int, int], width: float) -> None:
        if len(points) > 1:
            places = [self._at(point) for point in points]
            self._draw.line(places, fill=colour, width=max(round(width * self._unit), 1))

    def _cross_hair(self, at: Point) -> None:
        x, y = at
        near, far = 4 * self._unit, 14 * self._unit
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            ends = [(x + dx * near, y + dy * near), (x + dx * far, y + dy * far)]
            for colour, width in (((0, 0, 0), 3), (CURSOR, 1)):
                self._draw.line(ends, fill=colour, width=max(round(width * self._unit), 1))

    def _disc(
        self,
        point: Point,
        edge: tuple[int, int, int],
        colour: tuple[int, int, int],
        text: str,
    ) -> None:
        at = self._at(point)
        reach = 7 * self._unit
        self._draw.ellipse(
            self._around(at, reach), fill=colour, outline=edge, width=max(round(self._unit), 1)
        )
        font = ImageFont.load_default(max((1.9 - 0.4 * len(text)) * reach, reach / 2, 6))
        self._draw.text(at, text, fill=edge, font=font, anchor="mm")

    @staticmethod
    def _around(at: Point, reach: float) -> tuple[float, float, float, float]:
        return at[0] - reach, at[1] - reach, at[0] + reach, at[1] + reach
