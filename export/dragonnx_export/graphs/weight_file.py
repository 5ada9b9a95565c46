"""One file of weights that all graphs of a bundle share: every array is stored once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from dragonnx_export.graphs.constant import Constant

_ALIGNMENT = 64
"""Bytes: a cache line, so that a memory-mapped array can be read by vector instructions."""


class WeightFile:
    """Says where each array is to lie; constants of equal bytes share their place.

    Of the same bytes in another shape there is one copy too: the shape is the graph's. What is the
    beginning of a larger constant lies at the beginning of that. Nothing is copied before `write`.

    Args:
        name: The file's name inside the bundle.
    """

    def __init__(self, name: str = "weights.bin") -> None:
        self.name = name
        self._arrays: list[NDArray[Any]] = []
        self._offsets: dict[bytes, int] = {}
        self._end = 0

    @property
    def size(self) -> int:
        """Bytes of the file so far."""
        return self._end

    def tensor(self, name: str, constant: Constant) -> onnx.TensorProto:
        """An ONNX tensor whose values lie in this file, as little-endian raw data."""
        values, kept = constant.values, constant.whole or constant
        if kept.digest not in self._offsets:
            offset = self._end + -self._end % _ALIGNMENT
            self._offsets[kept.digest] = offset
            self._arrays.append(kept.values)
            self._end = offset + kept.values.nbytes
        tensor = TensorProto()
        tensor.name = name
        tensor.data_type = helper.np_dtype_to_tensor_dtype(values.dtype)
        tensor.dims.extend(values.shape)
        tensor.data_location = TensorProto.EXTERNAL
        offset = self._offsets[kept.digest]
        place = {"location": self.name, "offset": offset, "length": values.nbytes}
        for key, value in place.items():
            entry = tensor.external_data.add()
            entry.key, entry.value = key, str(value)
        return tensor

    def write(self, folder: Path) -> None:
        """Write the file into a folder."""
        with (folder / self.name).open("wb") as file:
            for array in self._arrays:
                file.write(bytes(-file.tell() % _ALIGNMENT))
                file.write(array.data)
