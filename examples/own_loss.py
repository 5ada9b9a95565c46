"""A loss of one's own in the search for a photo: `python own_loss.py photo.jpg [STEPS]`.

An image loss is any object that has a name, takes a target, and gives the distance of an image with its gradient.
This one compares mean colours in a grid of squares, so that a photo is found by its light before its edges.
"""

import sys

import numpy as np
from numpy.typing import NDArray

from dragonnx import CombinedLoss, Generator, InversionConfig, InversionSession, PyramidLoss

SQUARES = 8


class MeanColours:
    """The mean squared difference of the colours of SQUARES x SQUARES parts of an image."""

    name = "mean colours"

    def set_target(self, target: NDArray[np.float32]) -> None:
        """The image [1, C, H, W] of values from -1 to 1 that others are compared with."""
        self._target = self._means(target)

    def __call__(self, image: NDArray[np.float32]) -> tuple[float, NDArray[np.float32]]:
        """The distance of an image [1, C, H, W], and its gradient of the same shape."""
        difference = self._means(image) - self._target
        _, _, height, width = image.shape
        rows, columns = height // SQUARES, width // SQUARES
        slope = np.float32(2 / difference.size / (rows * columns)) * difference
        return float((difference**2).mean()), slope.repeat(rows, axis=2).repeat(columns, axis=3)

    def _means(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        n, c, height, width = image.shape
        squares = (n, c, SQUARES, height // SQUARES, SQUARES, width // SQUARES)
        means: NDArray[np.float32] = image.reshape(squares).mean(axis=(3, 5))
        return means


if __name__ == "__main__":
    photo = sys.argv[1] if len(sys.argv) > 1 else "photo.jpg"
    steps = int(sys.argv[2]) if len(sys.argv) > 2 else 500

    generator = Generator.open("critters")
    loss = CombinedLoss(PyramidLoss(), MeanColours(), weight=0.5)
    search = InversionSession(generator, photo, InversionConfig(steps=steps), loss=loss)
    for step in search:
        if step.number % 10 == 0:
            print(f"step {step.number}: {loss.name} is {step.loss:.4f}, {step.psnr:.1f} dB")
    generator.image(search.w_plus).save("found.png")
