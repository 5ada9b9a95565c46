"""Light: key and sky, velvety rims, contact shadows, highlights; the backdrop and its soft shadow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dragonnx_critters import palette
from dragonnx_critters.palette import mix
from dragonnx_critters.raycast import Buffers
from dragonnx_critters.scene import HALF_EXTENT, Scene

Pixels = NDArray[np.float32]

_WALL = 1.15  # how far the shadow on the backdrop is thrown
# Shadows and highlights are those of a lamp in the middle, whatever side the light comes from: where
# they lie then depends on the geometry alone, and a generator's layers of appearance move nothing.
_LAMP = np.array([0.0, 0.85, 0.95], np.float32) / np.float32(np.hypot(0.85, 0.95))
_CASTERS = ("skull", "torso", "neck", "left ear", "right ear")


@dataclass(frozen=True)
class Blocker:
    """A sphere that keeps light from the parts that do not belong to it: centre [3] and radius."""

    centre: NDArray[np.float64]
    radius: float


def light_direction(scene: Scene) -> NDArray[np.float64]:
    """Unit vector [3] towards the key light."""
    direction = np.array([scene.factors.light, 0.85, 0.95])
    unit: NDArray[np.float64] = direction / np.linalg.norm(direction)
    return unit


def shade(scene: Scene, buffers: Buffers, places: Pixels) -> tuple[NDArray[np.intp], Pixels]:
    """Light what the rays met.

    Args:
        scene: The critter.
        buffers: What the rays met, [h, w].
        places: x (left to right) and y (up) of columns and rows in scene units, [2, n].

    Returns:
        Flat indices [m] of the pixels with a surface, and its colour [3, m] there, 0 to 1.
    """
    covered = np.flatnonzero(buffers.part >= 0)
    rows, columns = np.divmod(covered, buffers.part.shape[1])
    part = buffers.part.ravel()[covered]
    normal = buffers.normal.reshape(3, -1).take(covered, axis=1)
    colour = buffers.colour.reshape(3, -1).take(covered, axis=1)
    normal /= np.sqrt(np.einsum("ij,ij->j", normal, normal)) + np.float32(1e-6)
    position = np.stack([places[0, columns], places[1, rows], buffers.depth.ravel()[covered]])

    light = light_direction(scene).astype(np.float32)
    ambient = _contact(scene, part, position, normal)
    facing = light @ normal
    # Fur scatters: light wraps round the shape further than on a hard surface.
    wrapped = np.clip((facing + np.float32(0.25)) * np.float32(0.8), 0, 1)
    key = wrapped * _cast_shadow(scene, part, position)
    sky = np.float32(0.36) + np.float32(0.14) * normal[1]
    rim = (1 - np.clip(normal[2], 0, 1)) ** 3
    backdrop = palette.along(palette.BACKDROP, scene.factors.backdrop)
    rim_colour = mix(backdrop, palette.WHITE, 0.6).astype(np.float32)[:, None]
    lit = colour * (sky * ambient + np.float32(0.66) * key)
    lit += rim_colour * (rim * (np.float32(0.09) + np.float32(0.13) * wrapped) * ambient)
    half = _LAMP + np.array([0, 0, 1], np.float32)
    half /= np.linalg.norm(half)
    highlight = np.clip(half @ normal, 0, 1)
    for _ in range(5):
        highlight *= highlight
    lit += np.float32(0.6) * buffers.gloss.ravel()[covered] * highlight
    return covered, lit


def _contact(scene: Scene, part: NDArray[np.int16], position: Pixels, normal: Pixels) -> Pixels:
    """How much of the sky each point sees, 0 to 1: darker where parts meet."""
    seen = np.ones(part.shape, np.float32)
    head = part >= scene.index("left ear")
    skull, muzzle = scene["skull"], scene["bridge"]
    blockers = (
        (~head, Blocker(skull.centre, float(skull.part.radii[0])), 0.9),
        (
            (part >= scene.index("skull")) & (part <= scene.index("cheeks")),
            Blocker(muzzle.centre, 0.34 * scene.factors.zoom),
            0.55,
        ),
    )
    for among, blocker, strength in blockers:
        chosen = np.nonzero(among)[0]
        offset = blocker.centre.astype(np.float32)[:, None] - position[:, chosen]
        distance = np.sqrt(np.einsum("ij,ij->j", offset, offset)) + np.float32(1e-6)
        towards = np.einsum("ij,ij->j", offset, normal[:, chosen]) / distance
        near = np.minimum(np.float32(blocker.radius) / distance, 1) ** 2
        seen[chosen] = 1 - np.float32(strength) * near * np.clip(towards * 0.7 + 0.3, 0, 1)
    return seen


def _cast_shadow(scene: Scene, part: NDArray[np.int16], position: Pixels) -> Pixels:
    """How much of the key light reaches each point, 0 to 1: the head shades the body softly."""
    lit = np.ones(part.shape, np.float32)
    chosen = np.nonzero(part < scene.index("left ear"))[0]
    skull = scene["skull"]
    offset = skull.centre.astype(np.float32)[:, None] - position[:, chosen]
    along = _LAMP @ offset
    across = np.sqrt(np.maximum(np.einsum("ij,ij->j", offset, offset) - along**2, 0))
    radius = np.float32(0.85 * scene.factors.zoom)
    shadow = _smooth(across, radius * 1.25, radius * 0.7) * (along > 0)
    lit[chosen] = 1 - np.float32(0.6) * shadow
    return lit


def backdrop(scene: Scene, size: int) -> Pixels:
    """The wall behind, [3, size, size]: a gradient with a vignette and the critter's shadow."""
    steps = ((np.arange(size) + 0.5) / size * 2 - 1).astype(np.float32)
    x, y = steps[None, :], -steps[:, None]
    colour = palette.along(palette.BACKDROP, scene.factors.backdrop).astype(np.float32)
    glow = 1 + np.float32(0.1) * y - np.float32(0.12) * (x * x + y * y)
    thrown = -_WALL * _LAMP[:2] / _LAMP[2]
    shadow = np.zeros((size, size), np.float32)
    for name in _CASTERS:
        ellipsoid = scene[name]
        (a, b), (_, c) = ellipsoid.precision.astype(np.float32)
        dx = x * np.float32(HALF_EXTENT) - np.float32(ellipsoid.centre[0]) - thrown[0]
        dy = y * np.float32(HALF_EXTENT) - np.float32(ellipsoid.centre[1]) - thrown[1]
        q = np.sqrt(a * dx * dx + 2 * b * dx * dy + c * dy * dy)
        # The blur is a length of the scene, so it takes a larger share of a smaller part.
        blur = np.float32(0.28 / float(np.min(ellipsoid.half_size)))
        np.maximum(shadow, _smooth(q, 1 + blur, 1 - blur), out=shadow)
    return colour[:, None, None] * (glow * (1 - np.float32(0.2) * shadow))


def _smooth(x: Pixels, low: np.floating | float, high: np.floating | float) -> Pixels:
    t = np.clip((x - np.float32(low)) / np.float32(high - low), 0, 1)
    eased: Pixels = t * t * (3 - 2 * t)
    return eased
