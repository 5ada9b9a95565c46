"""One file of weights that all graphs of a bundle share: every array is stored once."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

_ALIGNMENT = 64
"""Bytes: a cache line, so that a memory-mapped array can be read by vector instructions."""


class WeightFile:
    """Appends arrays and remembers where each lies; equal arrays share their place.

    Args:
        name: The file's name inside the bundle.
    """

    def __init__(self, name: str = "weights.bin") -> None:
        self.name = name
        self._content = bytearray()
        self._offsets: dict[bytes, int] = {}

    def tensor(self, name: str, array: NDArray[Any]) -> onnx.TensorProto:
        """An ONNX tensor whose values lie in this file, as little-endian raw data."""
        raw = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
        digest = hashlib.sha256(raw).digest()
        if digest not in self._offsets:
            self._content.extend(bytes(-len(self._content) % _ALIGNMENT))
            self._offsets[digest] = len(self._content)
            self._content.extend(raw)
        tensor = TensorProto()
        tensor.name = name
        tensor.data_type = helper.np_dtype_to_tensor_dtype(np.dtype(array.dtype))
        tensor.dims.extend(array.shape)
        tensor.data_location = TensorProto.EXTERNAL
        place = {"location": self.name, "offset": self._offsets[digest], "length": len(raw)}
        for key, value in place.items():
            entry = tensor.external_data.add()
            entry.key, entry.value = key, str(value)
        return tensor

    def to_bytes(self) -> bytes:
        """The whole file."""
        return bytes(self._content)
