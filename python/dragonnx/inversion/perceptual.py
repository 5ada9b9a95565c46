"""How far two images are apart in the features of a network that the user supplies."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from dragonnx.errors import InputError
from dragonnx.inversion.image_loss import ImageLoss, checked_loss, checked_weights
from dragonnx.inversion.perceptual_bundle import (
    DISTANCE,
    FEATURES,
    SMALLEST_IMAGE,
    PerceptualManifest,
    open_perceptual,
)
from dragonnx.model.drag_settings import LARGEST_WEIGHT
from dragonnx.paths import as_path
from dragonnx.reading.values import instance, number
from dragonnx.runtime import Device, DeviceTensor, Graph, checked_threads, choose_device
from dragonnx.types import Float32

LARGEST_IMAGE = 256
"""Pixels of the shorter side: StyleGAN2's projector, too, averages larger images down to these."""

_COLOURS = 3


class PerceptualLoss:
    """LPIPS, or the distance of VGG16's features, as an `ImageLoss`.

    Where pixels do not count, an image is compared with the target's own content there; so what
    counts little weighs little, up to the reach of the network's features. The distance stays a
    mean over the whole image. A grey image is compared as one of three equal colours.

    Use `PerceptualLoss.open`.
    """

    def __init__(
        self,
        folder: Path,
        manifest: PerceptualManifest,
        device: Device,
        threads: int | None = None,
        weights: NDArray[np.floating] | None = None,
    ) -> None:
        self.manifest = manifest
        self._features = Graph(folder / f"{FEATURES}.onnx", device, threads)
        self._distance = Graph(folder / f"{DISTANCE}.onnx", device, threads)
        self._weights = checked_weights(weights)
        self._target: Float32 | None = None
        self._target_features: Mapping[str, DeviceTensor] | None = None

    @classmethod
    def open(
        cls,
        folder: str | os.PathLike[str],
        *,
        weights: NDArray[np.floating] | None = None,
        device: Device | None = None,
        threads: int | None = None,
    ) -> Self:
        """Open the folder of a network and verify all of it.

        Args:
            folder: What `dragonnx-export perceptual` wrote.
            weights: [H, W], how much each pixel counts, 0 to 1; None is 1 for all.
            device: Where to compute, such as the generator's; None takes CUDA where it works.
            threads: CPU threads; None leaves it to ONNX Runtime.

        Raises:
            BundleError: The folder is no perceptual network, or a file is missing or altered.
            DeviceError: The device, or ONNX Runtime, is not to be had.
            InputError: An argument is of another type, or out of range.
        """
        path = as_path(folder)
        threads = checked_threads(threads)
        chosen = choose_device() if device is None else instance(device, "device", Device)
        return cls(path, open_perceptual(path), chosen, threads, weights)

    @property
    def name(self) -> str:
        """See `ImageLoss`."""
        return self.manifest.name

    def set_target(self, target: Float32) -> None:
        """See `ImageLoss`.

        Raises:
            InputError: The image is too small, or of a size that cannot be averaged down.
        """
        height, width = target.shape[-2:]
        factor = shrink_factor(height, width)
        if min(height, width) < SMALLEST_IMAGE or height % factor or width % factor:
            raise InputError(
                f"images of {width} x {height} pixels cannot be compared by {self.name}: the "
                f"shorter side must be at least {SMALLEST_IMAGE} pixels, and both must be "
                f"divisible by {factor}"
            )
        self._target = _coloured(target)
        self._target_features = None

    def __call__(self, image: Float32) -> tuple[float, Float32]:
        """See `ImageLoss`."""
        assert self._target is not None, "a session sets the target first"  # noqa: S101
        factor = shrink_factor(*self._target.shape[-2:])
        if self._target_features is None:
            # Not before they are needed: a session may set the target again.
            inputs = {"image": averaged(self._target, factor)}
            self._target_features = self._features.run(inputs, self._features.output_names)[1]
        compared = _coloured(image)
        if self._weights is not None:
            compared = self._target + self._weights * (compared - self._target)
        inputs = {"image": averaged(compared, factor)}
        outputs, _ = self._distance.run({**inputs, **self._target_features})
        gradient = averaged_adjoint(outputs["grad_image"], factor)
        if self._weights is not None:
            gradient = gradient * self._weights
        if image.shape[1] != _COLOURS:
            gradient = gradient.sum(axis=1, keepdims=True)
        return float(outputs["distance"]), gradient

    def distance(self, image: Float32, target: Float32) -> float:
        """Of two images [1, C, H, W], whatever target was set.

        Raises:
            InputError: As `set_target`.
        """
        other = copy.copy(self)
        other.set_target(target)
        return other(image)[0]


class CombinedLoss:
    """One loss plus a weight times another, as an `ImageLoss`.

    Args:
        first: Such as the pyramid loss, which sees colours and coarse places well.
        second: Such as a perceptual loss, which sees texture and detail.
        weight: Of the second.

    Raises:
        InputError: The weight is negative, too large or no number, or one of the two is no loss.
    """

    def __init__(self, first: ImageLoss, second: ImageLoss, weight: float = 1.0) -> None:
        self._first, self._second = checked_loss(first, "first"), checked_loss(second, "second")
        self._weight = number(weight, "the weight of a loss", 0, LARGEST_WEIGHT)

    @property
    def name(self) -> str:
        """See `ImageLoss`."""
        return f"{self._first.name} + {self._weight:g} x {self._second.name}"

    def set_target(self, target: Float32) -> None:
        """See `ImageLoss`."""
        self._first.set_target(target)
        self._second.set_target(target)

    def __call__(self, image: Float32) -> tuple[float, Float32]:
        """See `ImageLoss`."""
        first, grad_first = self._first(image)
        second, grad_second = self._second(image)
        gradient = grad_first + np.float32(self._weight) * grad_second
        return first + self._weight * second, gradient


def shrink_factor(height: int, width: int) -> int:
    """By how much an image is averaged down: a power of two, which StyleGAN2's sizes hold."""
    factor = 1
    while min(height, width) > LARGEST_IMAGE * factor:
        factor *= 2
    return factor


def averaged(image: Float32, factor: int) -> Float32:
    """The means [1, C, H / factor, W / factor] over squares of an image [1, C, H, W]."""
    if factor == 1:
        return image
    n, c, height, width = image.shape
    squares = image.reshape(n, c, height // factor, factor, width // factor, factor)
    means: Float32 = squares.mean(axis=(3, 5))
    return means


def averaged_adjoint(gradient: Float32, factor: int) -> Float32:
    """dL/dimage from dL/daveraged."""
    if factor == 1:
        return gradient
    share = gradient * np.float32(1 / factor**2)
    return share.repeat(factor, axis=2).repeat(factor, axis=3)


def _coloured(image: Float32) -> Float32:
    if image.shape[1] == _COLOURS:
        return image
    return np.repeat(image, _COLOURS, axis=1)
