"""How far a picture is turned and moved, by models that can show it so."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dragonnx.model.facts import LARGEST_SIDE
from dragonnx.reading.values import number, point, set_fields
from dragonnx.types import Float32

_MOST_DEGREES = 360.0


@dataclass(frozen=True)
class Motion:
    """A turn around the picture's middle, and a move after it.

    Attributes:
        rotation: In degrees, counterclockwise.
        translation: In pixels, to the right and down.

    Raises:
        InputError: A value is of another type or range.
    """

    rotation: float = 0.0
    translation: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        set_fields(
            self,
            rotation=number(self.rotation, "rotation", -_MOST_DEGREES, _MOST_DEGREES),
            translation=point(self.translation, "translation", float(LARGEST_SIDE)),
        )

    def vector(self, image_size: tuple[int, int]) -> Float32:
        """As graphs take it, [1, 4].

        That is the cosine and the sine of the angle by which x is turned towards y, and the move in
        widths and heights of an image [height, width].
        """
        height, width = image_size
        angle = -math.radians(self.rotation)
        x, y = self.translation
        return np.array([[math.cos(angle), math.sin(angle), x / width, y / height]], np.float32)

    def describe(self) -> str:
        """It in a few words."""
        x, y = self.translation
        turned = f"turned {self.rotation:g} degrees" if self.rotation else ""
        moved = f"moved {x:g},{y:g} px" if x or y else ""
        return ", ".join(filter(None, (turned, moved))) or "not turned"
