"""Arrays that came from outside, checked for type, shape and finite numbers, as `values` does."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from dragonnx.errors import InputError
from dragonnx.reading.values import shown

W_PLUS = (1, "num_ws", "w_dim")
"""The shape of a latent, whichever model it is for."""
Scalar = TypeVar("Scalar", bound=np.generic)


def as_array(value: object, name: str) -> NDArray[Any]:
    """What NumPy makes of a value: of an array, of lists, of a tensor on any device.

    A tensor is taken without its gradient, and copied to memory where it lies elsewhere. PyTorch is
    not needed for it: whatever has these methods is asked.

    Raises:
        InputError: NumPy makes no array of it.
    """
    given = value
    try:
        for method in ("detach", "cpu"):
            if callable(make := getattr(value, method, None)):
                value = make()
        try:
            return np.asarray(value)
        except TypeError:
            if not callable(make := getattr(value, "float", None)):
                raise
            return np.asarray(make())  # a tensor of bfloat16, which NumPy does not have
    # Lists of different lengths, a tensor that is sparse or has no data: each library's own error.
    except (TypeError, ValueError, RuntimeError, NotImplementedError) as error:
        raise InputError(f"{name} must be an array, not {shown(given)}") from error


def checked_array(
    value: object, name: str, shape: tuple[int | str, ...], dtype: type[Scalar]
) -> NDArray[Scalar]:
    """An array of that type and shape, the same one where it is of the type already.

    Args:
        value: Anything.
        name: What messages call it.
        shape: Lengths of the axes; a name stands for any length.
        dtype: Of the result: a type of floats takes finite numbers, `np.bool_` true and false alone.

    Raises:
        InputError: It is no such array, or holds a number that is not finite.
    """
    array = as_array(value, name)
    fits = array.dtype.kind in ("b" if dtype is np.bool_ else "fiu")
    if not fits or not _has_shape(array, shape):
        lengths = ", ".join(map(str, shape))
        kind = "true and false" if dtype is np.bool_ else "numbers"
        raise InputError(
            f"{name} must be an array [{lengths}] of {kind}, not "
            f"{str(list(array.shape))[:40]} of {str(array.dtype)[:40]}"
        )
    with np.errstate(over="ignore"):  # that is refused here
        found = array.astype(dtype, copy=False)
    # The smallest and the largest show what is not finite, without an array of flags.
    if found.size and not (np.isfinite(found.min()) and np.isfinite(found.max())):
        raise InputError(f"{name} holds numbers that are not finite")
    return found


def _has_shape(array: NDArray[Any], shape: tuple[int | str, ...]) -> bool:
    return array.ndim == len(shape) and all(
        isinstance(asked, str) or found == asked
        for found, asked in zip(array.shape, shape, strict=True)
    )
