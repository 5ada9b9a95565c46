"""What the operators of strangers' networks make of their inputs, in versions 9 to 21 of ONNX.

A network that was exported by PyTorch or OpenCV writes the same things in more ways than dragonnx's own
graphs do: axes as attributes or inputs, sizes that are computed from shapes. Operators whose outputs
have a size that a run alone knows, that hold graphs, or that keep a state, are not here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from dragonnx.errors import BundleError
from dragonnx.model.checking import convolutions, rules
from dragonnx.model.checking.convolutions import maps
from dragonnx.model.checking.rules import MOST_VALUES, Attributes, Inputs, Rule, floats, given
from dragonnx.model.checking.schema import FLOAT, INT64
from dragonnx.model.checking.sized_by_values import (
    counted,
    filled,
    place_of_largest,
    spread,
    tiled,
    whole_numbers,
)
from dragonnx.model.checking.tensor import Tensor, checked_shape, require

_LARGEST_BORDER = 1024
_LARGEST = 2**62
"""Of numbers that are followed."""
_STRETCH = b"stretch"
"""The policy of a Resize that gives the size that is asked for."""


def _same(inputs: Inputs, _attributes: Attributes, _count: int) -> list[Tensor]:
    """One value from one, whatever else is given."""
    return [Tensor(FLOAT, floats(inputs[0]).shape)]


def _prelu(inputs: Inputs, attributes: Attributes, count: int) -> list[Tensor]:
    (found,) = rules.arithmetic(inputs, attributes, count)
    require(found.shape == floats(inputs[0]).shape, "a slope larger than what it is for")
    return [found]


def _constant(_inputs: Inputs, attributes: Attributes, _count: int) -> list[Tensor]:
    value = attributes.get("value")
    if isinstance(value, Tensor):
        return [value]
    for name, kind in (("value_float", FLOAT), ("value_int", INT64)):
        if name in attributes:
            return [Tensor(kind, (), (attributes[name],), True)]
    for name, kind in (("value_floats", FLOAT), ("value_ints", INT64)):
        if name in attributes:
            values = tuple(attributes[name])
            return [
                Tensor(kind, (len(values),), values if len(values) <= MOST_VALUES else None, True)
            ]
    raise BundleError("a constant without a value")


def _mean(inputs: Inputs, _attributes: Attributes, _count: int) -> list[Tensor]:
    return [Tensor(FLOAT, (*maps(inputs[0]).shape[:2], 1, 1))]


def _linear(inputs: Inputs, attributes: Attributes, count: int) -> list[Tensor]:
    x = floats(inputs[0])
    if attributes.get("transA"):
        require(len(x.shape) == 2, "a product of what is no matrix")
        x = Tensor(FLOAT, x.shape[::-1])
    return list(rules.linear([x, *inputs[1:]], attributes, count))


def _resizing(inputs: Inputs, attributes: Attributes, _count: int) -> list[Tensor]:
    """By factors or to a size: the last input that is there and not empty, or an attribute."""
    x = given(inputs[0])
    plain = (
        "axes" not in attributes
        and attributes.get("keep_aspect_ratio_policy", _STRETCH) == _STRETCH
    )
    require(plain, "a size that is not all that is said of it")
    asked = next((i for i in reversed(inputs[1:]) if i is not None and i.size), None)
    if asked is None:
        factors: Sequence[float] = attributes.get("scales", ())
        by_size = False
    else:
        require(asked.values is not None, "a size that is known in a run alone")
        factors, by_size = asked.values or (), asked.type == INT64
    require(len(factors) == len(x.shape), "factors that are none")
    require(all(0 < factor <= 2**20 for factor in factors), "factors that are none")
    shape = [
        int(factor) if by_size else int(np.float32(length) * np.float32(factor))
        for length, factor in zip(x.shape, factors, strict=True)
    ]
    return [Tensor(x.type, checked_shape(shape))]


def _padding(inputs: Inputs, attributes: Attributes, _count: int) -> list[Tensor]:
    x = given(inputs[0])
    pads = _listed(inputs, attributes, 1, "pads") or ()
    rank = len(x.shape)
    require(len(inputs) < 4 or inputs[3] is None, "borders of axes in another order")
    require(
        len(pads) == 2 * rank and max(map(abs, pads)) <= _LARGEST_BORDER, "a border that is none"
    )
    shape = [length + pads[at] + pads[rank + at] for at, length in enumerate(x.shape)]
    return [Tensor(x.type, checked_shape(shape))]


def _flat(inputs: Inputs, attributes: Attributes, _count: int) -> list[Tensor]:
    x = given(inputs[0])
    at = attributes.get("axis", 1)
    require(0 <= at <= len(x.shape), "an axis {} of {}", at, len(x.shape))
    return [Tensor(x.type, (math.prod(x.shape[:at]), math.prod(x.shape[at:])))]


def _unsqueezing(inputs: Inputs, attributes: Attributes, count: int) -> list[Tensor]:
    axes = _listed(inputs, attributes, 1, "axes") or ()
    asked = Tensor(INT64, (len(axes),), axes)
    return list(rules.unsqueezing([inputs[0], asked], {}, count))


def _squeezing(inputs: Inputs, attributes: Attributes, _count: int) -> list[Tensor]:
    x = given(inputs[0])
    asked = _listed(inputs, attributes, 1, "axes")
    axes = {at % len(x.shape) for at in asked} if asked else None
    if axes is None:
        return [Tensor(x.type, tuple(length for length in x.shape if length != 1))]
    require(all(x.shape[at] == 1 for at in axes), "an axis that is longer than one")
    return [Tensor(x.type, tuple(n for at, n in enumerate(x.shape) if at not in axes))]


def _slicing(inputs: Inputs, attributes: Attributes, count: int) -> list[Tensor]:
    starts, ends, axes, steps = (
        _listed(inputs, attributes, at, name)
        for at, name in enumerate(("starts", "ends", "axes", "steps"), 1)
    )
    if starts is None or ends is None:
        raise BundleError("parts that are none")
    axes = axes or tuple(range(len(starts)))
    lists = [starts, ends, axes, steps or (1,) * len(starts)]
    asked = [Tensor(INT64, (len(values),), values) for values in lists]
    return list(rules.slicing([inputs[0], *asked], {}, count))


def _splitting(inputs: Inputs, attributes: Attributes, count: int) -> list[Tensor]:
    x = given(inputs[0])
    axis = attributes.get("axis", 0) % len(x.shape)
    parts = _listed(inputs, attributes, 1, "split") or (x.shape[axis] // count,) * count
    require(len(parts) == count and sum(parts) == x.shape[axis], "{} in parts {}", x, list(parts))
    before, after = x.shape[:axis], x.shape[axis + 1 :]
    return [Tensor(x.type, checked_shape((*before, part, *after))) for part in parts]


def _reduction(inputs: Inputs, attributes: Attributes, count: int) -> list[Tensor]:
    axes = _listed(inputs, attributes, 1, "axes")
    if not axes and attributes.get("noop_with_empty_axes"):
        return _same(inputs, attributes, count)
    axes = axes or tuple(range(len(floats(inputs[0]).shape)))
    return list(rules.reduction([inputs[0], Tensor(INT64, (len(axes),), axes)], attributes, count))


def _clip(inputs: Inputs, _attributes: Attributes, count: int) -> list[Tensor]:
    return list(rules.clip(inputs, {}, count))


def _dropout(inputs: Inputs, _attributes: Attributes, _count: int) -> list[Tensor]:
    return [given(inputs[0])]


def _quotient(inputs: Inputs, attributes: Attributes, count: int) -> list[Tensor]:
    """Of floats, or of whole numbers by known ones: over zero, and the least over -1, end the process."""
    divisor = given(inputs[1])
    if divisor.type == FLOAT:
        return list(rules.quotient(inputs, attributes, count))
    known = divisor.values is not None and not {0, -1} & set(divisor.values)
    require(known, "a whole number over 0 or -1, or over one that is known in a run alone")
    return list(rules.arithmetic(inputs, attributes, count))


def _shape(inputs: Inputs, attributes: Attributes, _count: int) -> list[Tensor]:
    shape = given(inputs[0]).shape[attributes.get("start", 0) : attributes.get("end")]
    return [Tensor(INT64, (len(shape),), shape)]


def _listed(inputs: Inputs, attributes: Attributes, at: int, name: str) -> tuple[int, ...] | None:
    """Whole numbers from an attribute or an input; None where they are left out."""
    if name in attributes:
        return tuple(attributes[name])
    if len(inputs) <= at or (tensor := inputs[at]) is None:
        return None
    return whole_numbers(tensor)


RULES: Mapping[str, Rule] = {
    **dict.fromkeys(
        ("Abs", "BatchNormalization", "Ceil", "Elu", "Erf", "Exp", "Floor", "HardSigmoid", "HardSwish",
         "InstanceNormalization", "LeakyRelu", "Log", "LogSoftmax", "Neg", "Reciprocal", "Relu", "Round",
         "Sigmoid", "Softmax", "Softplus", "Softsign", "Sqrt", "Tanh"),
        _same,
    ),
    **dict.fromkeys(("Add", "Mul", "Max", "Min"), rules.arithmetic),
    **dict.fromkeys(("ArgMax", "ArgMin"), place_of_largest),
    **dict.fromkeys(("Equal", "Greater", "Less"), rules.comparison),
    **dict.fromkeys(("ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum"), _reduction),
    "AveragePool": convolutions.pooling,
    "Cast": rules.cast,
    "Clip": _clip,
    "Concat": rules.concatenation,
    "Constant": _constant,
    "ConstantOfShape": filled,
    "Conv": convolutions.convolution,
    "ConvTranspose": convolutions.transposed_convolution,
    "Div": _quotient,
    "Dropout": _dropout,
    "Expand": spread,
    "Flatten": _flat,
    "Gather": rules.gather,
    "Gemm": _linear,
    "GlobalAveragePool": _mean,
    "Identity": rules.identity,
    "MatMul": rules.matrix_product,
    "MaxPool": convolutions.pooling,
    "Mod": _quotient,
    "PRelu": _prelu,
    "Pad": _padding,
    "Pow": rules.quotient,
    "Range": counted,
    "Reshape": rules.reshaping,
    "Resize": _resizing,
    "Shape": _shape,
    "Slice": _slicing,
    "Split": _splitting,
    "Squeeze": _squeezing,
    "Sub": rules.arithmetic,
    "Tile": tiled,
    "Transpose": rules.transposition,
    "Unsqueeze": _unsqueezing,
    "Upsample": _resizing,
    "Where": rules.choice,
}  # fmt: skip
"""By the operator's name."""

COSTLY = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul", "Resize", "Upsample", "Pad"})
"""Of constants alone they would be computed while the graph is loaded, and may give more than they take."""


def _divided(a: Any, b: Any) -> Any:
    """As a processor divides: whole numbers towards zero."""
    if a.dtype.kind != "i":
        return a / b
    a, b = a.astype(object), b.astype(object)  # Python's whole numbers, of any length
    return abs(a) // abs(b) * np.sign(a * b)


_FOLDED: Mapping[str, Callable[..., Any]] = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": _divided,
    "Equal": np.equal,
    "Where": np.where,
    "Floor": np.floor,
    "Ceil": np.ceil,
    "Cast": lambda a: a,
    "Identity": lambda a: a,
    "Squeeze": lambda a, *_: a,
    "Unsqueeze": lambda a, *_: a,
    "Reshape": lambda a, *_: a,
}


def folded(kind: str, inputs: Inputs, attributes: Attributes, result: Tensor) -> Tensor:
    """A result with its values, where it is a few numbers made of few known ones, as sizes are."""
    known = [tensor for tensor in inputs if tensor is not None]
    if result.values is not None or result.size > MOST_VALUES or not known:
        return result
    if any(tensor.values is None for tensor in known):
        return result
    # In the types of a run, so that a size is not one more or less.
    arrays = [
        np.reshape(
            np.array(tensor.values, np.int64 if tensor.type == INT64 else np.float32), tensor.shape
        )
        for tensor in known
    ]
    if kind in ("Gather", "Slice"):
        value = _picked(kind, inputs, attributes, arrays)
    elif kind in _FOLDED:
        with np.errstate(all="ignore"):
            value = _FOLDED[kind](*arrays)
    else:
        return result
    value = np.ravel(value)
    if result.type == INT64 and not all(abs(number) < _LARGEST for number in value.tolist()):
        return result  # what becomes of such numbers differs from processor to processor
    numbers = value.astype(np.int64 if result.type == INT64 else np.float32).tolist()
    if len(numbers) != result.size:
        return result
    return Tensor(result.type, result.shape, tuple(numbers))


def _picked(kind: str, inputs: Inputs, attributes: Attributes, arrays: Sequence[Any]) -> Any:
    """What Gather or Slice take of a known list."""
    data = arrays[0]
    if kind == "Gather":
        length = data.shape[attributes.get("axis", 0)]
        require(bool((np.abs(arrays[1] + 0.5) < length + 0.5).all()), "an index beyond its list")
        return np.take(data, arrays[1], axis=attributes.get("axis", 0))
    starts, ends = (
        _listed(inputs, attributes, at, name) or () for at, name in ((1, "starts"), (2, "ends"))
    )
    steps = _listed(inputs, attributes, 4, "steps") or (1,) * len(starts)
    if data.ndim != 1 or len(starts) != 1:
        return ()
    return data[starts[0] : ends[0] : steps[0]]
