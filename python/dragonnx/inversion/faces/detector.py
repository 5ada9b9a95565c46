"""Finding faces and their landmarks in a photo, by a network that the user has.

None comes with dragonnx, and none is ever fetched. The file is a stranger's and is looked through before
ONNX Runtime sees it.
"""

from __future__ import annotations

import os
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dragonnx.errors import BundleError, InputError
from dragonnx.inversion.faces.families import Candidates, Family, family_of
from dragonnx.inversion.photo import Photo, photo_of
from dragonnx.model.foreign_network import ForeignNetwork
from dragonnx.paths import as_path
from dragonnx.reading.pictures import PictureSource
from dragonnx.runtime import Graph, checked_threads
from dragonnx.types import Float64, Points

_SIDE = 640
"""Pixels of what a network is given that takes any size: what both families are used with."""
_SCALES = (1.0, 0.5, 0.25)
"""Of the photo in that picture. They were trained on faces of up to half of it, so a face that fills the
photo is found when the photo is drawn smaller."""
_OVERLAP = 0.4
"""Boxes that share more of what both cover are the same face."""
_MOST = 1000
"""Candidates that are compared."""


class FoundFace(NamedTuple):
    """A face in a photo, in its pixels; pixel centres are at integers.

    Attributes:
        landmarks: Left eye, right eye, nose, left and right corner of the mouth, [5, 2].
        box: Left, top, right, bottom.
        score: How sure the network is, 0 to 1.
    """

    landmarks: Points
    box: tuple[float, float, float, float]
    score: float

    @property
    def width(self) -> float:
        """Of the box, in pixels."""
        return self.box[2] - self.box[0]


class FaceDetector:
    """Finds faces. Use `FaceDetector.open`."""

    def __init__(
        self, graph: Graph, family: Family, input_name: str, size: tuple[int, int]
    ) -> None:
        self._graph = graph
        self._family = family
        self._input = input_name
        self._size = size

    @classmethod
    def open(cls, path: str | os.PathLike[str], threads: int | None = None) -> Self:
        """Look through a network's file and load it, on the CPU.

        Args:
            path: An ONNX file: YuNet of OpenCV's zoo, or SCRFD or RetinaFace of InsightFace.
            threads: CPU threads; None leaves it to ONNX Runtime.

        Raises:
            InputError: The file cannot be read, is no such network, or may not be run.
            DeviceError: ONNX Runtime is not installed.
        """
        file = as_path(path)
        threads = checked_threads(threads)
        network = ForeignNetwork.read(file, "the face model", (_SIDE, _SIDE))
        found = network.facts
        try:
            family = family_of(found.outputs, found.image_size)
        except InputError as error:
            raise InputError(f"{network.name} cannot be used: {error}") from error
        return cls(network.load(threads), family, found.input, found.image_size)

    @property
    def family(self) -> str:
        """What kind of network it is."""
        return self._family.name

    def faces(self, photo: Photo | PictureSource) -> list[FoundFace]:
        """All faces that are found in a photo, the largest first.

        Raises:
            InputError: The photo cannot be read, or the network failed.
        """
        photo = photo_of(photo)
        for scale in _SCALES:
            if found := self._faces(photo.picture, scale):
                return sorted(found, key=lambda face: -face.width)
        return []

    def _faces(self, picture: Image.Image, scale: float) -> list[FoundFace]:
        height, width = self._size
        fit = min(width / picture.width, height / picture.height) * scale
        size = max(1, int(picture.width * fit)), max(1, int(picture.height * fit))
        pixels = np.zeros((height, width, 3), np.uint8)
        drawn = picture.resize(size, Image.Resampling.BILINEAR)
        pixels[: size[1], : size[0]] = np.asarray(drawn)
        try:
            outputs, _ = self._graph.run({self._input: self._family.prepared(pixels)})
        except BundleError as error:
            reason = " ".join(str(error.__cause__).split())[:300]
            raise InputError(f"the face model failed in a run ({reason})") from error
        candidates = self._family.found(outputs, self._size)
        # Half a pixel in is the middle of the first one, here and there.
        ratio = np.array(picture.size) / size
        points = (candidates.points + 0.5) * ratio - 0.5
        boxes = ((candidates.boxes.reshape(-1, 2, 2) + 0.5) * ratio - 0.5).reshape(-1, 4)
        return [
            FoundFace(points[at], tuple(boxes[at].tolist()), float(candidates.scores[at]))
            for at in _best(candidates)
        ]


def _best(candidates: Candidates) -> list[int]:
    """One of those that are the same face each, the surest first."""
    order = np.argsort(-candidates.scores, kind="stable")[:_MOST]
    kept: list[int] = []
    while order.size:
        best, rest = int(order[0]), order[1:]
        kept.append(best)
        order = rest[_overlap(candidates.boxes[best], candidates.boxes[rest]) <= _OVERLAP]
    return kept


def _overlap(box: Float64, others: Float64) -> NDArray[np.float64]:
    """What each of the others [n, 4] shares with a box [4], over what both cover."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    shared = np.maximum(high - low, 0).prod(axis=1)
    areas = [np.maximum(each[..., 2:] - each[..., :2], 0).prod(axis=-1) for each in (box, others)]
    return np.asarray(shared / np.maximum(areas[0] + areas[1] - shared, 1e-9))
