"""The 256 colours that terminals have: which of them looks most like one of 24 bits.

The first 16 are left out: users choose those themselves.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from dragonnx.tui.drawing.raster import Raster

FIRST = 16
"""The number of the first colour that is the same on every terminal."""
_CUBE = (0, 95, 135, 175, 215, 255)
COLOURS = np.array(
    [(r, g, b) for r in _CUBE for g in _CUBE for b in _CUBE]
    + [(k, k, k) for k in range(8, 248, 10)],
    np.uint8,
)
"""Red, green and blue of the colours from 16 on: a cube, and greys."""
_BITS = 5
"""Of each channel that are looked at: the steps are finer than those of the colours."""
_DITHER = (np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) / 16 - 0.5) * 12
"""A pattern that lets large even parts keep their mean, weak enough that it is not seen as one."""
_LINEAR_TO_CONES = np.array([
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
])  # fmt: skip
_CONES_TO_LAB = np.array([
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
])  # fmt: skip


def oklab(colours: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Colours of sRGB [..., 3] where distances are as eyes see them (Ottosson 2020)."""
    values = colours / 255.0
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.cbrt(linear @ _LINEAR_TO_CONES.T) @ _CONES_TO_LAB.T)


@functools.cache
def _nearest() -> NDArray[np.uint8]:
    """For each colour of 5 bits a channel the nearest of `COLOURS`, [32, 32, 32]."""
    steps = (np.arange(2**_BITS) * 255 + 15) // (2**_BITS - 1)
    every = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).astype(np.uint8)
    wanted, known = oklab(every).reshape(-1, 3), oklab(COLOURS)
    # |a - b|^2 less |a|^2, which is the same for all b.
    away = (known**2).sum(axis=1) - 2 * wanted @ known.T
    return np.asarray(away.argmin(axis=1), np.uint8).reshape(every.shape[:3])


def numbers_of(colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The numbers of the nearest colours, [...], for colours [..., 3]."""
    r, g, b = np.moveaxis((colours.astype(np.uint16) * 31 + 127) // 255, -1, 0)
    return np.asarray(_nearest()[r, g, b] + np.uint8(FIRST))


def dithered(raster: Raster) -> Raster:
    """A raster in these colours."""
    rows, columns, _ = raster.shape
    pattern = np.tile(_DITHER, (-(-rows // 4), -(-columns // 4)))[:rows, :columns, None]
    values = np.clip(raster + pattern, 0, 255).astype(np.uint8)
    return COLOURS[numbers_of(values) - FIRST]
