"""How far two images are apart, with the gradient: the part of the loss that needs no network."""

from __future__ import annotations

import math
from typing import Protocol, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dragonnx.errors import InputError
from dragonnx.model.drag_settings import LARGEST_WEIGHT
from dragonnx.reading.array_values import checked_array
from dragonnx.reading.values import number, shown
from dragonnx.types import Float32

SMALLEST_LEVEL = 8
"""Pixels of the shorter side: coarser levels of the pyramid would add nothing."""


class ImageLoss(Protocol):
    """A distance between images [1, C, H, W] of values about -1 to 1."""

    @property
    def name(self) -> str:
        """What it is, for a report."""
        ...

    def set_target(self, target: Float32) -> None:
        """The image that the others are compared with."""
        ...

    def __call__(self, image: Float32) -> tuple[float, Float32]:
        """The distance of an image from the target, and dL/dimage."""
        ...


def checked_loss(loss: object, name: str) -> ImageLoss:
    """An `ImageLoss`.

    Raises:
        InputError: It is another thing.
    """
    if not (callable(loss) and callable(getattr(loss, "set_target", None))):
        raise InputError(
            f"{name} must be a loss of images such as PyramidLoss(), not {shown(loss)}"
        )
    return cast(ImageLoss, loss)


def checked_weights(weights: ArrayLike | None) -> Float32 | None:
    """How much each pixel counts, [H, W], 0 to 1; None where all do.

    Raises:
        InputError: They are no such array.
    """
    if weights is None:
        return None
    array = checked_array(weights, "weights", ("height", "width"), np.float32)
    if array.size and (array.min() < 0 or array.max() > 1):
        raise InputError("weights must be numbers from 0 to 1")
    return array


class PyramidLoss:
    """Squared differences of pixels and of gradients, at every scale of a pyramid.

    At each level, half the size of the one before as long as that has even sides, it takes the mean
    squared difference and `edge_weight` times the mean squared difference of neighbouring pixels'
    differences; levels are added up. So a coarse shape that is out of place counts as much as a
    sharp edge, and the descent is not caught by texture. It does not compare as the eye does: a
    perceptual network comes closer to that.

    Args:
        weights: [H, W], how much each pixel counts, 0 to 1; None is 1 for all.
        edge_weight: Of the gradients' part.

    Raises:
        InputError: A weight is negative, too large or no number.
    """

    def __init__(self, weights: NDArray[np.floating] | None = None, edge_weight: float = 1.0):
        self._weights = checked_weights(weights)
        self._edge_weight = np.float32(number(edge_weight, "edge_weight", 0, LARGEST_WEIGHT))
        self._target: Float32 | None = None

    @property
    def name(self) -> str:
        """See `ImageLoss`."""
        return "pyramid of squared pixel and gradient differences"

    def set_target(self, target: Float32) -> None:
        """See `ImageLoss`."""
        self._target = target

    def __call__(self, image: Float32) -> tuple[float, Float32]:
        """See `ImageLoss`."""
        assert self._target is not None, "a session sets the target first"  # noqa: S101
        difference = image - self._target
        if self._weights is not None:
            difference *= self._weights
        value, gradient = self._level(difference)
        return value, gradient if self._weights is None else gradient * self._weights

    def _level(self, d: Float32) -> tuple[float, Float32]:
        """The value and gradient of a level and all coarser ones, for their difference image."""
        value = float(np.vdot(d, d)) / d.size
        gradient = d * np.float32(2 / d.size)
        for axis in (-1, -2):
            edges = np.diff(d, axis=axis)
            share = self._edge_weight / edges.size
            value += float(np.vdot(edges, edges) * share)
            edges *= 2 * share
            low, high = [slice(None)] * d.ndim, [slice(None)] * d.ndim
            low[axis], high[axis] = slice(None, -1), slice(1, None)
            gradient[tuple(low)] -= edges
            gradient[tuple(high)] += edges
        if min(d.shape[-2:]) >= 2 * SMALLEST_LEVEL and not any(side % 2 for side in d.shape[-2:]):
            coarser, pulled = self._level(_halved(d))
            value += coarser
            pulled *= np.float32(0.25)
            for row in (0, 1):
                for column in (0, 1):
                    gradient[..., row::2, column::2] += pulled
        return value, gradient


def _halved(d: Float32) -> Float32:
    """Means over squares of 2 x 2."""
    return 0.25 * (
        d[..., ::2, ::2] + d[..., 1::2, ::2] + d[..., ::2, 1::2] + d[..., 1::2, 1::2]
    )  # fmt: skip


def psnr(image: Float32, target: Float32, weights: Float32 | None = None) -> float:
    """The peak signal-to-noise ratio in dB of images [1, C, H, W] of values -1 to 1.

    Args:
        image: Clipped to that range first.
        target: What it should be.
        weights: [H, W], how much each pixel counts; None where all do.
    """
    square = (np.clip(image, -1, 1) - target) ** 2
    mean = float(np.mean(square))
    if weights is not None:
        mean = float(np.sum(square * weights) / (np.sum(weights) * image.shape[1]))
    return math.inf if mean == 0 else 10 * math.log10(4 / mean)
