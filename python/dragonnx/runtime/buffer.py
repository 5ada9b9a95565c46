"""Tensors with a place of their own, which stays: what graphs are bound to."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from dragonnx.runtime.ort import onnxruntime
from dragonnx.runtime.providers import Device
from dragonnx.runtime.turns import turn
from dragonnx.types import Array

_ALIGNMENT = 256
"""Bytes: what CUDA gives its own allocations, and a multiple of any cache line."""

NUMPY_TYPES = {
    "tensor(float)": np.float32,
    "tensor(int64)": np.int64,
    "tensor(uint8)": np.uint8,
}


class Memory:
    """A piece of a device's memory, written and read as a whole.

    Args:
        device: Whose.
        size: In bytes.
        value: The tensor of ONNX Runtime that owns it; None takes new memory.
    """

    def __init__(self, device: Device, size: int, value: Any = None) -> None:
        self.device = device
        self._value = new_tensor(device, (max(size, 1),), np.uint8) if value is None else value
        self.pointer: int = self._value.data_ptr()
        self.array: Array | None = None
        """The bytes themselves where the host can reach them, else None."""
        if device.provider.memory == "cpu":
            content: Any = (ctypes.c_uint8 * size).from_address(self.pointer)
            content.owner = self._value  # whoever keeps a view of the bytes keeps them alive
            self.array = np.frombuffer(content, np.uint8)

    def write(self, content: Array) -> None:
        """Replace all bytes by those of a C-contiguous array."""
        if self.array is not None:
            self.array[...] = content.reshape(-1).view(np.uint8)
        else:
            with turn(self.device):
                self._value.update_inplace(content)

    def read(self) -> Array:
        """A copy of all bytes in host memory."""
        with turn(self.device):
            found = self._value.numpy() if self.array is None else self.array.copy()
        return found.reshape(-1).view(np.uint8)

    def __del__(self) -> None:
        with turn(self.device):
            self._value = None


class Buffer:
    """A tensor in a piece of memory.

    Args:
        memory: Where it lies.
        shape: Its shape.
        dtype: Its type.
        offset: Of its first byte.
    """

    def __init__(
        self, memory: Memory, shape: tuple[int, ...], dtype: DTypeLike, offset: int = 0
    ) -> None:
        self.memory = memory
        self.shape = shape
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self._offset = offset

    @classmethod
    def empty(cls, device: Device, shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> Buffer:
        """A tensor in memory of its own, with no values yet."""
        return cls.holding(device, new_tensor(device, shape, dtype))

    @classmethod
    def holding(cls, device: Device, value: Any) -> Buffer:
        """The memory of a tensor that ONNX Runtime made on a device."""
        shape, dtype = tuple(value.shape()), np.dtype(NUMPY_TYPES[value.data_type()])
        return cls(Memory(device, math.prod(shape) * dtype.itemsize, value), shape, dtype)

    @property
    def pointer(self) -> int:
        """The address of its first element."""
        return self.memory.pointer + self._offset

    @property
    def array(self) -> Array | None:
        """The tensor itself where the host can reach it, else None."""
        content = self.memory.array
        return None if content is None else self._view(content)

    def write(self, values: Array) -> None:
        """Replace all values, of a buffer that has its memory for itself."""
        self.memory.write(np.ascontiguousarray(values, self.dtype))

    def read(self) -> Array:
        """A copy in host memory, of a buffer that has its memory for itself."""
        return self._view(self.memory.read())

    def reshaped(self, shape: tuple[int, ...]) -> Buffer:
        """The same values in another shape of as many."""
        return Buffer(self.memory, shape, self.dtype, self._offset)

    def part(self, first: int, end: int) -> Buffer:
        """The entries from `first` up to `end` of a tensor [1, n, ...], along its second axis."""
        _, _, *rest = self.shape
        step = math.prod(rest) * self.dtype.itemsize
        shape = (1, end - first, *rest)
        return Buffer(self.memory, shape, self.dtype, self._offset + first * step)

    def _view(self, content: Array) -> Array:
        size = math.prod(self.shape) * self.dtype.itemsize
        inside: Array = content[self._offset : self._offset + size].view(self.dtype)
        return inside.reshape(self.shape)


class BufferPack:
    """Several tensors side by side in one piece of memory, so that one copy writes all of them.

    Args:
        device: Where they lie.
        values: What they hold at first; their shapes and types stay.
    """

    def __init__(self, device: Device, values: Mapping[str, Array]) -> None:
        places: dict[str, int] = {}
        end = 0
        for name, array in values.items():
            places[name] = end
            end += array.nbytes + -array.nbytes % _ALIGNMENT
        self._memory = Memory(device, end)
        self.buffers: dict[str, Buffer] = {
            name: Buffer(self._memory, array.shape, array.dtype, places[name])
            for name, array in values.items()
        }
        content = self._memory.array
        self._staged = np.zeros(end, np.uint8) if content is None else content
        self._views = {name: buffer._view(self._staged) for name, buffer in self.buffers.items()}
        self.write(values)

    def write(self, values: Mapping[str, Array]) -> None:
        """Replace the values of all tensors; others are ignored."""
        for name, view in self._views.items():
            view[...] = values[name]
        if self._memory.array is None:
            self._memory.write(self._staged)


def new_tensor(device: Device, shape: tuple[int, ...], dtype: DTypeLike) -> Any:
    """ONNX Runtime's own tensor, in memory of its own, with no values yet."""
    make = onnxruntime().OrtValue.ortvalue_from_shape_and_type
    with turn(device):
        return make(shape, dtype, device.provider.memory, device.ordinal)
