"""Which surface a ray through each pixel meets first, with soft seams where furry parts join."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dragonnx_critters.anatomy import Texture
from dragonnx_critters.scene import HALF_EXTENT, Ellipsoid, Points, Scene
from dragonnx_critters.textures import Surface, colour_of

Array = NDArray[np.floating[Any]]
NOTHING = -1
BEHIND = -10.0
"""Depth of the backdrop."""


@dataclass(frozen=True)
class Buffers:
    """What the rays met; `pixels` stands for [h, w] of a grid.

    Attributes:
        depth: z of the surface, `BEHIND` where there is none, [h, w].
        part: Index of the part that prevails, or `NOTHING`, [h, w].
        detail: Within that part, see `Surface`, [h, w].
        normal: Towards the viewer, unit length save where parts melt together, [3, h, w].
        colour: [3, h, w].
        gloss: [h, w].
        rise: How far the surface is from its outline, 0 at the outline to 1, [h, w].
    """

    depth: NDArray[np.float32]
    part: NDArray[np.int16]
    detail: NDArray[np.int8]
    normal: NDArray[np.float32]
    colour: NDArray[np.float32]
    gloss: NDArray[np.float32]
    rise: NDArray[np.float32]


def cast_grid(scene: Scene, size: int) -> Buffers:
    """Rays through the centres of size x size pixels."""
    steps = ((np.arange(size) + 0.5) / size * 2 - 1) * HALF_EXTENT
    across, up = steps.astype(np.float32), -steps.astype(np.float32)
    buffers = Buffers(
        depth=np.full((size, size), BEHIND, np.float32),
        part=np.full((size, size), NOTHING, np.int16),
        detail=np.zeros((size, size), np.int8),
        normal=np.zeros((3, size, size), np.float32),
        colour=np.zeros((3, size, size), np.float32),
        gloss=np.zeros((size, size), np.float32),
        rise=np.zeros((size, size), np.float32),
    )
    for index, ellipsoid in enumerate(scene.ellipsoids):
        low = ellipsoid.centre[:2] - ellipsoid.half_size
        high = ellipsoid.centre[:2] + ellipsoid.half_size
        columns = slice(*np.searchsorted(across, [low[0], high[0]]))
        rows = slice(*np.searchsorted(-up, [-high[1], -low[1]]))
        if columns.start >= columns.stop or rows.start >= rows.stop:
            continue
        dx = across[None, columns] - np.float32(ellipsoid.centre[0])
        dy = up[rows, None] - np.float32(ellipsoid.centre[1])
        _draw(scene, index, dx, dy, buffers, (rows, columns))
    return buffers


def _draw(
    scene: Scene, index: int, dx: Array, dy: Array, buffers: Buffers, crop: tuple[slice, slice]
) -> None:
    """Add one ellipsoid to the buffers inside a crop."""
    ellipsoid = scene.ellipsoids[index]
    dz, rise = depths(ellipsoid, dx, dy)
    old, old_rise = buffers.depth[crop], buffers.rise[crop]
    depth, share = melt(
        (old, old_rise), (dz + np.float32(ellipsoid.centre[2]), rise), ellipsoid.part.blend
    )
    if not share.any():
        return
    np.copyto(old, depth, where=share > 0)
    old_rise += share * (rise - old_rise)
    prevails = share >= 0.5
    np.copyto(buffers.part[crop], np.int16(index), where=prevails)
    offset = (dx, dy, dz)
    quadric = ellipsoid.quadric.astype(np.float32)
    normal = np.stack([_along(row, offset) for row in quadric])
    normal *= share / np.sqrt(np.einsum("ijk,ijk->jk", normal, normal))
    keep = 1 - share
    for channel in range(3):
        plane = buffers.normal[channel, *crop]
        plane *= keep
        plane += normal[channel]
    plain = Surface(ellipsoid.part.colour.astype(np.float32)[:, None, None], ellipsoid.part.gloss)
    if ellipsoid.part.texture is Texture.PLAIN:
        surface = plain
    else:
        to_unit = (ellipsoid.axes.T / ellipsoid.part.radii[:, None]).astype(np.float32)
        unit = np.stack([_along(row, offset) for row in to_unit])
        surface = colour_of(scene, ellipsoid.part, unit)
    for channel in range(3):
        plane = buffers.colour[channel, *crop]
        plane += share * (surface.colour[channel] - plane)
    np.copyto(buffers.detail[crop], surface.detail, where=prevails, casting="same_kind")
    gloss = buffers.gloss[crop]
    gloss += share * (surface.gloss - gloss)


def _along(row: Array, offset: tuple[Array, Array, Array]) -> Array:
    """Dot product of a row [3] with offsets whose entries broadcast, [h, w]."""
    total: Array = (row[0] * offset[0] + row[1] * offset[1]) + row[2] * offset[2]
    return total


def depths(ellipsoid: Ellipsoid, dx: Array, dy: Array) -> tuple[Array, Array]:
    """Depth relative to the centre where rays meet an ellipsoid, and its rise (0 where they miss).

    Args:
        ellipsoid: The ellipsoid.
        dx: Of the rays relative to its centre, broadcast against `dy`.
        dy: Likewise, upwards.
    """
    (a, b), (_, c) = ellipsoid.precision.astype(dx.dtype)
    rise = np.sqrt(np.maximum(1 - (a * dx * dx + (2 * b * dx + c * dy) * dy), 0))
    along = ellipsoid.slope.astype(dx.dtype)
    return along[0] * dx + along[1] * dy + dx.dtype.type(ellipsoid.reach) * rise, rise


def melt(old: tuple[Array, Array], new: tuple[Array, Array], blend: float) -> tuple[Array, Array]:
    """A smooth maximum of two depths, and the share of the new one in it.

    The seam narrows towards the outline of either surface, so that none ends abruptly.

    Args:
        old: Depth and rise of what is there.
        new: Likewise of what comes.
        blend: Depth over which they melt together, far from their outlines.
    """
    width = np.minimum(old[1], new[1])
    width *= 2 * blend
    width += 1e-3
    ahead = new[0] - old[0]
    share = np.clip(0.5 + ahead / width, 0, 1)
    share *= new[1] > 0
    return old[0] + share * (ahead + 0.5 * width * (1 - share)), share


def cast_points(scene: Scene, points: Points) -> tuple[NDArray[np.float64], NDArray[np.int16]]:
    """Depth and prevailing part where rays through scene points [n, 2] meet the critter."""
    depth = np.full(len(points), BEHIND)
    rise = np.zeros(len(points))
    part = np.full(len(points), NOTHING, np.int16)
    for index, ellipsoid in enumerate(scene.ellipsoids):
        d = points - ellipsoid.centre[:2]
        dz, new_rise = depths(ellipsoid, d[:, 0], d[:, 1])
        depth, share = melt(
            (depth, rise), (dz + ellipsoid.centre[2], new_rise), ellipsoid.part.blend
        )
        rise = rise + share * (new_rise - rise)
        part = np.where(share >= 0.5, index, part).astype(np.int16)
    return depth, part
