"""An image of the generator as a picture of 8 bits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dragonnx.types import Float32, UInt8

if TYPE_CHECKING:
    from PIL.Image import Image


def picture_of(image: Float32 | UInt8) -> Image:
    """A picture of 8 bits.

    Args:
        image: [1, image_channels, H, W], about -1 to 1, or [1, H, W, image_channels] of 8 bits.
    """
    from PIL import Image  # a drag without pictures does not need it

    colours = image[0]
    if colours.dtype != np.uint8:
        colours = np.rint((colours.transpose(1, 2, 0) + 1) * 127.5).clip(0, 255).astype(np.uint8)
    return Image.fromarray(colours[:, :, 0] if colours.shape[2] == 1 else colours)
