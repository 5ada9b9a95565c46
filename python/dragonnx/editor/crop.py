"""A crop box on a photo: of the shape of the model's images, moved and resized within the photo."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dragonnx.types import Picture

if TYPE_CHECKING:
    from dragonnx.inversion.window import Box

_LEAST = 16
"""Pixels of a box's shorter side."""
_SHOWN_SIDE = 1024
"""Pixels at most of a photo as it is shown."""


@dataclass(frozen=True)
class Crop:
    """A box in a photo. A change makes another one, which lies within the photo too.

    Attributes:
        photo: (width, height) of the photo.
        shape: Width of the box over its height.
        centre: Its middle, (x, y) in pixels of the photo.
        height: Its height in pixels.
    """

    photo: tuple[int, int]
    shape: float
    centre: tuple[float, float]
    height: float

    @classmethod
    def largest(cls, photo: tuple[int, int], shape: float) -> Crop:
        """The largest box of a shape, in the middle."""
        width, height = photo
        return cls(photo, shape, (width / 2, height / 2), min(height, width / shape))

    @classmethod
    def of_box(cls, photo: tuple[int, int], shape: float, box: Box) -> Crop:
        """The box that was chosen before."""
        left, top, right, bottom = box
        return cls(photo, shape, ((left + right) / 2, (top + bottom) / 2), bottom - top)._within()

    @property
    def box(self) -> Box:
        """Left, top, right, bottom in pixels of the photo."""
        (x, y), high, wide = self.centre, self.height, self.height * self.shape
        left, top = max(round(x - wide / 2), 0), max(round(y - high / 2), 0)
        right, bottom = left + max(round(wide), 2), top + max(round(high), 2)
        return left, top, min(right, self.photo[0]), min(bottom, self.photo[1])

    def moved(self, x: float, y: float) -> Crop:
        """The box elsewhere, as far as the photo reaches."""
        return replace(self, centre=(self.centre[0] + x, self.centre[1] + y))._within()

    def at(self, x: float, y: float) -> Crop:
        """The box with its middle there."""
        return replace(self, centre=(x, y))._within()

    def resized(self, factor: float) -> Crop:
        """A larger box, or a smaller one, about the same middle where the photo reaches."""
        return replace(self, height=self.height * factor)._within()

    def _within(self) -> Crop:
        width, height = self.photo
        most = min(height, width / self.shape)
        high = min(max(self.height, _LEAST * max(1.0, 1 / self.shape)), most)
        wide = high * self.shape
        x = min(max(self.centre[0], wide / 2), width - wide / 2)
        y = min(max(self.centre[1], high / 2), height - high / 2)
        return replace(self, centre=(x, y), height=high)


def read_photo(path: Path, image_size: tuple[int, int]) -> tuple[Picture, tuple[int, int]]:
    """A photo as it is shown, small, and its true (width, height).

    Args:
        path: The photo.
        image_size: (height, width) of the model's images.

    Raises:
        InputError: It cannot be read.
    """
    from dragonnx.inversion.photo import load_photo

    picture = load_photo(path, image_size=image_size).picture
    size = picture.size
    picture.thumbnail((_SHOWN_SIDE, _SHOWN_SIDE))
    return np.asarray(picture), size


def shaded(picture: Picture, crop: Crop) -> Picture:
    """The photo with what lies outside of the box darkened."""
    scale = picture.shape[1] / crop.photo[0]
    left, top, right, bottom = (round(each * scale) for each in crop.box)
    dark = picture // 3
    dark[top:bottom, left:right] = picture[top:bottom, left:right]
    return dark
