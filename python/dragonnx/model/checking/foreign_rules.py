"""What the operators of strangers' networks make of their inputs, in versions 9 to 21 of ONNX.

A network that was exported by PyTorch or OpenCV writes the same things in more ways than dragonnx's own
graphs do: axes as attributes or inputs, sizes that are computed from shapes. Operators whose outputs
can be larger than what a shape explains, that hold graphs, or that keep a state, are not here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from dragonnx.errors import BundleError
from dragonnx.model.checking import rules
from dragonnx.model.checking.rules import MOST_VALUES, Attributes, Inputs, Rule, floats, given
from dragonnx.model.checking.schema import FLOAT, INT64
from dragonnx.model.checking.tensor import Tensor, checked_shape, require

_LARGEST = 1024
"""Of a stride, a border, a kernel's side."""


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


def _convolution(inputs: Inputs, attributes: Attributes, _count: int) -> list[Tensor]:
    x, weight = _maps(inputs[0]), _maps(inputs[1])
    groups = attributes.get("group", 1)
    fits = groups >= 1 and x.shape[1] == weight.shape[1] * groups and weight.shape[0] % groups == 0
    require(fits, "a convolution of {} and {}", x, weight)
    if len(inputs) > 2 and inputs[2] is not None:
        require(floats(inputs[2]).shape == weight.shape[:1], "a bias of another length")
    sides = _sides(x.shape[2:], weight.shape[2:], attributes)
    return [Tensor(FLOAT, checked_shape((x.shape[0], weight.shape[0], *sides)))]


def _transposed(inputs: Inputs, attributes: Attributes, _count: int) -> list[Tensor]:
    x, weight = _maps(inputs[0]), _maps(inputs[1])
    groups = attributes.get("group", 1)
    require(groups >= 1 and x.shape[1] == weight.shape[0], "a convolution of {} and {}", x, weight)
    strides, dilations = _two(attributes, "strides"), _two(attributes, "dilations")
    further, pads = _two(attributes, "output_padding", 0), _pads(attributes)
    sides = [
        (length - 1) * strides[at] + dilations[at] * (weight.shape[2 + at] - 1) + 1
        + further[at] - pads[at] - pads[at + 2]
        for at, length in enumerate(x.shape[2:])
    ]  # fmt: skip
    return [Tensor(FLOAT, checked_shape((x.shape[0], weight.shape[1] * groups, *sides)))]


def _pooling(inputs: Inputs, attributes: Attributes, _count: int) -> list[Tensor]:
    x = _maps(inputs[0])
    sides = _sides(x.shape[2:], _two(attributes, "kernel_shape"), attributes)
    return [Tensor(FLOAT, checked_shape((*x.shape[:2], *sides)))]


def _mean(inputs: Inputs, _attributes: Attributes, _count: int) -> list[Tensor]:
    return [Tensor(FLOAT, (*_maps(inputs[0]).shape[:2], 1, 1))]


def _linear(inputs: Inputs, attributes: Attributes, count: int) -> list[Tensor]:
    x = floats(inputs[0])
    if attributes.get("transA"):
        require(len(x.shape) == 2, "a product of what is no matrix")
        x = Tensor(FLOAT, x.shape[::-1])
    return list(rules.linear([x, *inputs[1:]], attributes, count))


def _resizing(inputs: Inputs, attributes: Attributes, _count: int) -> list[Tensor]:
    """By factors or to a size: the last input that is there and not empty, or an attribute."""
    x = given(inputs[0])
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
        int(factor) if by_size else math.floor(length * factor)
        for length, factor in zip(x.shape, factors, strict=True)
    ]
    return [Tensor(x.type, checked_shape(shape))]


def _padding(inputs: Inputs, attributes: Attributes, _count: int) -> list[Tensor]:
    x = given(inputs[0])
    pads = _listed(inputs, attributes, 1, "pads") or ()
    rank = len(x.shape)
    require(len(pads) == 2 * rank and max(map(abs, pads)) <= _LARGEST, "a border that is none")
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
    axes = _listed(inputs, attributes, 1, "axes") or tuple(range(len(floats(inputs[0]).shape)))
    return list(rules.reduction([inputs[0], Tensor(INT64, (len(axes),), axes)], attributes, count))


def _clip(inputs: Inputs, _attributes: Attributes, count: int) -> list[Tensor]:
    return list(rules.clip(inputs, {}, count))


def _dropout(inputs: Inputs, _attributes: Attributes, _count: int) -> list[Tensor]:
    return [given(inputs[0])]


def _maps(tensor: Tensor | None) -> Tensor:
    found = floats(tensor)
    require(len(found.shape) == 4, "{} as maps", found)
    return found


def _sides(lengths: Sequence[int], kernel: Sequence[int], attributes: Attributes) -> Sequence[int]:
    """How many cells a window of a kernel's size takes along each axis."""
    strides, dilations = _two(attributes, "strides"), _two(attributes, "dilations")
    if attributes.get("auto_pad", b"NOTSET") in (b"SAME_UPPER", b"SAME_LOWER"):
        return [-(-length // stride) for length, stride in zip(lengths, strides, strict=True)]
    pads = _pads(attributes)
    sides = []
    for at, length in enumerate(lengths):
        rest = length + pads[at] + pads[at + 2] - dilations[at] * (kernel[at] - 1) - 1
        require(rest >= 0, "a kernel larger than its maps")
        steps = -(-rest // strides[at]) if attributes.get("ceil_mode") else rest // strides[at]
        sides.append(steps + 1)
    return sides


def _pads(attributes: Attributes) -> Sequence[int]:
    pads: Sequence[int] = attributes.get("pads", (0, 0, 0, 0))
    fits = len(pads) == 4 and all(0 <= pad <= _LARGEST for pad in pads)
    require(fits, "the borders {}", list(pads))
    return pads


def _two(attributes: Attributes, name: str, least: int = 1) -> Sequence[int]:
    values: Sequence[int] = attributes.get(name, (least, least))
    fits = len(values) == 2 and all(least <= value <= _LARGEST for value in values)
    require(fits, name + " {}", list(values))
    return values


def _quotient(inputs: Inputs, attributes: Attributes, count: int) -> list[Tensor]:
    """Of floats, or of whole numbers by known ones: over zero they end the process."""
    divisor = given(inputs[1])
    if divisor.type == FLOAT:
        return list(rules.quotient(inputs, attributes, count))
    known = divisor.values is not None and 0 not in divisor.values
    require(known, "a whole number over one that is zero, or known in a run alone")
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
    if tensor.type != INT64 or tensor.values is None:
        raise BundleError("numbers that are known in a run alone")
    return tuple(map(int, tensor.values))


RULES: Mapping[str, Rule] = {
    **dict.fromkeys(
        ("Abs", "BatchNormalization", "Ceil", "Elu", "Exp", "Floor", "HardSigmoid", "HardSwish",
         "InstanceNormalization", "LeakyRelu", "Log", "LogSoftmax", "Neg", "Reciprocal", "Relu", "Round",
         "Sigmoid", "Softmax", "Softplus", "Softsign", "Sqrt", "Tanh"),
        _same,
    ),
    **dict.fromkeys(("Add", "Mul", "Max", "Min"), rules.arithmetic),
    "AveragePool": _pooling,
    "Cast": rules.cast,
    "Clip": _clip,
    "Concat": rules.concatenation,
    "Constant": _constant,
    "Conv": _convolution,
    "ConvTranspose": _transposed,
    "Div": _quotient,
    "Dropout": _dropout,
    "Flatten": _flat,
    "Gather": rules.gather,
    "Gemm": _linear,
    "GlobalAveragePool": _mean,
    "Identity": rules.identity,
    "MatMul": rules.matrix_product,
    "MaxPool": _pooling,
    "PRelu": _prelu,
    "Pad": _padding,
    "Pow": rules.quotient,
    "ReduceMean": _reduction,
    "Reshape": rules.reshaping,
    "Resize": _resizing,
    "Shape": _shape,
    "Slice": _slicing,
    "Split": _splitting,
    "Squeeze": _squeezing,
    "Sub": rules.arithmetic,
    "Transpose": rules.transposition,
    "Unsqueeze": _unsqueezing,
    "Upsample": _resizing,
}  # fmt: skip
"""By the operator's name."""

COSTLY = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul", "Resize", "Upsample", "Pad"})
"""Of constants alone they would be computed while the graph is loaded, and may give more than they take."""

_FOLDED: Mapping[str, Callable[..., Any]] = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": lambda a, b: a // b if a.dtype.kind == "i" else a / b,
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
    arrays = [
        np.reshape(
            np.array(tensor.values, np.int64 if tensor.type == INT64 else np.float64), tensor.shape
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
    numbers = np.ravel(value).astype(np.int64 if result.type == INT64 else np.float64).tolist()
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
