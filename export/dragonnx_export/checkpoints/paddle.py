"""What PaddlePaddle writes: linear weights lie [inputs, outputs], the other way round than torch's.

A state dict of Paddle's has an entry `StructuredToParameterName@@` beside its arrays, and an array
may come as a pair of its internal name and itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dragonnx_export.checkpoints.weights import as_array

FORMAT = "PaddleGAN StyleGAN2 checkpoint"

_NAMES = "StructuredToParameterName@@"
_WEIGHT, _BIAS = ".weight", ".bias"
_MODULATION = "modulation"
_PAIR = 2


def is_paddle(entries: Mapping[Any, object]) -> bool:
    """Whether a dict is one that PaddlePaddle wrote."""
    return _NAMES in entries


def without_names(entries: Mapping[Any, object]) -> Iterator[tuple[str, object]]:
    """Every entry that has a text for a key, of a pair of a name and a value the value."""
    for name, value in entries.items():
        if isinstance(name, str):
            pair = isinstance(value, tuple) and len(value) == _PAIR and isinstance(value[0], str)
            yield name, value[1] if pair else value  # type: ignore[index]


def has_transposed_weights(entries: Mapping[str, object]) -> bool:
    """Whether shapes show that linear weights are transposed, of a generator as of any other.

    A modulation has as many outputs as numbers in its bias.
    """
    for name, value in entries.items():
        bias = entries.get(name.removesuffix(_WEIGHT) + _BIAS)
        if name.endswith(_MODULATION + _WEIGHT) and bias is not None:
            weight, outputs = as_array(name, value), as_array(name, bias).size
            if weight.ndim == _PAIR and weight.shape[0] != outputs == weight.shape[1]:
                return True
    return False


def upright(entries: Mapping[str, object]) -> dict[str, object]:
    """The same arrays with linear weights [outputs, inputs].

    Raises:
        CheckpointError: A weight is no array, or damaged.
    """
    turned: dict[str, object] = {}
    for name, value in entries.items():
        turned[name] = value
        if name.endswith(_WEIGHT):
            array = as_array(name, value)
            turned[name] = array.T if array.ndim == _PAIR else array
    return turned
