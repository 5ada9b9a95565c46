"""Constants as graphs keep them, with a digest by which equal ones are told."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[Any] | float | Sequence[float]


@dataclass(frozen=True, eq=False)
class Constant:
    """An array as a graph holds it. What several graphs need is made once, and so hashed once.

    Attributes:
        values: int64 or float32, little-endian, in C order. It must not be changed.
        digest: SHA-256 of its bytes.
        whole: What it is the beginning of, beside which it needs no place of its own; else None.
    """

    values: NDArray[Any]
    digest: bytes
    whole: Constant | None = None

    @classmethod
    def of(cls, values: Values) -> Constant:
        """A constant of these values: int64 stays, everything else becomes float32.

        An array that has the right form already is not copied.
        """
        array = np.asarray(values)
        # ascontiguousarray would turn a scalar into a vector, so ask for the order instead.
        array = np.asarray(array, "<i8" if array.dtype == np.int64 else "<f4", order="C")
        return cls(array, hashlib.sha256(array.data).digest())

    def first(self, count: int) -> Constant:
        """The first so many along the first axis: a part that shares this constant's place."""
        if count == len(self.values):
            return self
        values = self.values[:count]
        return Constant(values, hashlib.sha256(values.data).digest(), self.whole or self)

    def shaped(self, *shape: int) -> Constant:
        """The same numbers in another shape."""
        return Constant(self.values.reshape(shape), self.digest, self.whole)

    @property
    def key(self) -> tuple[str, tuple[int, ...], bytes]:
        """Equal for constants of equal type, shape and bytes."""
        return self.values.dtype.str, self.values.shape, self.digest
