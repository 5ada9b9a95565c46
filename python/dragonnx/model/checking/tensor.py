"""What is known of a tensor before its graph runs: type, shape, and how it was made."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from dragonnx.errors import BundleError
from dragonnx.model.checking.schema import BOOL, FLOAT, INT64, TYPE_NAMES, UINT8
from dragonnx.reading.values import shown

_BYTES = {FLOAT: 4, UINT8: 1, INT64: 8, BOOL: 1}
_MOST_AXES = 6


class Tensor(NamedTuple):
    """A tensor as it comes in a run with inputs of certain sizes.

    Attributes:
        type: Of its elements, as ONNX numbers them.
        shape: Every axis's length.
        values: Of a few numbers that say what other nodes do, such as a shape; else None.
        is_constant: Whether no input of the graph has a part in it: ONNX Runtime may compute it while
            it loads the graph.
    """

    type: int
    shape: tuple[int, ...]
    values: tuple[float, ...] | None = None
    is_constant: bool = False

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """What it takes in memory."""
        return self.size * _BYTES[self.type]

    def __str__(self) -> str:
        return f"{TYPE_NAMES[self.type]} {list(self.shape)}"


def require(fact: bool, reason: str, *parts: object) -> None:
    """Refuse a graph where a fact is none.

    Args:
        fact: It.
        reason: The message, with `{}` for each part: thousands of facts hold for one that does not.
        parts: Texts and lists are from a file, and shown as such, cut where they are long.

    Raises:
        BundleError: The fact is none.
    """
    if not fact:
        told = (shown(part) if isinstance(part, str | list) else part for part in parts)
        raise BundleError(reason.format(*told))


def checked_shape(dims: Iterable[int]) -> tuple[int, ...]:
    """The shape of a tensor that holds something.

    Raises:
        BundleError: It has too many axes, or an empty one.
    """
    shape = tuple(dims)
    require(len(shape) <= _MOST_AXES, "a tensor of {} axes", len(shape))
    require(min(shape, default=1) >= 1, "a tensor of the shape {}", list(shape))
    return shape
