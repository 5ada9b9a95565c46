"""The renderer: factors in, an image and its exact ground truth out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dragonnx_critters.factors import Factors
from dragonnx_critters.raycast import cast_grid
from dragonnx_critters.scene import HALF_EXTENT, Scene, scene_of
from dragonnx_critters.shading import backdrop, shade


@dataclass(frozen=True)
class Rendering:
    """A picture of a critter and what can be seen where.

    Attributes:
        image: [size, size, 3].
        part: For each ray the index of the part that it met, or -1, [size * samples, the same].
        detail: Likewise, within that part: see `dragonnx_critters.textures.Surface`.
    """

    image: NDArray[np.uint8]
    part: NDArray[np.int16]
    detail: NDArray[np.int8]


def render(factors: Factors, size: int = 256, samples: int = 2) -> NDArray[np.uint8]:
    """The image [size, size, 3] of a critter; the same arguments give the same bytes.

    Args:
        factors: The critter.
        size: Side of the image in pixels.
        samples: Rays per pixel along each axis.
    """
    return render_scene(scene_of(factors), size, samples).image


def render_scene(scene: Scene, size: int = 256, samples: int = 2) -> Rendering:
    """The rendering of a scene; arguments as those of `render`."""
    fine = size * samples
    steps = (((np.arange(fine) + 0.5) / fine * 2 - 1) * HALF_EXTENT).astype(np.float32)
    buffers = cast_grid(scene, fine)
    covered, lit = shade(scene, buffers, np.stack([steps, -steps]))
    layer = np.zeros((4, fine * fine), np.float32)
    for plane, colour in zip(layer, lit, strict=False):
        plane[covered] = np.clip(colour, 0, 1)
    layer[3, covered] = 1
    *colours, share = _pooled(layer.reshape(4, fine, fine), samples)
    image = np.stack(colours) + backdrop(scene, size) * (1 - share)
    pixels: NDArray[np.uint8] = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    return Rendering(np.ascontiguousarray(pixels.transpose(1, 2, 0)), buffers.part, buffers.detail)


def _pooled(fine: NDArray[np.float32], samples: int) -> NDArray[np.float32]:
    """Means over squares of samples x samples: [c, n, n] to [c, n / samples, n / samples]."""
    across = fine[:, :, ::samples].copy()
    for k in range(1, samples):
        across += fine[:, :, k::samples]
    pooled = across[:, ::samples].copy()
    for k in range(1, samples):
        pooled += across[:, k::samples]
    return pooled * np.float32(1 / samples**2)
