"""A critter in front of the camera: its parts turned, placed and projected, without a pixel yet.

The camera is orthographic. Scene units: x to the right, y up, z towards the viewer; the image shows
-HALF_EXTENT..HALF_EXTENT. Image points are (x, y) pixels, y down, pixel centres at integers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dragonnx_critters.anatomy import Frame, Part, parts_of, rotation
from dragonnx_critters.factors import Factors

HALF_EXTENT = 1.56
Points = NDArray[np.float64]

_NECK = np.array([0.0, -0.55, -0.25])  # about which the head turns
_BODY_FOLLOWS = 0.25  # share of the head's yaw that the body takes
_RAISED = np.array([0.0, -0.2, 0.0])  # the head's place in the image


@dataclass(frozen=True)
class Ellipsoid:
    """A part as the camera sees it, in scene units.

    With d = (x, y) - centre_xy, a ray hits where q = d' precision d is below 1, at depth
    centre_z + slope . d + reach * sqrt(1 - q).

    Attributes:
        part: What it is.
        centre: [3].
        axes: [3, 3], columns are the directions of the radii.
        quadric: [3, 3]; points p of the surface have (p - centre)' quadric (p - centre) = 1.
        precision: [2, 2].
        slope: [2].
        reach: Half of the depth at the centre.
        half_size: Half width and half height of the bounding box in the image, [2].
    """

    part: Part
    centre: NDArray[np.float64]
    axes: NDArray[np.float64]
    quadric: NDArray[np.float64]
    precision: NDArray[np.float64]
    slope: NDArray[np.float64]
    reach: float
    half_size: NDArray[np.float64]

    def surface(self, unit: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points [n, 3] of the surface, from points [n, 3] of the unit sphere."""
        placed: NDArray[np.float64] = self.centre + (unit * self.part.radii) @ self.axes.T
        return placed

    def unit(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """The inverse of `surface`: where on the unit sphere points [n, 3] lie."""
        local: NDArray[np.float64] = (points - self.centre) @ self.axes / self.part.radii
        return local


@dataclass(frozen=True)
class Scene:
    """Ellipsoids in front of the camera, and what they were made from."""

    factors: Factors
    ellipsoids: tuple[Ellipsoid, ...]

    def __getitem__(self, name: str) -> Ellipsoid:
        """The ellipsoid of a part."""
        return self.ellipsoids[self.index(name)]

    def index(self, name: str) -> int:
        """A part's place in `ellipsoids`, the same in every scene."""
        for index, ellipsoid in enumerate(self.ellipsoids):
            if ellipsoid.part.name == name:
                return index
        raise KeyError(name)


def scene_of(factors: Factors) -> Scene:
    """Set a critter up."""
    f = factors
    # Yaw to the right turns the nose to +x; pitch down turns it to -y.
    turns: dict[Frame, NDArray[np.float64]] = {
        "head": rotation(z=f.roll) @ rotation(y=f.yaw) @ rotation(x=f.pitch),
        "body": rotation(y=_BODY_FOLLOWS * f.yaw),
    }
    return Scene(f, tuple(_placed(part, turns[part.frame], f.zoom) for part in parts_of(f)))


def _placed(part: Part, turn: NDArray[np.float64], zoom: float) -> Ellipsoid:
    centre = zoom * (_NECK + turn @ (part.centre - _NECK)) + _RAISED
    axes = turn @ part.axes
    part = _scaled(part, zoom)
    covariance = (axes * part.radii**2) @ axes.T
    quadric: NDArray[np.float64] = np.linalg.inv(covariance).astype(np.float64)
    precision: NDArray[np.float64] = np.linalg.inv(covariance[:2, :2]).astype(np.float64)
    slope = precision @ covariance[:2, 2]
    return Ellipsoid(
        part=part,
        centre=centre,
        axes=axes,
        quadric=quadric,
        precision=precision,
        slope=slope,
        reach=float(np.sqrt(covariance[2, 2] - covariance[:2, 2] @ slope)),
        half_size=np.sqrt(np.diag(covariance)[:2]),
    )


def _scaled(part: Part, zoom: float) -> Part:
    return Part(**{**vars(part), "radii": part.radii * zoom, "blend": part.blend * zoom})


def to_scene(points: Points, size: int) -> Points:
    """Image points [n, 2] of an image of `size` pixels to scene units (x right, y up)."""
    scene = (np.asarray(points, np.float64) + 0.5) / size * 2 - 1
    result: Points = scene * np.array([HALF_EXTENT, -HALF_EXTENT])
    return result


def to_image(points: Points, size: int) -> Points:
    """Scene points [n, 2] or [n, 3] to image points [n, 2]."""
    unit = np.asarray(points)[:, :2] * np.array([1, -1]) / HALF_EXTENT
    result: Points = (unit + 1) / 2 * size - 0.5
    return result
