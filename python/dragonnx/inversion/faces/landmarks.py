"""Landmarks of a face: where they are in a photo, and files that say so.

Points are (x, y) in pixels of the photo as it is shown, after EXIF turned it; pixel centres are at
integers, so the middle of the first pixel is (0, 0).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from dragonnx.errors import InputError
from dragonnx.reading.foreign_kinds import JSON, TABLE, foreign_kind
from dragonnx.reading.json_text import parse_json
from dragonnx.reading.regular_file import read_bytes
from dragonnx.reading.values import shown
from dragonnx.types import Points

FEW, MANY = 5, 68
"""How many points there may be: those of detectors, and those of iBUG that dlib finds."""
MOST_FACES = 1000
"""Of a photo, that are told apart by number."""
_LARGEST_FILE = 2**20
_FARTHEST = 1e6
"""Pixels from a photo's corner: no photo that is read is larger."""
_LEAST_SLANT = 0.1
"""Sine between the line of the eyes and that to the mouth. In faces it is near 1."""
_NOSE = (-0.25, 1.25)
"""Where the nose of a face lies on the way from its eyes (0) to its mouth (1), at most."""
_KINDS = f"{FEW} (eyes, nose, corners of the mouth, each left one first) or the {MANY} of iBUG"
_SEPARATORS = re.compile(r"[\s,;]+")
_COUNT = re.compile(r"n_points\s*:\s*(\d{1,9})\b")
_HEADING = re.compile(r"[\"'\s]*x[\"'\s,;]+y[\"'\s]*", re.IGNORECASE)


class Face(NamedTuple):
    """What the alignment goes by, as float64 [2].

    Attributes:
        left_eye: Its centre; left is where it is seen when the face is upright.
        right_eye: Likewise.
        mouth: The middle between its corners.
    """

    left_eye: Points
    right_eye: Points
    mouth: Points


def checked_landmarks(landmarks: ArrayLike) -> Points:
    """Landmarks as float64 [5, 2] or [68, 2].

    Raises:
        InputError: They are as many as no known order has, or no pairs of numbers.
    """
    try:
        given = np.asarray(landmarks)
    except (TypeError, ValueError):
        given = np.empty(0, object)
    # True and False, texts that spell numbers and complex numbers would be cast, or cut, in silence.
    if given.dtype.kind not in "fiu" or given.ndim != 2 or given.shape[1] != 2:
        raise InputError(
            f"landmarks must be a list of points (x, y), {_KINDS}, not {shown(landmarks)}"
        )
    if len(given) not in (FEW, MANY):
        raise InputError(f"landmarks must be {_KINDS}, and {len(given)} came")
    points = np.array(given, np.float64)
    if not (np.abs(points) <= _FARTHEST).all():  # NaN is not, either
        raise InputError(f"landmarks must be numbers from {-_FARTHEST:.0f} to {_FARTHEST:.0f}")
    return points


def face_of(landmarks: ArrayLike) -> Face:
    """Eyes and mouth of landmarks.

    Eyes that were given the other way round, the subject's left one first, are exchanged: seen from
    the eyes, the mouth of an upright face lies below.

    Raises:
        InputError: They are not landmarks, eyes and mouth lie on one line, or, of five, the third is no
            nose.
    """
    points = checked_landmarks(landmarks)
    if len(points) == FEW:
        first, second, corners = points[0], points[1], points[3:5]
    else:
        first, second = points[36:42].mean(axis=0), points[42:48].mean(axis=0)
        corners = points[[48, 54]]
    mouth = corners.mean(axis=0)
    across, down = second - first, mouth - (first + second) / 2
    area = across[0] * down[1] - across[1] * down[0]
    if not abs(area) > _LEAST_SLANT * np.hypot(*across) * np.hypot(*down):
        raise InputError("landmarks are those of no face: eyes and mouth lie on one line")
    if len(points) == FEW:
        along = (points[2] - (first + second) / 2) @ down / (down @ down)
        if not _NOSE[0] <= along <= _NOSE[1]:
            raise InputError(
                "the third of five landmarks is no nose, between eyes and mouth: the order is left eye, "
                "right eye, nose, left and right corner of the mouth"
            )
    return Face(first, second, mouth) if area > 0 else Face(second, first, mouth)


def read_landmarks(path: str | os.PathLike[str]) -> Points:
    """Landmarks [5, 2] or [68, 2] from a file of any of three kinds, told by its content.

    JSON, a list of [x, y]; lines of x and y, parted by spaces, a comma or a semicolon, with a heading
    "x,y" or without; or a `.pts` file as iBUG writes them. Those count pixels from 1, as Matlab does;
    here too they become numbers from 0.

    Raises:
        InputError: The file cannot be read, or holds something else.
    """
    content = read_bytes(path, _LARGEST_FILE, "the file of landmarks")
    name = f"the file of landmarks {os.fspath(path)}"
    foreign = foreign_kind(content)
    if foreign is not None and foreign.kind not in (JSON, TABLE):
        raise InputError(
            f"{name} cannot be used: it is {foreign.kind}; {foreign.advice or f'give points, {_KINDS}'}"
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{name} holds no text") from error
    try:
        if text.lstrip().startswith(("[", "{")):
            return checked_landmarks(parse_json(text, "it"))
        lines = text.splitlines()
        if "n_points" in text.partition("{")[0]:
            inside = text.partition("{")[2].partition("}")[0].splitlines()
            return checked_landmarks(_as_many(list(_pairs(inside)), text)) - 1
        start = 1 if lines and _HEADING.fullmatch(lines[0]) else 0
        return checked_landmarks(list(_pairs(lines[start:])))
    except InputError as error:
        raise InputError(f"{name} cannot be used: {error}") from error


def _as_many(points: list[tuple[float, float]], text: str) -> list[tuple[float, float]]:
    """The points of a `.pts` file, which says how many there are."""
    stated = _COUNT.search(text)
    if stated is not None and int(stated[1]) != len(points):
        raise InputError(f"it says that it has {stated[1]} points, and {len(points)} came")
    return points


def _pairs(lines: list[str]) -> Iterator[tuple[float, float]]:
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            x, y = map(float, _SEPARATORS.split(line.strip()))
        except ValueError as error:
            raise InputError(f"a line must hold x and y, not {shown(line)}") from error
        yield x, y
