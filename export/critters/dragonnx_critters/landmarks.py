"""The ground truth of a render: where named landmarks are, and where any surface point goes.

A surface point belongs to a part and keeps its place on that part's unit sphere, so its position in
the image after the factors change is known, and with it the true answer to a drag.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dragonnx_critters.raycast import NOTHING, cast_points
from dragonnx_critters.scene import Points, Scene, to_image, to_scene

_TOLERANCE = 0.06  # scene units that a seam may bulge over a point that still counts as visible


@dataclass(frozen=True)
class SurfacePoints:
    """Points that move with the critter.

    Attributes:
        part: Index of each point's part, [n]; -1 where there was only the backdrop.
        unit: Its place on the part's unit sphere, [n, 3]; a little above it where parts melt.
    """

    part: NDArray[np.int16]
    unit: NDArray[np.float64]


@dataclass(frozen=True)
class Projection:
    """Where points are in an image.

    Attributes:
        points: (x, y) in pixels, [n, 2]; NaN for the backdrop.
        visible: Whether each is inside the image with nothing in front of it, bool [n].
    """

    points: Points
    visible: NDArray[np.bool_]


# name: (part, direction from the centre of its unit sphere).
_LANDMARKS: dict[str, tuple[str, tuple[float, float, float]]] = {
    "left ear tip": ("left ear", (0.0, 0.98, 0.2)),
    "right ear tip": ("right ear", (0.0, 0.98, 0.2)),
    "left eye": ("left eye", (0.0, 0.0, 1.0)),
    "right eye": ("right eye", (0.0, 0.0, 1.0)),
    "nose": ("nose", (0.0, 0.25, 0.97)),
    "left mouth corner": ("left muzzle", (-0.6, -0.62, 0.5)),
    "right mouth corner": ("right muzzle", (0.6, -0.62, 0.5)),
    "chin": ("jaw", (0.0, -0.35, 0.94)),
    "left muzzle": ("left muzzle", (-0.75, 0.0, 0.66)),
    "right muzzle": ("right muzzle", (0.75, 0.0, 0.66)),
}
LANDMARK_NAMES = tuple(_LANDMARKS)


def landmark_points(scene: Scene) -> SurfacePoints:
    """The named landmarks, in the order of `LANDMARK_NAMES`."""
    units = np.array([direction for _, direction in _LANDMARKS.values()])
    return SurfacePoints(
        part=np.array([scene.index(part) for part, _ in _LANDMARKS.values()], np.int16),
        unit=units / np.linalg.norm(units, axis=1, keepdims=True),
    )


def landmarks(scene: Scene, size: int) -> Projection:
    """Where the named landmarks are in an image of `size` pixels, in that order."""
    return project(scene, landmark_points(scene), size)


def landmark_places(scene: Scene, size: int) -> Points:
    """Where the named landmarks are in an image, [landmarks, 2], also those that are hidden."""
    return to_image(_surface(scene, landmark_points(scene)), size)


def surface_points(scene: Scene, points: ArrayLike, size: int) -> SurfacePoints:
    """What the image shows at points.

    Args:
        scene: The critter.
        points: (x, y) in pixels, [n, 2].
        size: Side of the image in pixels.
    """
    flat = to_scene(np.asarray(points, np.float64), size)
    depth, part = cast_points(scene, flat)
    unit = np.full((len(flat), 3), np.nan)
    for index in np.unique(part[part != NOTHING]):
        chosen = part == index
        surface = np.column_stack([flat[chosen], depth[chosen]])
        unit[chosen] = scene.ellipsoids[index].unit(surface)
    return SurfacePoints(part, unit)


def project(scene: Scene, points: SurfacePoints, size: int) -> Projection:
    """Where surface points are in a scene, which may differ in factors from that they come from."""
    surface = _surface(scene, points)
    known = points.part != NOTHING
    image = to_image(surface, size)
    visible = known & np.all((image > -0.5) & (image < size - 0.5), axis=1, where=known[:, None])
    front = np.full(len(surface), np.inf)
    front[known], _ = cast_points(scene, surface[known, :2])
    visible &= surface[:, 2] >= front - _TOLERANCE
    return Projection(image, visible)


def _surface(scene: Scene, points: SurfacePoints) -> NDArray[np.float64]:
    """Where surface points are in scene units, [n, 3]; NaN for the backdrop."""
    surface = np.full(points.unit.shape, np.nan)
    for index in np.unique(points.part[points.part != NOTHING]):
        chosen = points.part == index
        surface[chosen] = scene.ellipsoids[index].surface(points.unit[chosen])
    return surface
