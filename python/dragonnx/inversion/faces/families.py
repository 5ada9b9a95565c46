"""The networks that find faces with five landmarks, told by what they give, and how that is read.

YuNet, as OpenCV's zoo has it since 2023 (`face_detect.cpp` of OpenCV reads it): colours from 0 to 255,
blue first; of each cell of 8, 16 and 32 pixels a class, an objectness, a box and points, from the cell's
corner in sides of the cell, the box's size as a logarithm.

SCRFD and RetinaFace of InsightFace (`scrfd.py`, `retinaface.py` of its package): colours about from -1 to
1, red first; two faces of each cell of 8, 16 and 32 pixels, or one of 8 to 128, with a score, and box and
points as distances from the cell's corner in sides of the cell.

Both give left eye, right eye, nose, left and right corner of the mouth, left as it is seen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dragonnx.errors import InputError
from dragonnx.types import Float32, Float64

Shapes = Mapping[str, tuple[int, ...]]
Outputs = Mapping[str, Float32]

KNOWN = "YuNet of OpenCV's zoo (of 2023 or later) and SCRFD or RetinaFace of InsightFace with landmarks are"
_LARGEST_LOGARITHM = 10.0
"""Of a box's side in cells: far beyond any picture."""
_YUNET = re.compile(r"(cls|obj|bbox|kps)_(\d+)")
_YUNET_STRIDES = (8, 16, 32)
_STRIDES = {3: (8, 16, 32), 5: (8, 16, 32, 64, 128)}
"""Of InsightFace's networks, by how many levels they have."""
_SCORE, _BOX, _POINTS = 1, 4, 10
"""Numbers for each face."""


class Candidates(NamedTuple):
    """What may be faces, in pixels of the picture that the network was given.

    Attributes:
        scores: [n], 0 to 1.
        boxes: Left, top, right, bottom, [n, 4].
        points: Landmarks, [n, 5, 2].
    """

    scores: Float64
    boxes: Float64
    points: Float64


class Level(NamedTuple):
    """What a network says of cells of one size.

    Attributes:
        stride: The cell's side in pixels.
        outputs: The names of the scores, of boxes, and of points; YuNet has two scores.
    """

    stride: int
    outputs: Sequence[str]


@dataclass(frozen=True)
class Family:
    """How a network of one kind is asked and understood.

    Attributes:
        name: Its.
        threshold: Scores from here on are faces: what its own programs take.
        levels: One for each size of cells.
        is_yunet: Whether it is YuNet, else it is one of InsightFace's.
    """

    name: str
    threshold: float
    levels: Sequence[Level]
    is_yunet: bool

    def prepared(self, pixels: NDArray[np.uint8]) -> Float32:
        """A picture [height, width, 3] as the network wants it, [1, 3, height, width]."""
        planes = pixels.transpose(2, 0, 1)[None].astype(np.float32)
        if self.is_yunet:
            return np.ascontiguousarray(planes[:, ::-1])
        return (planes - np.float32(127.5)) / np.float32(128)

    def found(self, outputs: Outputs, size: tuple[int, int]) -> Candidates:
        """Faces by what the network gave for a picture of that (height, width); some more than once."""
        scores, boxes, points = [], [], []
        for level in self.levels:
            *likely, box, five = (
                np.asarray(outputs[name], np.float64).reshape(-1, count)
                for name, count in zip(level.outputs, self._counts, strict=True)
            )
            score = np.clip(np.concatenate(likely, axis=1), 0, 1)
            score = np.sqrt(score.prod(axis=1)) if self.is_yunet else score[:, 0]
            corners = _cells(size, level.stride, len(score))
            box, five = self._placed(box, five.reshape(-1, 5, 2), corners)
            kept = score >= self.threshold
            scores.append(score[kept])
            boxes.append(box[kept] * level.stride)
            points.append(five[kept] * level.stride)
        together = Candidates(*map(np.concatenate, (scores, boxes, points)))
        sound = np.isfinite(together.boxes).all(axis=1) & np.isfinite(together.points).all((1, 2))
        return Candidates(*(each[sound] for each in together))

    @property
    def _counts(self) -> Sequence[int]:
        return (*[_SCORE] * (1 + self.is_yunet), _BOX, _POINTS)

    def _placed(self, box: Float64, five: Float64, corners: Float64) -> tuple[Float64, Float64]:
        """Boxes and points in cells."""
        points = five + corners[:, None]
        if not self.is_yunet:
            return np.concatenate([corners - box[:, :2], corners + box[:, 2:]], axis=1), points
        middle = corners + box[:, :2]
        half = np.exp(np.minimum(box[:, 2:], _LARGEST_LOGARITHM)) / 2
        return np.concatenate([middle - half, middle + half], axis=1), points


def family_of(outputs: Shapes, size: tuple[int, int]) -> Family:
    """The family of a network.

    Args:
        outputs: The shapes of what it gives, by name.
        size: (height, width) of the picture that it gives them for.

    Raises:
        InputError: It is of none that is known.
    """
    if any(_YUNET.fullmatch(name) for name in outputs):
        levels = [
            Level(stride, [f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps")])
            for stride in _YUNET_STRIDES
        ]
        family = Family("YuNet", 0.6, levels, True)
    else:
        groups = [_of_length(outputs, count) for count in (_SCORE, _BOX, _POINTS)]
        strides = _STRIDES.get(len(groups[0]), ())
        if strides and len(groups[1]) == len(strides) and not groups[2]:
            raise InputError(
                "it finds faces without their landmarks: take one with five points, such as those "
                "whose names have kps"
            )
        lengths = {len(each) for each in (strides, *groups)}
        if not strides or len(lengths) > 1 or sum(map(len, groups)) != len(outputs):
            raise InputError(f"it is no detector of faces that is known: {KNOWN}")
        names = zip(*groups, strict=True)
        levels = [Level(stride, each) for stride, each in zip(strides, names, strict=True)]
        family = Family("SCRFD or RetinaFace", 0.5, levels, False)
    for level in family.levels:
        _check(level, family._counts, outputs, size)
    return family


def _check(level: Level, counts: Sequence[int], outputs: Shapes, size: tuple[int, int]) -> None:
    """Refuse outputs that are not as many as there are cells."""
    lengths = set()
    for name, count in zip(level.outputs, counts, strict=True):
        shape = outputs.get(name, ())
        total = int(np.prod(shape)) if shape else 0
        lengths.add(total // count if total and total % count == 0 and shape[-1] == count else 0)
    cells = _grid(size, level.stride)
    found = lengths.pop()
    if lengths or found == 0 or found % (cells[0] * cells[1]):
        raise InputError(
            f"what it gives for cells of {level.stride} pixels is not what such detectors give: {KNOWN}"
        )


def _of_length(outputs: Shapes, count: int) -> list[str]:
    """The outputs of so many numbers for each face, those of most faces first."""
    names = [name for name, shape in outputs.items() if shape and shape[-1] == count]
    return sorted(names, key=lambda name: -int(np.prod(outputs[name])))


def _grid(size: tuple[int, int], stride: int) -> tuple[int, int]:
    """Rows and columns of cells."""
    height, width = (max(1, -(-length // stride)) for length in size)
    return height, width


def _cells(size: tuple[int, int], stride: int, count: int) -> Float64:
    """The column and row of the cell of each of so many faces, [count, 2]; row by row."""
    rows, columns = _grid(size, stride)
    row, column = np.divmod(np.arange(rows * columns, dtype=np.float64), columns)
    return np.stack([column, row], axis=1).repeat(count // (rows * columns), axis=0)
