"""The average w, for files that do not hold it: the mapping network in NumPy, sampled."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dragonnx_export.checkpoints.errors import CheckpointError
from dragonnx_export.checkpoints.weights import select_stylegan3_weights, select_weights
from dragonnx_export.families.checkpoint import MappingArchitecture
from dragonnx_export.families.stylegan2.architecture import Architecture
from dragonnx_export.families.stylegan3.architecture import Architecture as StyleGAN3

W_AVG = "mapping.w_avg"
W_AVG_SAMPLES = 10_000
W_AVG_SEED = 0
ESTIMATED = (
    f"it holds no average w, so that was estimated from {W_AVG_SAMPLES} samples of "
    f"seed {W_AVG_SEED}"
)
AVERAGED_ROWS = "its average w is another one for each layer, so their mean was taken"

_BATCH = 1000
_EPSILON = 1e-8

_Array = NDArray[np.float32]
_Found = Mapping[str, NDArray[Any]]


def select_with_average(
    architecture: Architecture, arrays: _Found, max_elements: int
) -> tuple[dict[str, _Array], tuple[str, ...]]:
    """`select_weights`, with the average w estimated where the arrays lack it.

    One for each layer, [layers, w_dim], gives way to their mean.

    Returns:
        The weights, and a note for the user where the average is estimated.

    Raises:
        CheckpointError: As `select_weights`, or the mapping network overflows.
    """
    select = functools.partial(select_weights, architecture, max_elements=max_elements)
    return _with_average(architecture, arrays, select)


def select_stylegan3_with_average(
    architecture: StyleGAN3, arrays: _Found, max_elements: int
) -> tuple[dict[str, _Array], tuple[str, ...]]:
    """The same for StyleGAN3.

    Raises:
        CheckpointError: As `select_stylegan3_weights`, or the mapping network overflows.
    """
    select = functools.partial(select_stylegan3_weights, architecture, max_elements=max_elements)
    return _with_average(architecture, arrays, select)


def _with_average(
    architecture: MappingArchitecture, arrays: _Found, select: Callable[[_Found], dict[str, _Array]]
) -> tuple[dict[str, _Array], tuple[str, ...]]:
    if W_AVG in arrays:
        average, notes = mean_of_rows(arrays[W_AVG], architecture.w_dim)
        return select({**arrays, W_AVG: average}), notes
    weights = select({**arrays, W_AVG: np.zeros(architecture.w_dim, np.float32)})
    weights[W_AVG] = estimated_w_avg(architecture, weights)
    if not np.isfinite(weights[W_AVG]).all():
        raise CheckpointError(
            "its mapping network gives values that are not finite; take an earlier snapshot"
        )
    return weights, (ESTIMATED,)


def mean_of_rows(values: NDArray[Any], w_dim: int) -> tuple[NDArray[Any], tuple[str, ...]]:
    """The average w [w_dim] of one that may be given for each layer, and a note where those differ.

    Args:
        values: [..., w_dim]; of another shape they are left to whoever checks shapes.
        w_dim: How many numbers a w has.
    """
    if values.ndim < 2 or not values.size or values.shape[-1] != w_dim or values.dtype.kind != "f":
        return values, ()
    rows = values.reshape(-1, w_dim)
    notes = (AVERAGED_ROWS,) if (rows != rows[:1]).any() else ()
    return rows.mean(axis=0, dtype=np.float64), notes


def estimated_w_avg(architecture: MappingArchitecture, weights: Mapping[str, _Array]) -> _Array:
    """The mean of w [w_dim] over standard normal z, and over all labels where there are classes.

    Args:
        architecture: What the generator is made of.
        weights: At least the arrays of its mapping network.
    """
    random = np.random.default_rng(W_AVG_SEED)
    total = np.zeros(architecture.w_dim)
    for _ in range(W_AVG_SAMPLES // _BATCH):
        z = random.standard_normal((_BATCH, architecture.z_dim), np.float32)
        labels = None
        if architecture.label_dim:
            labels = random.integers(architecture.label_dim, size=_BATCH)
        total += w_of(architecture, weights, z, labels).sum(axis=0, dtype=np.float64)
    return (total / W_AVG_SAMPLES).astype(np.float32)


def w_of(
    architecture: MappingArchitecture,
    weights: Mapping[str, _Array],
    z: _Array,
    labels: NDArray[np.int64] | None = None,
) -> _Array:
    """Z [N, z_dim] and class numbers [N] to w [N, w_dim], before truncation."""
    x = _normalised(z)  # (N, z_dim)
    if labels is not None:
        # A one-hot label times the weights is a column of them.
        columns = weights["mapping.embed.weight"].T[labels] / math.sqrt(architecture.label_dim)
        x = np.concatenate([x, _normalised(columns + weights["mapping.embed.bias"])], axis=1)
    lr = np.float32(architecture.mapping_lr_multiplier)
    for index in range(architecture.mapping_layers):
        weight = weights[f"mapping.fc{index}.weight"]
        x = x @ weight.T * (lr / np.float32(math.sqrt(weight.shape[1])))  # (N, w_dim)
        x += lr * weights[f"mapping.fc{index}.bias"]
        x = np.maximum(x, np.float32(0.2) * x) * np.float32(math.sqrt(2))
    return x


def _normalised(x: _Array) -> _Array:
    scale = np.sqrt(np.mean(x**2, axis=1, keepdims=True) + np.float32(_EPSILON))
    return np.asarray(x / scale, np.float32)
