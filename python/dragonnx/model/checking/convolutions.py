"""What convolutions and pooling make of maps [n, C, h, w]."""

from __future__ import annotations

from collections.abc import Sequence

from dragonnx.errors import BundleError
from dragonnx.model.checking.rules import Attributes, Inputs, floats, given
from dragonnx.model.checking.schema import FLOAT
from dragonnx.model.checking.tensor import Tensor, checked_shape, require

_LARGEST = 1024
"""Of a stride, a border, a kernel's side."""


def convolution(inputs: Inputs, attributes: Attributes, _count: int) -> list[Tensor]:
    """Weights [O, C / groups, k, l]."""
    x, weight = _maps(inputs[0]), _maps(inputs[1])
    groups, outputs = _groups(attributes), weight.shape[0]
    fits = x.shape[1] == weight.shape[1] * groups and outputs % groups == 0
    require(fits, "a convolution of {} and {}", x, weight)
    _check_bias(inputs, outputs)
    sides = (
        (length + before + after - kernel) // stride + 1
        for length, kernel, stride, (before, after) in zip(
            x.shape[2:], weight.shape[2:], _strides(attributes), _borders(attributes), strict=True
        )
    )
    return [Tensor(FLOAT, checked_shape((x.shape[0], outputs, *sides)))]


def transposed_convolution(inputs: Inputs, attributes: Attributes, _count: int) -> list[Tensor]:
    """Weights [C, O / groups, k, l]."""
    x, weight = _maps(inputs[0]), _maps(inputs[1])
    groups = _groups(attributes)
    outputs = weight.shape[1] * groups
    fits = x.shape[1] == weight.shape[0] and x.shape[1] % groups == 0
    require(fits, "a transposed convolution of {} and {}", x, weight)
    _check_bias(inputs, outputs)
    strides, further = _strides(attributes), _two(attributes, "output_padding", 0, 0)
    # What lies beyond the last step would be part of another one.
    require(all(f < s for f, s in zip(further, strides, strict=True)), "a border beyond a step")
    sides = (
        (length - 1) * stride + kernel + beyond - before - after
        for length, kernel, stride, beyond, (before, after) in zip(
            x.shape[2:], weight.shape[2:], strides, further, _borders(attributes), strict=True
        )
    )
    return [Tensor(FLOAT, checked_shape((x.shape[0], outputs, *sides)))]


def pooling(inputs: Inputs, attributes: Attributes, _count: int) -> list[Tensor]:
    """One of each kernel's cells, or their mean."""
    x = _maps(inputs[0])
    kernel = _two(attributes, "kernel_shape", 0, 1)
    sides = (
        (length - side) // stride + 1
        for length, side, stride in zip(x.shape[2:], kernel, _strides(attributes), strict=True)
    )
    return [Tensor(FLOAT, checked_shape((*x.shape[:2], *sides)))]


def _maps(tensor: Tensor | None) -> Tensor:
    found = floats(tensor)
    require(len(found.shape) == 4, "{} as maps", found)
    return found


def _check_bias(inputs: Inputs, outputs: int) -> None:
    if len(inputs) > 2:
        require(floats(given(inputs[2])).shape == (outputs,), "a bias of another length")


def _groups(attributes: Attributes) -> int:
    groups = attributes.get("group", 1)
    if not isinstance(groups, int) or groups < 1:
        raise BundleError(f"{groups} groups")
    return groups


def _strides(attributes: Attributes) -> Sequence[int]:
    return _two(attributes, "strides", 1, 1)


def _borders(attributes: Attributes) -> Sequence[tuple[int, int]]:
    """Rows and columns of zeros before and after."""
    pads = attributes.get("pads", (0, 0, 0, 0))
    require(
        len(pads) == 4 and all(0 <= pad <= _LARGEST for pad in pads), "the borders {}", list(pads)
    )
    return (pads[0], pads[2]), (pads[1], pads[3])


def _two(attributes: Attributes, name: str, default: int, least: int) -> Sequence[int]:
    values: Sequence[int] = attributes.get(name, (default, default))
    fits = len(values) == 2 and all(least <= value <= _LARGEST for value in values)
    require(fits, name + " {}", list(values))
    return values
