"""Pictures of one model, and coarse ones where the full one would keep a user waiting."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dragonnx.types import Picture

if TYPE_CHECKING:
    from dragonnx.model.generator import Generator

PREVIEW_SECONDS = 0.1
"""Between two pictures of running work at least; more where a picture takes long."""
SLOW_SECONDS = 0.1
"""A full picture that takes longer is preceded by a coarse one."""
_SLOW_SIZE = 256
"""Pixels: of larger pictures this is expected until one was timed."""


class Pictures:
    """Makes a generator's pictures and knows what they cost.

    Args:
        generator: Makes them.
    """

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self._made = 0
        self._cost = 0.0

    @property
    def are_slow(self) -> bool:
        """Whether a full picture keeps a user waiting, and a coarse one would not."""
        if not self._generator.manifest.has_preview:
            return False
        if self._made < 2:  # the first one also loads the graph
            return max(self._generator.manifest.image_size) > _SLOW_SIZE
        return self._cost > SLOW_SECONDS

    def full(self, w_plus: NDArray[np.float32]) -> Picture:
        """The picture."""
        began = time.perf_counter()
        picture = np.asarray(self._generator.image(w_plus).convert("RGB"))
        self._cost = time.perf_counter() - began
        self._made += 1
        return picture

    def coarse(self, w_plus: NDArray[np.float32]) -> Picture:
        """What the coarser blocks say of the picture, enlarged to its size."""
        height, width = self._generator.manifest.image_size
        preview = self._generator.preview(w_plus).convert("RGB")
        return np.asarray(preview.resize((width, height), Image.Resampling.BICUBIC))

    def quick(self, w_plus: NDArray[np.float32]) -> tuple[Picture, bool]:
        """A picture that comes soon, and whether it is a coarse one."""
        if self.are_slow:
            return self.coarse(w_plus), True
        return self.full(w_plus), False
