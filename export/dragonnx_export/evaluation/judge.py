"""Who says where landmarks are: an estimator that sees the picture alone, never the drag's tracking."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dragonnx.errors import InputError
from dragonnx.model.foreign_network import ForeignNetwork
from dragonnx.model.generator import Generator
from dragonnx.types import Float32, Points
from dragonnx_export.evaluation.correspondences import mutual_nearest

_INPUT, _OUTPUT = "image", "points"
_SIDE = 256


class Judge:
    """Finds landmarks with a graph, and takes every place for one where they can be.

    Who knows more of a model's pictures says so in a subclass.

    Attributes:
        sha256: Of the file.

    Args:
        path: An .onnx file: input `image`, float32 [N, 3, h, w] from -1 to 1, output `points`,
            float32 [N, landmarks, 2], (x, y) in the input's pixels. Pictures are resized to what it
            says h and w are, and to 256 where it leaves them open. It is looked through before it is
            loaded.

    Raises:
        InputError: It cannot be read, is no network of pictures, may not be run, or its input or
            output is another.
    """

    def __init__(self, path: Path) -> None:
        network = ForeignNetwork.read(path, "the landmark estimator", (_SIDE, _SIDE))
        found = network.facts
        shape = found.outputs.get(_OUTPUT, ())
        if (found.input, [*found.outputs]) != (_INPUT, [_OUTPUT]) or shape != (1, *shape[1:2], 2):
            raise InputError(
                f"{path} is no landmark estimator: its input must be {_INPUT}, float32 [N, 3, h, w], "
                f"and its output {_OUTPUT}, float32 [N, landmarks, 2]"
            )
        self.sha256 = sha256(network.content).hexdigest()
        self._size = found.image_size
        self._graph = network.load()

    def places(self, picture: Image.Image) -> Points:
        """Where the landmarks of a picture are, (x, y) in its pixels, [landmarks, 2]."""
        height, width = self._size
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

    def is_feasible(
        self, places: Points, indices: NDArray[np.int_], targets: Points, side: int
    ) -> bool:
        """Whether these landmarks of the picture with landmarks at `places` can be at targets.

        Args:
            places: [landmarks, 2].
            indices: Which of them are dragged, [n].
            targets: Where to, [n, 2].
            side: Of the picture, its height in pixels.
        """
        del places, indices, targets, side
        return True

    def correspondences(
        self,
        generator: Generator,
        latents: tuple[Float32, Float32],
        places: tuple[Points, Points],
        count: int,
        rng: np.random.Generator,
    ) -> tuple[Points, Points]:
        """Points that two pictures show: their mutual nearest features, see `mutual_nearest`.

        Args:
            generator: The model.
            latents: Of the pictures, [1, num_ws, w_dim] each.
            places: Where all landmarks are in each.
            count: How many points.
            rng: Chooses among them.
        """
        del places
        return mutual_nearest(generator, *latents, count, rng)
