"""What convolutions and pooling make of maps [n, C, h, w], in dragonnx's own graphs and in strangers'.

Graphs of dragonnx have a part of these attributes alone, as `operators` lists them.
"""

from __future__ import annotations

from collections.abc import Sequence

from dragonnx.errors import BundleError
from dragonnx.model.checking.rules import Attributes, Inputs, floats
from dragonnx.model.checking.schema import FLOAT
from dragonnx.model.checking.tensor import Tensor, checked_shape, require

_LARGEST = 1024
"""Of a stride, a border, a kernel's side."""
_AS_GIVEN = b"NOTSET"
"""The value of `auto_pad` with which borders are those that are said."""


def convolution(inputs: Inputs, attributes: Attributes, _count: int) -> list[Tensor]:
    """Weights [O, C / groups, k, l]."""
    x, weight = maps(inputs[0]), maps(inputs[1])
    groups, outputs = _groups(attributes), weight.shape[0]
    fits = x.shape[1] == weight.shape[1] * groups and outputs % groups == 0
    require(fits, "a convolution of {} and {}", x, weight)
    _check_bias(inputs, outputs)
    sides = _sides(x.shape[2:], weight.shape[2:], attributes)
    return [Tensor(FLOAT, checked_shape((x.shape[0], outputs, *sides)))]


def transposed_convolution(inputs: Inputs, attributes: Attributes, _count: int) -> list[Tensor]:
    """Weights [C, O / groups, k, l]."""
    x, weight = maps(inputs[0]), maps(inputs[1])
    groups = _groups(attributes)
    outputs = weight.shape[1] * groups
    fits = x.shape[1] == weight.shape[0] and x.shape[1] % groups == 0
    require(fits, "a transposed convolution of {} and {}", x, weight)
    _check_bias(inputs, outputs)
    said = "output_shape" not in attributes and attributes.get("auto_pad", _AS_GIVEN) == _AS_GIVEN
    require(said, "a transposed convolution whose borders follow from its size")
    strides, dilations = _two(attributes, "strides"), _two(attributes, "dilations")
    further, pads = _two(attributes, "output_padding", 0, 0), _borders(attributes)
    # What lies beyond the last step would be part of another one.
    require(all(f < s for f, s in zip(further, strides, strict=True)), "a border beyond a step")
    sides = [
        (length - 1) * strides[at] + dilations[at] * (weight.shape[2 + at] - 1) + 1
        + further[at] - pads[at] - pads[at + 2]
        for at, length in enumerate(x.shape[2:])
    ]  # fmt: skip
    return [Tensor(FLOAT, checked_shape((x.shape[0], outputs, *sides)))]


def pooling(inputs: Inputs, attributes: Attributes, _count: int) -> list[Tensor]:
    """One of each kernel's cells, or their mean."""
    x = maps(inputs[0])
    sides = _sides(x.shape[2:], _two(attributes, "kernel_shape", 0), attributes)
    return [Tensor(FLOAT, checked_shape((*x.shape[:2], *sides)))]


def maps(tensor: Tensor | None) -> Tensor:
    """An input [n, C, h, w] of float32."""
    found = floats(tensor)
    require(len(found.shape) == 4, "{} as maps", found)
    return found


def _check_bias(inputs: Inputs, outputs: int) -> None:
    if len(inputs) > 2 and inputs[2] is not None:
        require(floats(inputs[2]).shape == (outputs,), "a bias of another length")


def _groups(attributes: Attributes) -> int:
    groups = attributes.get("group", 1)
    if not isinstance(groups, int) or groups < 1:
        raise BundleError(f"{groups} groups")
    return groups


def _sides(lengths: Sequence[int], kernel: Sequence[int], attributes: Attributes) -> list[int]:
    """How many places a kernel has along each axis."""
    strides, dilations = _two(attributes, "strides"), _two(attributes, "dilations")
    pads, how = _borders(attributes), attributes.get("auto_pad", _AS_GIVEN)
    if how in (b"SAME_UPPER", b"SAME_LOWER"):
        return [-(-length // stride) for length, stride in zip(lengths, strides, strict=True)]
    require(how == _AS_GIVEN or not any(pads), "borders that are said and left out")
    sides = []
    for at, length in enumerate(lengths):
        rest = length + pads[at] + pads[at + 2] - dilations[at] * (kernel[at] - 1) - 1
        require(rest >= 0, "a kernel larger than its maps")
        steps = -(-rest // strides[at]) if attributes.get("ceil_mode") else rest // strides[at]
        sides.append(steps + 1)
    return sides


def _borders(attributes: Attributes) -> Sequence[int]:
    """Zeros before the rows and the columns, then after them."""
    pads: Sequence[int] = attributes.get("pads", (0, 0, 0, 0))
    fits = len(pads) == 4 and all(0 <= pad <= _LARGEST for pad in pads)
    require(fits, "the borders {}", list(pads))
    return pads


def _two(attributes: Attributes, name: str, default: int = 1, least: int = 1) -> Sequence[int]:
    values: Sequence[int] = attributes.get(name, (default, default))
    fits = len(values) == 2 and all(least <= value <= _LARGEST for value in values)
    require(fits, name + " {}", list(values))
    return values
