"""What operators make whose outputs have the size that some of their inputs' values say.

Strangers' networks have them around coordinates, which a landmark's place is the mean of: grids that
are counted, spread and tiled. Sizes must be known before a run, as those of one picture are.
"""

from __future__ import annotations

import math

from dragonnx.errors import BundleError
from dragonnx.model.checking import rules
from dragonnx.model.checking.rules import MOST_VALUES, Attributes, Inputs, given
from dragonnx.model.checking.schema import FLOAT, INT64
from dragonnx.model.checking.tensor import Tensor, checked_shape, require

_LARGEST = 2**31
"""Of numbers that are counted: beyond it sums of them could leave 64 bits."""


def spread(inputs: Inputs, _attributes: Attributes, _count: int) -> list[Tensor]:
    """A tensor repeated along its axes of length 1, and new ones before them (Expand)."""
    x, asked = given(inputs[0]), checked_shape(whole_numbers(inputs[1]))
    return [Tensor(x.type, checked_shape(rules.broadcast(x, Tensor(INT64, asked))))]


def filled(inputs: Inputs, attributes: Attributes, _count: int) -> list[Tensor]:
    """One value everywhere (ConstantOfShape)."""
    shape = checked_shape(whole_numbers(inputs[0]))
    value = attributes.get("value", Tensor(FLOAT, (1,), (0.0,)))
    require(isinstance(value, Tensor) and value.size == 1, "a value that is none")
    size = math.prod(shape)
    values = value.values * size if value.values and size <= MOST_VALUES else None
    return [Tensor(value.type, shape, values)]


def counted(inputs: Inputs, _attributes: Attributes, _count: int) -> list[Tensor]:
    """Whole numbers in equal steps (Range)."""
    parts = [whole_numbers(tensor) for tensor in inputs]
    require([len(part) for part in parts] == [1, 1, 1], "a range of what are no three numbers")
    start, limit, step = (part[0] for part in parts)
    require(step != 0 and max(map(abs, (start, limit, step))) < _LARGEST, "a range without an end")
    numbers = range(start, limit, step)
    values = tuple(numbers) if len(numbers) <= MOST_VALUES else None
    return [Tensor(INT64, checked_shape((len(numbers),)), values)]


def tiled(inputs: Inputs, _attributes: Attributes, _count: int) -> list[Tensor]:
    """A tensor some times along each axis (Tile)."""
    x, times = given(inputs[0]), whole_numbers(inputs[1])
    require(len(times) == len(x.shape), "{} tiled {} times", x, list(times))
    shape = (length * n for length, n in zip(x.shape, times, strict=True))
    return [Tensor(x.type, checked_shape(shape))]


def place_of_largest(inputs: Inputs, attributes: Attributes, count: int) -> list[Tensor]:
    """The index along an axis (ArgMax, ArgMin)."""
    axis = Tensor(INT64, (1,), (attributes.get("axis", 0),))
    (found,) = rules.reduction([inputs[0], axis], attributes, count)
    return [Tensor(INT64, found.shape)]


def whole_numbers(tensor: Tensor | None) -> tuple[int, ...]:
    """The values of an input of whole numbers.

    Raises:
        BundleError: They are of another type, or known in a run alone.
    """
    found = given(tensor)
    if found.type != INT64 or found.values is None:
        raise BundleError("numbers that are known in a run alone")
    return tuple(map(int, found.values))
