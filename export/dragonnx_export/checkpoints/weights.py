"""The arrays of a file, matched with what an architecture needs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dragonnx.reading.pickles.numpy_records import ArrayRecord
from dragonnx.reading.pickles.torch_storage import Tensor
from dragonnx.reading.pickles.vocabulary import quoted
from dragonnx_export.checkpoints.errors import CheckpointError
from dragonnx_export.families.stylegan2 import checkpoint as stylegan2
from dragonnx_export.families.stylegan2.architecture import Architecture
from dragonnx_export.families.stylegan3 import checkpoint as stylegan3
from dragonnx_export.families.stylegan3.architecture import Architecture as StyleGAN3

_IGNORED_SUFFIX = "resample_filter"
_FILTER_TOLERANCE = 1e-6
_RELATIVE_TOLERANCE = 1e-5
_UNREAD = "its array {name} holds values of type {kind}, where float32 is expected"


@dataclass(frozen=True)
class UnreadArray:
    """An array of values that NumPy has no type for: it may lie in a file, but not be used.

    Attributes:
        type: What the file calls the type.
    """

    type: str

    def reshape(self, _shape: object) -> UnreadArray:
        """Itself: there are no values to arrange."""
        return self


StoredArray = NDArray[Any] | UnreadArray


def unread(value: object) -> str:
    """The type of an array's values where they cannot be read; else empty."""
    if isinstance(value, Tensor):
        return value.unread
    return value.type if isinstance(value, UnreadArray) else ""


def why_unread(entries: Mapping[str, object]) -> str:
    """Why the first array that cannot be read is none; empty where all can."""
    for name, value in entries.items():
        if kind := unread(value):
            return _UNREAD.format(name=quoted(name), kind=kind)
    return ""


def as_array(name: str, value: object) -> NDArray[Any]:
    """The array that a file holds under a name.

    Raises:
        CheckpointError: It is no array, or one whose data are damaged.
    """
    if kind := unread(value):
        raise CheckpointError(_UNREAD.format(name=quoted(name), kind=kind))
    if isinstance(value, Tensor):
        return value.array()
    if isinstance(value, ArrayRecord) and value.objects is None:
        return value.values
    if isinstance(value, np.ndarray):
        return value
    raise CheckpointError(f"its {quoted(name)} is no tensor, so its network is another one")


def scalar(values: NDArray[Any]) -> NDArray[Any]:
    """A single number without dimensions; anything else as it is, for whoever checks shapes."""
    return values.reshape(()) if values.size == 1 else values


def array_sizes(arrays: Mapping[str, NDArray[Any]], name: str, dimensions: int) -> tuple[int, ...]:
    """The shape of an array that every StyleGAN2 generator has.

    Raises:
        CheckpointError: It is missing, or has another number of dimensions.
    """
    values = arrays.get(name)
    if values is None or values.ndim != dimensions:
        raise CheckpointError(
            f"it has no usable array {quoted(name)}, which every StyleGAN2 generator in its format "
            "has; give the complete file that training wrote"
        )
    return values.shape


def select_weights(
    architecture: Architecture, arrays: Mapping[str, NDArray[Any]], max_elements: int
) -> dict[str, NDArray[np.float32]]:
    """Own float32 copies of exactly the arrays that the architecture has.

    Args:
        architecture: What the generator is made of.
        arrays: Arrays by NVIDIA's parameter names; resampling filters may be among them.
        max_elements: How many elements the copies may have together. Views of one storage
            could otherwise take far more memory than their file.

    Raises:
        CheckpointError: An array is missing, unknown, of another shape or type, or not finite.
    """
    shapes = stylegan2.parameter_shapes(architecture)
    wanted = {name: array for name, array in arrays.items() if not _is_ignored(name)}
    return _select(shapes, wanted, max_elements)


def select_stylegan3_weights(
    architecture: StyleGAN3, arrays: Mapping[str, NDArray[Any]], max_elements: int
) -> dict[str, NDArray[np.float32]]:
    """The same for StyleGAN3, whose filters are arrays of the network.

    Raises:
        CheckpointError: As `select_weights`, or a layer's input has no magnitude.
    """
    weights = _select(stylegan3.parameter_shapes(architecture), arrays, max_elements)
    for name, values in weights.items():
        if name.endswith("magnitude_ema") and not values > 0:
            raise CheckpointError(
                f"its array {quoted(name)} is not above 0; take a snapshot of a later step"
            )
    return weights


def _select(
    shapes: Iterable[tuple[str, tuple[int, ...]]],
    arrays: Mapping[str, NDArray[Any]],
    max_elements: int,
) -> dict[str, NDArray[np.float32]]:
    selected: dict[str, NDArray[np.float32]] = {}
    elements = 0
    for name, shape in shapes:
        if name not in arrays:
            raise CheckpointError(f"it lacks the array {quoted(name)} that its architecture needs")
        array = arrays[name]
        if array.shape != shape:
            raise CheckpointError(
                f"its array {quoted(name)} has the shape {array.shape} where its architecture "
                f"needs {shape}"
            )
        elements += math.prod(shape)
        if elements > max_elements:
            raise CheckpointError("its arrays have more elements than a file of its size can hold")
        selected[name] = finite_float32(name, array)
    # Counts and flags, such as "step", lie beside weights; what is trained is of floating point.
    unknown = sorted(n for n in arrays.keys() - selected if arrays[n].dtype.kind == "f")
    if unknown:
        raise CheckpointError(
            f"it has an array {quoted(unknown[0])} that its architecture has no place for, so its "
            "network is another one"
        )
    return selected


def _is_ignored(name: str) -> bool:
    return name.endswith(_IGNORED_SUFFIX)


def finite_float32(name: str, array: NDArray[Any]) -> NDArray[np.float32]:
    """An own float32 copy of an array.

    Raises:
        CheckpointError: It holds no floating point numbers, or some that are not finite.
    """
    if array.dtype.kind != "f":
        raise CheckpointError(
            f"its array {quoted(name)} holds values of type {array.dtype} where float32 is expected"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        copy = np.array(array, dtype=np.float32, order="C")
    if not np.isfinite(copy).all():
        raise CheckpointError(
            f"its array {quoted(name)} holds values that are not finite; take an earlier snapshot"
        )
    return copy


NO_FILTER = "the file holds no resampling filter, so that of StyleGAN2 was taken, 1 3 3 1"


def shared_taps(
    filters: Sequence[NDArray[Any]],
) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """The taps of all filters of a file, and a note for the user where it holds none.

    Raises:
        CheckpointError: As `filter_taps`.
    """
    return (filter_taps(filters), ()) if filters else ((1.0, 3.0, 3.0, 1.0), (NO_FILTER,))


def filter_taps(filters: Sequence[NDArray[Any]]) -> tuple[float, ...]:
    """The taps whose outer product, made to sum to 1, is the filter of every layer.

    Raises:
        CheckpointError: The filters differ, or are no such product of four taps.
    """
    shared = filters[0]
    if any(f.shape != (4, 4) or not np.array_equal(f, shared) for f in filters):
        raise CheckpointError(
            "its resampling filters are not one filter of 4x4 taps, which is not supported"
        )
    square = shared.astype(np.float64)
    with np.errstate(all="ignore"):
        taps = square.sum(axis=1)
        errors = *np.abs(np.outer(taps, taps) - square).ravel(), abs(taps.sum() - 1)
    if not max(errors) <= _FILTER_TOLERANCE or not np.isfinite(errors).all():
        raise CheckpointError(
            "its resampling filter is not the outer product of one filter with itself, summing "
            "to 1, which is not supported"
        )
    scaled = taps / np.abs(taps[taps != 0]).min()
    whole = np.round(scaled)
    close = np.abs(scaled - whole).max() <= _RELATIVE_TOLERANCE * np.abs(scaled).max()
    return tuple(float(tap) for tap in (whole if close else taps))
