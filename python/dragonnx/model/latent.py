"""Latent codes: seeds to z, truncation, and the file of a w_plus."""

from __future__ import annotations

import io
import os

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dragonnx.errors import InputError
from dragonnx.files import save_bytes
from dragonnx.model.facts import LARGEST_PSI
from dragonnx.reading.array_values import W_PLUS, as_array, checked_array
from dragonnx.reading.values import number, shown, whole

LARGEST_SEED = 2**32 - 1
_MOST_SEEDS = 10_000
"""At once: their latents take 400 MB where a w_plus has 18 x 512 numbers."""


def checked_seed(seed: object) -> int:
    """A seed.

    Raises:
        InputError: It is no whole number in 0..4294967295.
    """
    return whole(seed, "seed", 0, LARGEST_SEED)


def checked_psi(truncation_psi: object) -> float:
    """A truncation psi.

    Raises:
        InputError: It is no finite number, or a very large one.
    """
    return number(truncation_psi, "truncation_psi", -LARGEST_PSI, LARGEST_PSI)


def checked_seeds(seeds: object) -> list[int]:
    """One seed, or several in a list, a tuple, a range or an array of one axis.

    Raises:
        InputError: One is no seed, or there are none or very many.
    """
    if isinstance(seeds, np.ndarray) and seeds.ndim == 1:
        seeds = seeds[: _MOST_SEEDS + 1].tolist()
    if isinstance(seeds, range):
        seeds = list(seeds[: _MOST_SEEDS + 1])
    if not isinstance(seeds, list | tuple):
        return [checked_seed(seeds)]
    if not 0 < len(seeds) <= _MOST_SEEDS:
        count = len(seeds) if len(seeds) <= _MOST_SEEDS else "more"
        raise InputError(f"seed must be one or a list of 1 to {_MOST_SEEDS} seeds, not {count}")
    return [checked_seed(each) for each in seeds]


def z_of_seed(seed: int, z_dim: int) -> NDArray[np.float32]:
    """The z [1, z_dim] of a seed, drawn as the released StyleGAN2 tools draw it.

    Raises:
        InputError: The seed is not in 0..4294967295.
    """
    # The legacy generator, so that a seed shows the picture that other tools show for it.
    return np.random.RandomState(checked_seed(seed)).randn(1, z_dim).astype(np.float32)


def truncate(
    w: NDArray[np.float32], w_avg: NDArray[np.float32], truncation_psi: float
) -> NDArray[np.float32]:
    """Pull w [N, w_dim] towards w_avg [w_dim]: 0 gives w_avg, 1 gives w (StyleGAN, section 4)."""
    return (w_avg + np.float32(truncation_psi) * (w - w_avg)).astype(np.float32)


def checked_w_plus(values: ArrayLike, num_ws: int, w_dim: int) -> NDArray[np.float32]:
    """A latent as w_plus [1, num_ws, w_dim]; a single w is repeated for every layer.

    Args:
        values: w_plus [1, num_ws, w_dim] or [num_ws, w_dim], or w [1, 1, w_dim], [1, w_dim] or
            [w_dim].
        num_ws: How many w's the model takes.
        w_dim: Length of each.

    Raises:
        InputError: The shape fits neither, or a value is not finite.
    """
    try:
        array = as_array(values, "a latent")
    except InputError as error:
        raise InputError("a latent must be an array of numbers") from error
    rows = array.size // w_dim
    fits = array.dtype.kind in "fiu" and array.ndim <= 3 and array.shape[-1:] == (w_dim,)
    if not fits or rows not in (1, num_ws):
        advice = ""
        if array.ndim == 0 and array.dtype.kind in "iu":
            advice = f"; that of a seed is generator.w_plus(seed={shown(array.item())})"
        elif array.ndim == 3 and array.shape[1:] == (num_ws, w_dim):
            advice = f"; these are {len(array)} latents, of which latents[:1] is the first"
        raise InputError(
            f"a latent of this model has the shape [1, {num_ws}, {w_dim}] (w_plus) or [1, {w_dim}] "
            f"(w), not {list(array.shape)} of {array.dtype}{advice}"
        )
    with np.errstate(over="ignore"):  # that is refused below
        latent = array.astype(np.float32).reshape(rows, w_dim)
    if not np.isfinite(latent).all():
        raise InputError("the latent holds values that are not finite numbers")
    return np.ascontiguousarray(np.broadcast_to(latent, (num_ws, w_dim)))[None]


def save_latent(w_plus: ArrayLike, path: str | os.PathLike[str]) -> None:
    """Write w_plus [1, num_ws, w_dim] to an .npz file, all or nothing.

    Raises:
        InputError: It is no such latent, or the file cannot be written.
    """
    w_plus = checked_array(w_plus, "w_plus", W_PLUS, np.float32)
    content = io.BytesIO()
    np.savez(content, w_plus=w_plus)
    save_bytes(content.getvalue(), path)
