"""What an operator makes of its inputs: type and shape, as ONNX's specification says.

A rule takes the inputs (None where one is left out), the attributes, and how many outputs are asked for;
it gives the outputs, without saying whether they are constant. It refuses whatever would fail in a run.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from dragonnx.errors import BundleError
from dragonnx.model.checking.schema import BOOL, FLOAT, INT64, TYPE_NAMES
from dragonnx.model.checking.tensor import Tensor, checked_shape, require

Inputs: TypeAlias = "Sequence[Tensor | None]"
Attributes: TypeAlias = "Mapping[str, Any]"
Rule: TypeAlias = "Callable[[Inputs, Attributes, int], Sequence[Tensor]]"

MOST_VALUES = 16
"""Numbers that are followed from node to node."""


def elementwise(inputs: Inputs, _attributes: Attributes, _count: int) -> list[Tensor]:
    """One value from one, such as a square root."""
    return [Tensor(FLOAT, floats(inputs[0]).shape)]


def identity(inputs: Inputs, _attributes: Attributes, _count: int) -> list[Tensor]:
    """The same again."""
    return [given(inputs[0])]


def clip(inputs: Inputs, _attributes: Attributes, _count: int) -> list[Tensor]:
    """Values within bounds that are scalars."""
    for bound in inputs[1:]:
        require(bound is None or floats(bound).shape == (), "bounds that are no single numbers")
    return [Tensor(FLOAT, floats(inputs[0]).shape)]


def cast(inputs: Inputs, attributes: Attributes, _count: int) -> list[Tensor]:
    """Values of another type."""
    require(attributes.get("to") in TYPE_NAMES, "a type that no graph of dragonnx has")
    return [Tensor(attributes["to"], given(inputs[0]).shape)]


def arithmetic(inputs: Inputs, _attributes: Attributes, _count: int) -> list[Tensor]:
    """Sum, difference, product of two."""
    one, other = _alike(inputs, (FLOAT, INT64))
    return [Tensor(one.type, broadcast(one, other))]


def difference(inputs: Inputs, attributes: Attributes, count: int) -> list[Tensor]:
    """Of two; of a few known numbers it is known."""
    (found,) = arithmetic(inputs, attributes, count)
    one, other = map(given, inputs)
    if one.values is None or other.values is None or one.shape != other.shape:
        return [found]
    values = tuple(a - b for a, b in zip(one.values, other.values, strict=True))
    return [Tensor(found.type, found.shape, values)]


def quotient(inputs: Inputs, _attributes: Attributes, _count: int) -> list[Tensor]:
    """Of floats alone: whole numbers over zero end the process."""
    one, other = _alike(inputs, (FLOAT,))
    return [Tensor(FLOAT, broadcast(one, other))]


def comparison(inputs: Inputs, _attributes: Attributes, _count: int) -> list[Tensor]:
    """Of two, as truth values."""
    return [Tensor(BOOL, broadcast(*_alike(inputs, (FLOAT, INT64))))]


def conjunction(inputs: Inputs, _attributes: Attributes, _count: int) -> list[Tensor]:
    """Of truth values."""
    return [Tensor(BOOL, broadcast(*_alike(inputs, (BOOL,))))]


def choice(inputs: Inputs, _attributes: Attributes, _count: int) -> list[Tensor]:
    """One of two by a truth value."""
    condition = given(inputs[0])
    require(condition.type == BOOL, "a condition that is no truth value")
    one, other = _alike(inputs[1:], (FLOAT, INT64))
    return [Tensor(one.type, broadcast(condition, one, other))]


def matrix_product(inputs: Inputs, _attributes: Attributes, _count: int) -> list[Tensor]:
    """[..., m, k] times [..., k, n]."""
    one, other = _alike(inputs, (FLOAT,))
    require(min(len(one.shape), len(other.shape)) >= 2, "a product of what is no matrix")
    require(one.shape[-1] == other.shape[-2], "a product of {} and {}", one, other)
    stacks = (Tensor(FLOAT, tensor.shape[:-2]) for tensor in (one, other))
    return [Tensor(FLOAT, (*broadcast(*stacks), one.shape[-2], other.shape[-1]))]


def linear(inputs: Inputs, attributes: Attributes, _count: int) -> list[Tensor]:
    """[m, k] times weights, and a bias."""
    x, weight = floats(inputs[0]), floats(inputs[1])
    require(len(x.shape) == len(weight.shape) == 2, "a product of what is no matrix")
    width, outputs = weight.shape[::-1] if attributes.get("transB") else weight.shape
    require(x.shape[1] == width, "a product of {} and {}", x, weight)
    result = x.shape[0], outputs
    if len(inputs) > 2:
        bias = floats(inputs[2])
        require(broadcast(bias, Tensor(FLOAT, result)) == result, "a bias {}", bias)
    return [Tensor(FLOAT, result)]


def gather(inputs: Inputs, attributes: Attributes, _count: int) -> list[Tensor]:
    """Slices of the first by the indices that are the second."""
    data, indices = given(inputs[0]), given(inputs[1])
    require(indices.type == INT64, "indices that are no whole numbers")
    axis = _axis(attributes.get("axis", 0), len(data.shape))
    shape = (*data.shape[:axis], *indices.shape, *data.shape[axis + 1 :])
    return [Tensor(data.type, checked_shape(shape))]


def concatenation(inputs: Inputs, attributes: Attributes, _count: int) -> list[Tensor]:
    """Tensors one after the other along an axis."""
    parts = [given(part) for part in inputs]
    first = parts[0]
    axis = _axis(attributes.get("axis"), len(first.shape))
    for part in parts[1:]:
        fits = (
            part.type == first.type
            and len(part.shape) == len(first.shape)
            and _without(part.shape, axis) == _without(first.shape, axis)
        )
        require(fits, "{} and {} one after the other", first, part)
    shape = list(first.shape)
    shape[axis] = sum(part.shape[axis] for part in parts)
    return [Tensor(first.type, tuple(shape), _joined(parts))]


def split(inputs: Inputs, attributes: Attributes, count: int) -> list[Tensor]:
    """Equal parts along an axis."""
    x = given(inputs[0])
    axis = _axis(attributes.get("axis", 0), len(x.shape))
    parts = attributes.get("num_outputs")
    require(parts == count and x.shape[axis] % count == 0, "{} in {} equal parts", x, count)
    shape = list(x.shape)
    shape[axis] //= count
    return [Tensor(x.type, checked_shape(shape))] * count


def transposition(inputs: Inputs, attributes: Attributes, _count: int) -> list[Tensor]:
    """The axes in another order."""
    x, order = given(inputs[0]), attributes.get("perm", ())
    require(sorted(order) == list(range(len(x.shape))), "an order of axes that is none")
    return [Tensor(x.type, tuple(x.shape[axis] for axis in order))]


def reshaping(inputs: Inputs, _attributes: Attributes, _count: int) -> list[Tensor]:
    """Another shape: 0 keeps an axis, -1 is what the others leave."""
    x, asked = given(inputs[0]), _known(inputs[1])
    require(len(asked) <= len(x.shape) or 0 not in asked[len(x.shape) :], "a shape that is none")
    shape = [x.shape[axis] if length == 0 else length for axis, length in enumerate(asked)]
    if shape.count(-1) == 1:
        known = math.prod(length for length in shape if length != -1)
        shape[shape.index(-1)] = x.size // known if known > 0 else 0
    require(math.prod(shape) == x.size, "{} in the shape {}", x, list(asked))
    return [Tensor(x.type, checked_shape(shape))]


def unsqueezing(inputs: Inputs, _attributes: Attributes, _count: int) -> list[Tensor]:
    """Further axes of length one."""
    x, asked = given(inputs[0]), _known(inputs[1])
    rank = len(x.shape) + len(asked)
    axes = {_axis(axis, rank) for axis in asked}
    require(len(axes) == len(asked), "an axis twice")
    lengths = iter(x.shape)
    shape = [1 if axis in axes else next(lengths) for axis in range(rank)]
    return [Tensor(x.type, checked_shape(shape))]


def reduction(inputs: Inputs, attributes: Attributes, _count: int) -> list[Tensor]:
    """Sum or mean over some axes."""
    x = floats(inputs[0])
    axes = {_axis(axis, len(x.shape)) for axis in _known(inputs[1])}
    require(len(axes) > 0, "a sum over no axis")
    kept = attributes.get("keepdims", 1)
    shape = [1 if at in axes else length for at, length in enumerate(x.shape)]
    if not kept:
        shape = [length for at, length in enumerate(shape) if at not in axes]
    return [Tensor(FLOAT, tuple(shape))]


def slicing(inputs: Inputs, _attributes: Attributes, _count: int) -> list[Tensor]:
    """Parts along some axes, from start to end in steps."""
    x = given(inputs[0])
    starts, ends, axes = (_known(inputs[at]) for at in (1, 2, 3))
    steps = _known(inputs[4]) if len(inputs) > 4 else (1,) * len(axes)
    require(len(starts) == len(ends) == len(axes) == len(steps), "parts that are none")
    require(0 not in steps and len(set(axes)) == len(axes), "parts that are none")
    shape = list(x.shape)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        along = _axis(axis, len(shape))
        shape[along] = len(range(*slice(start, end, step).indices(shape[along])))
    return [Tensor(x.type, checked_shape(shape))]


def padding(inputs: Inputs, _attributes: Attributes, _count: int) -> list[Tensor]:
    """Zeros around."""
    x, pads = floats(inputs[0]), _known(inputs[1])
    rank = len(x.shape)
    require(len(pads) == 2 * rank and min(pads) >= 0, "a border that is none")
    shape = [length + pads[at] + pads[rank + at] for at, length in enumerate(x.shape)]
    return [Tensor(FLOAT, checked_shape(shape))]


def resizing(inputs: Inputs, attributes: Attributes, _count: int) -> list[Tensor]:
    """Each cell of maps [n, C, h, w] as several equal ones."""
    x = floats(inputs[0])
    require(inputs[1] is None and inputs[2] is not None, "a size that is given by no factors")
    factors = given(inputs[2]).values or ()
    require(len(x.shape) == len(factors) == 4, "factors that are none")
    require(all(f == int(f) >= 1 for f in factors), "factors that are no whole numbers")
    asked = [
        attributes.get(name) for name in ("mode", "nearest_mode", "coordinate_transformation_mode")
    ]
    require(asked == [b"nearest", b"floor", b"asymmetric"], "a way of resizing that is not known")
    shape = [length * int(f) for length, f in zip(x.shape, factors, strict=True)]
    return [Tensor(FLOAT, checked_shape(shape))]


def shape_of(inputs: Inputs, attributes: Attributes, _count: int) -> list[Tensor]:
    """The lengths of the axes, from one on."""
    shape = given(inputs[0]).shape
    start = _axis(attributes.get("start", 0), len(shape))
    return [Tensor(INT64, (len(shape) - start,), shape[start:])]


def size_of(inputs: Inputs, _attributes: Attributes, _count: int) -> list[Tensor]:
    """The number of elements."""
    given(inputs[0])
    return [Tensor(INT64, ())]


def given(tensor: Tensor | None) -> Tensor:
    """An input that is not left out."""
    if tensor is None:
        raise BundleError("an input is left out")
    return tensor


def floats(tensor: Tensor | None) -> Tensor:
    """An input of float32."""
    found = given(tensor)
    require(found.type == FLOAT, "an input {} that must be float32", found)
    return found


def _known(tensor: Tensor | None) -> tuple[int, ...]:
    """The values of a list of whole numbers."""
    found = given(tensor)
    if found.type != INT64 or len(found.shape) != 1 or found.values is None:
        raise BundleError("numbers that are not written in the graph")
    return tuple(map(int, found.values))


def _joined(parts: Sequence[Tensor]) -> tuple[float, ...] | None:
    """The values of lists one after the other, where all are known and few."""
    if any(part.values is None or len(part.shape) != 1 for part in parts):
        return None
    values = tuple(itertools.chain.from_iterable(part.values or () for part in parts))
    return values if len(values) <= MOST_VALUES else None


def _alike(inputs: Inputs, types: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Two tensors of one of these types, which both have."""
    one, other = map(given, inputs)
    require(one.type == other.type and one.type in types, "{} and {}", one, other)
    return one, other


def broadcast(*tensors: Tensor) -> tuple[int, ...]:
    """The shape of what is made of tensors element by element."""
    shapes = {tensor.shape for tensor in tensors}
    if len(shapes) == 1:
        return tensors[0].shape
    rank = max(map(len, shapes))
    result = []
    for lengths in zip(*((1,) * (rank - len(shape)) + shape for shape in shapes), strict=True):
        longest = max(lengths)
        if set(lengths) - {1, longest}:
            raise BundleError(" and ".join(map(str, tensors)))
        result.append(longest)
    return tuple(result)


def _axis(axis: object, rank: int) -> int:
    if not isinstance(axis, int) or not -rank <= axis < rank:
        raise BundleError(f"an axis {axis} of {rank}")
    return axis % rank


def _without(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return shape[:axis] + shape[axis + 1 :]
