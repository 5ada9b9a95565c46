"""Who says where landmarks are: an estimator that sees the picture alone, never the drag's tracking."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from PIL import Image

from dragonnx.errors import InputError
from dragonnx.reading.regular_file import sha256_of
from dragonnx.runtime import CPU, Device, Graph
from dragonnx.types import Float32, Points

_INPUT, _OUTPUT = "image", "points"


class Judge:
    """Finds landmarks with a graph, and takes every place for one where they can be.

    Who knows more of a model's pictures says so in a subclass.

    Attributes:
        sha256: Of the file.

    Args:
        path: An .onnx file: input `image`, float32 [N, 3, h, w] from -1 to 1, output `points`,
            float32 [N, landmarks, 2], (x, y) in the input's pixels. Where it says what h and w are,
            pictures of other sizes are resized for it.

    Raises:
        BundleError: ONNX Runtime cannot load the file.
        InputError: Its input or output is another.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise InputError(f"there is no file {path} of a landmark estimator")
        with path.open("rb") as file:
            self.sha256 = sha256_of(file)
        self._graph = Graph(path, Device(CPU))
        names = self._graph.input_names, self._graph.output_names
        if names != ((_INPUT,), (_OUTPUT,)):
            raise InputError(
                f"{path} is no landmark estimator: its input must be {_INPUT}, float32 [N, 3, h, w], "
                f"and its output {_OUTPUT}, float32 [N, landmarks, 2]"
            )
        (image,) = onnx.load(path).graph.input
        sides = [side.dim_value for side in image.type.tensor_type.shape.dim[2:]]
        self._size: tuple[int, int] | None = (
            (sides[0], sides[1]) if len(sides) == 2 and all(sides) else None
        )

    def places(self, picture: Image.Image) -> Points:
        """Where the landmarks of a picture are, (x, y) in its pixels, [landmarks, 2]."""
        height, width = self._size or (picture.height, picture.width)
        seen = picture.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
        pixels = np.asarray(seen, np.float32)
        found = self.found(np.ascontiguousarray(pixels.transpose(2, 0, 1)[None] / 127.5 - 1))
        scale = np.array([picture.width / width, picture.height / height])
        # Pixel centres are at integers, so the first pixel's side is half a pixel before 0.
        return np.asarray((found + 0.5) * scale - 0.5, np.float64)

    def found(self, image: Float32) -> Points:
        """Where those of an image [1, 3, h, w] in -1 to 1 are, in its pixels."""
        return np.asarray(self._graph.run({_INPUT: image})[0][_OUTPUT][0], np.float64)

    def singly(self, count: int) -> Sequence[int]:
        """Which of so many landmarks are dragged one at a time."""
        return range(count)

    def is_feasible(self, places: Points, indices: NDArray[np.int_], targets: Points) -> bool:
        """Whether these landmarks of the picture with landmarks at `places` can be at targets.

        Args:
            places: [landmarks, 2].
            indices: Which of them are dragged, [n].
            targets: Where to, [n, 2].
        """
        del places, indices, targets
        return True
