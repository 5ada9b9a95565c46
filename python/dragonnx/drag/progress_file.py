"""The file in which a drag or an inversion keeps how far it got, and what it belongs to.

An archive of NumPy's, `.npz`: arrays, and under `facts` numbers and words as JSON.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from dragonnx.errors import InputError
from dragonnx.files import save_bytes
from dragonnx.reading.json_text import parse_json
from dragonnx.reading.npy_array import TEXT, member_array, text_of
from dragonnx.reading.values import entry, record
from dragonnx.reading.zip_archive import opened_archive
from dragonnx.types import Array

_LARGEST = 2**30
"""Bytes: the latents of some 29,000 steps at 512 numbers in 18 layers."""
_OTHER = "is no progress file of a drag or an inversion"
_FACTS = "facts"


def key_of(settings: object, *arrays: Array) -> str:
    """The key of a problem: all that must be the same for its steps to go on.

    Args:
        settings: Numbers and words, as JSON takes them.
        arrays: In a fixed order, with fixed types.
    """
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(array.tobytes())
    digest.update(json.dumps(settings, sort_keys=True).encode())
    return digest.hexdigest()


def write_progress(
    path: str | os.PathLike[str], key: str, facts: Mapping[str, object], arrays: Mapping[str, Array]
) -> None:
    """Write progress with the key of what it belongs to, all or nothing.

    Raises:
        OutputError: The file cannot be written.
    """
    text = np.array(json.dumps({"key": key, **facts}))
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **{_FACTS: text}, **arrays)
    save_bytes(content.getvalue(), path)


@dataclass(frozen=True)
class SavedProgress:
    """What a progress file holds.

    Attributes:
        facts: Numbers and words.
        arrays: By name.
    """

    facts: Mapping[str, Any]
    arrays: Mapping[str, Array]

    def array(self, name: str, dtype: DTypeLike, shape: tuple[int, ...]) -> Array:
        """An array of a type and shape, of finite numbers.

        Raises:
            InputError: There is none, or it is another.
        """
        found: Array = entry(self.arrays, name)
        if found.dtype != dtype or found.shape != shape or not np.isfinite(found).all():
            raise InputError(
                f"{name} must be finite numbers of type {np.dtype(dtype)} in the shape "
                f"{list(shape)}, not {found.dtype} {list(found.shape)}"
            )
        return found


def read_progress(path: str | os.PathLike[str], key: str, refusal: str) -> SavedProgress:
    """Read what `write_progress` wrote.

    Args:
        path: The file.
        key: What its key must be.
        refusal: What is said of a file with another key, after its path.

    Raises:
        InputError: The file cannot be read, or has another key.
    """
    with opened_archive(path, _LARGEST, _OTHER) as archive:
        if f"{_FACTS}.npy" not in archive.names:
            raise InputError(f"it {_OTHER}")
        text = text_of(member_array(archive, f"{_FACTS}.npy", TEXT), _FACTS)
        facts = record(parse_json(text, _FACTS, infinite=True), _FACTS)
        if entry(facts, "key") != key:
            raise InputError(refusal)
        names = [name.removesuffix(".npy") for name in archive.names]
        arrays = {name: member_array(archive, f"{name}.npy") for name in names if name != _FACTS}
    return SavedProgress(facts, arrays)
