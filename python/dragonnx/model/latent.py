"""Latent codes: seeds to z, truncation, and files that hold a w_plus."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dragonnx.errors import InputError
from dragonnx.files import written_whole

LARGEST_SEED = 2**32 - 1


def z_of_seed(seed: int, z_dim: int) -> NDArray[np.float32]:
    """The z [1, z_dim] of a seed, drawn as the released StyleGAN2 tools draw it.

    Raises:
        InputError: The seed is not in 0..4294967295.
    """
    if not 0 <= seed <= LARGEST_SEED:
        raise InputError(f"the seed must be a whole number from 0 to {LARGEST_SEED}, not {seed}")
    # The legacy generator, so that a seed shows the picture that other tools show for it.
    return np.random.RandomState(seed).randn(1, z_dim).astype(np.float32)


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
    array = np.asarray(values)
    if array.dtype.kind not in "fiu" or array.ndim > 3 or array.shape[-1:] != (w_dim,):
        raise _unfit(array, num_ws, w_dim)
    array = array.astype(np.float32).reshape(-1, w_dim)
    if len(array) not in (1, num_ws):
        raise _unfit(np.asarray(values), num_ws, w_dim)
    if not np.isfinite(array).all():
        raise InputError("the latent holds values that are not finite numbers")
    return np.ascontiguousarray(np.broadcast_to(array, (num_ws, w_dim)))[None]


def save_latent(path: Path, w_plus: NDArray[np.float32]) -> None:
    """Write w_plus [1, num_ws, w_dim] to an .npz file, all or nothing.

    Raises:
        InputError: The file cannot be written.
    """
    with written_whole(path) as temporary, temporary.open("wb") as file:
        np.savez(file, w_plus=w_plus)


def load_latent(path: str | os.PathLike[str], num_ws: int, w_dim: int) -> NDArray[np.float32]:
    """Read w_plus [1, num_ws, w_dim] from an .npz file: its `w_plus`, or its `w`.

    A `w` of [1, w_dim] or [1, num_ws, w_dim] is what projectors write.

    Raises:
        InputError: The file is missing, is no such archive, or does not fit the model.
    """
    try:
        with Path(path).open("rb") as file:
            values = _latent_in(file, path)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error})") from error
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is no .npz file with w_plus or w in it") from error
    try:
        return checked_w_plus(values, num_ws, w_dim)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _latent_in(file: IO[bytes], path: str | os.PathLike[str]) -> NDArray[np.generic]:
    """The array `w_plus`, or else `w`, of an open .npz file."""
    archive = np.load(file, allow_pickle=False)
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise InputError(f"{path} is no .npz file with w_plus or w in it")
    for name in ("w_plus", "w"):
        if name in archive.files:
            return np.asarray(archive[name])
    held = ", ".join(archive.files) or "nothing"
    raise InputError(f"{path} holds neither w_plus nor w, but {held}")


def _unfit(array: NDArray[np.generic], num_ws: int, w_dim: int) -> InputError:
    return InputError(
        f"a latent of this model has the shape [1, {num_ws}, {w_dim}] (w_plus) or [1, {w_dim}] "
        f"(w), not {list(array.shape)} of {array.dtype}"
    )
