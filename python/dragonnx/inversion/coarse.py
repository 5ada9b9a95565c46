"""The loss of an inversion's first part, in which a small image stands for the whole one.

The network's coarser blocks give a small image for a part of the cost. It is not the whole image made
small, but differs from it by little that changes: so that difference, measured now and then, is
added to it, as multigrid methods correct a coarse problem to have the fine one's solution (the full
approximation scheme, Brandt 1977).
"""

from __future__ import annotations

import numpy as np

from dragonnx.inversion.image_loss import PyramidLoss
from dragonnx.types import Float32

_NOTHING = np.float32(1e-6)  # instead of a share of 0, for a value that counts nothing anyway
RENEWAL = 10
"""Steps for which a correction serves."""


class CoarseLoss:
    """Compares small images [1, C, h, w] with a photo made small.

    Args:
        target: The photo [1, C, H, W], -1 to 1.
        weights: [H, W], how much each pixel counts, 0 to 1; None is 1 for all.
        size: h and w; they divide H and W.
    """

    def __init__(self, target: Float32, weights: Float32 | None, size: tuple[int, int]) -> None:
        self._weights = np.ones(target.shape[-2:], np.float32) if weights is None else weights
        self._size = size
        self._share = _means(self._weights, size)
        self._loss = PyramidLoss(None if weights is None else self._share)
        self._loss.set_target(self._small(target))

    def correction(self, image: Float32, small: Float32) -> Float32:
        """What a small image lacks to be the whole one [1, C, H, W] made small, [1, C, h, w]."""
        return self._small(image) - small

    def __call__(self, small: Float32, correction: Float32) -> tuple[float, Float32]:
        """The distance from the photo of a small image once corrected, and dL/dsmall."""
        return self._loss(small + correction)

    def _small(self, image: Float32) -> Float32:
        """An image made small, of the pixels that count."""
        small: Float32 = _means(image * self._weights, self._size)
        small /= np.maximum(self._share, _NOTHING)
        return small


def _means(x: Float32, size: tuple[int, int]) -> Float32:
    """Means over rectangles: [..., H, W] to [..., h, w]."""
    h, w = size
    means: Float32 = x.reshape(*x.shape[:-2], h, x.shape[-2] // h, w, -1).mean(axis=(-3, -1))
    return means
