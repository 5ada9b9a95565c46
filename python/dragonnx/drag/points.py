"""Handle points and target points: pairs of (x, y) in image pixels, pixel centres at integers."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dragonnx.errors import InputError
from dragonnx.model.facts import LARGEST_SIDE
from dragonnx.reading.array_values import as_array
from dragonnx.reading.values import shown
from dragonnx.types import Points

FARTHEST = 2.0 * LARGEST_SIDE
"""Pixels from the image's corner, along each side: beyond every image."""


def checked_points(points: ArrayLike, image_size: tuple[int, int], word: str) -> Points:
    """Points as float64 [n, 2], each inside the image.

    Args:
        points: n pairs (x, y).
        image_size: (height, width) in pixels.
        word: What the points are, for messages: "handle point" or "target point".

    Raises:
        InputError: There is none, one is no pair of finite numbers, or one lies outside.
    """
    try:
        given = as_array(points, f"{word}s")
    except InputError as error:
        raise _no_pairs(points, word) from error
    if given.size == 0:
        raise InputError(f"at least one {word} must be given")
    # True and False, texts that spell numbers and complex numbers would be cast, or cut, in silence.
    if given.dtype.kind not in "fiu" or given.ndim != 2 or given.shape[1] != 2:
        raise _no_pairs(points, word)
    array = np.array(given, np.float64)
    height, width = image_size
    for x, y in array:
        if not (0 <= x <= width - 1 and 0 <= y <= height - 1):  # also catches NaN
            raise InputError(
                f"the {word} ({x:g}, {y:g}) lies outside the image: x must be from 0 to "
                f"{width - 1}, y from 0 to {height - 1}"
            )
    return array


def _no_pairs(points: object, word: str) -> InputError:
    return InputError(
        f"each {word} must be a pair of numbers (x, y), as in [(60, 80)], not {shown(points)}"
    )


def checked_pairs(
    handle_points: ArrayLike, target_points: ArrayLike, image_size: tuple[int, int]
) -> tuple[Points, Points]:
    """Handle points and target points as float64 [n, 2] each.

    Raises:
        InputError: A point is unusable, or a handle lacks its target.
    """
    handles = checked_points(handle_points, image_size, "handle point")
    targets = checked_points(target_points, image_size, "target point")
    if len(handles) != len(targets):
        raise InputError(
            f"each handle point needs one target point: {len(handles)} handle points and "
            f"{len(targets)} target points came"
        )
    return handles, targets


def distances(handles: Points, targets: Points) -> NDArray[np.float64]:
    """How far each handle [n, 2] is from its target, in pixels, [n]."""
    return np.asarray(np.hypot(*(targets - handles).T), np.float64)
