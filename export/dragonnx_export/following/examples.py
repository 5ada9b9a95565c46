"""Examples of what tracking must find: a point's features in one picture of a drag, a region of another.

Pictures lie along drags, so that what is learned is what happens to features there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dragonnx.types import Float32, Points

AROUND = 2
"""Cells on each side of a cell that its description reads."""
REGION = 15
"""Cells along a side of the region that a point is looked for in."""
_OFF_CENTRE = 3
"""Cells, at most, that the point lies from the region's middle along each axis."""
_HELD = 2**30
"""Bytes of examples: of models with many channels there are fewer."""

Float16 = NDArray[np.float16]


@dataclass(frozen=True, eq=False)
class Followed:
    """Points that are followed through some pictures of one drag.

    Attributes:
        features: The feature maps, [pictures, C, h, w].
        points: Where each point is in each picture, in cells of the map, [pictures, n, 2].
        shares: Of the examples, how large a part each point is to have, [n].
    """

    features: Float32
    points: Points
    shares: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Examples:
    """What is learned from.

    Attributes:
        handles: Cells around a point, [n, C, 2 + 2 AROUND, 2 + 2 AROUND]: it lies between the middle ones.
        between: Where between them, (x, y) from 0 to 1, [n, 2].
        regions: Where it is looked for in another picture, [n, C, s, s], s = REGION + 2 AROUND.
        places: Where in it the point is, (x, y) in cells from the first one that is described, [n, 2].
    """

    handles: Float16
    between: Float32
    regions: Float16
    places: Float32

    def __len__(self) -> int:
        return len(self.handles)

    @classmethod
    def together(cls, parts: Sequence[Examples]) -> Examples:
        """The examples of several drags."""
        return cls(*(np.concatenate([getattr(e, name) for e in parts]) for name in _FIELDS))


_FIELDS = tuple(Examples.__dataclass_fields__)


def room_for(channels: int, wanted: int) -> int:
    """So many examples, or fewer where features have many channels."""
    cells = (2 + 2 * AROUND) ** 2 + (REGION + 2 * AROUND) ** 2
    return min(wanted, _HELD // (2 * channels * cells))


def drawn(followed: Followed, count: int, rng: np.random.Generator) -> Examples | None:
    """Examples of a drag: points of one of its pictures, mostly the first, in others.

    Args:
        followed: The drag.
        count: How many.
        rng: Chooses.

    Returns:
        As many as lie inside the map; None for none.
    """
    features, points = followed.features, followed.points
    last = np.array(features.shape[:1:-1]) - 1
    odds = followed.shares / followed.shares.sum()
    found = []
    for number in rng.choice(len(odds), count, p=odds):
        # Drags track what the first picture shows.
        here = 0 if rng.random() < 0.5 else int(rng.integers(len(features)))
        there = int(rng.integers(len(features)))
        point, place = points[here, number], points[there, number]
        if min(*point, *place) < 0 or (np.maximum(point, place) > last).any():
            continue
        cell = np.minimum(np.floor(point), last - 1).astype(int)
        middle = np.floor(place).astype(int) + rng.integers(-_OFF_CENTRE, _OFF_CENTRE + 1, 2)
        first = np.clip(middle - REGION // 2, 0, np.maximum(last + 1 - REGION, 0))
        found.append((
            _cut(features[here], cell, 2), point - cell, _cut(features[there], first, REGION),
            place - first,
        ))  # fmt: skip
    if not found:
        return None
    handles, between, regions, places = zip(*found, strict=True)
    return Examples(
        np.array(handles, np.float16),
        np.array(between, np.float32),
        np.array(regions, np.float16),
        np.array(places, np.float32),
    )


def _cut(features: Float32, first: NDArray[np.int_], side: int) -> Float32:
    """Cells (x, y) from the first on, with those around; beyond the map its border repeats."""
    columns, rows = (
        np.clip(np.arange(start - AROUND, start + side + AROUND), 0, length - 1)
        for start, length in zip(first, features.shape[:0:-1], strict=True)
    )
    return features[:, rows[:, None], columns]
