"""Tensors that PyTorch pickled, as views of NumPy arrays: storages, sizes, strides.

A storage's data are looked at only when a tensor in it is asked for.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dragonnx.errors import InputError
from dragonnx.reading.pickles.numpy_records import from_bfloat16, sizes
from dragonnx.reading.pickles.vocabulary import DAMAGED, Global, Vocabulary

MAX_EXPANDED_ELEMENTS = 1 << 20
"""How many elements a tensor may have beyond those of its storage (a stride of 0 repeats)."""

_BFLOAT16 = "bfloat16"
_STORAGE_CODES = {
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "DoubleStorage": "<f8",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "|i1",
    "ByteStorage": "|u1",
    "BoolStorage": "|b1",
    "BFloat16Storage": _BFLOAT16,
    "ComplexFloatStorage": "<c8",
    "ComplexDoubleStorage": "<c16",
    "QInt8Storage": "|i1",
    "QUInt8Storage": "|u1",
    "QInt32Storage": "<i4",
}
_OTHER_NAMES = (
    ("float32", "float16", "float64", "bfloat16", "int64", "int32", "int16", "int8", "uint8"),
    ("bool", "float", "half", "double", "long", "contiguous_format", "strided", "channels_last"),
)


@dataclass(frozen=True, eq=False)
class Storage:
    """A flat array that several tensors may share, still packed."""

    unpack: Callable[[], NDArray[np.generic]]

    @functools.cached_property
    def values(self) -> NDArray[np.generic]:
        """The elements, in a row.

        Raises:
            InputError: The data are damaged or incomplete.
        """
        return self.unpack()


@dataclass(frozen=True, eq=False)
class Tensor:
    """A view into a storage, as the file states it; checked when it is asked for."""

    storage: object
    offset: object
    shape: object
    strides: object

    def array(self) -> NDArray[np.generic]:
        """The elements as a read-only view.

        Raises:
            InputError: The view leaves its storage or repeats it beyond the bound.
        """
        if not isinstance(self.storage, Storage) or type(self.offset) is not int:
            raise InputError(DAMAGED)
        shape, strides = sizes(self.shape), sizes(self.strides)
        if len(shape) != len(strides) or self.offset < 0:
            raise InputError(DAMAGED)
        values = self.storage.values
        count = math.prod(shape)
        if count == 0:
            return np.zeros(0, values.dtype).reshape(shape)
        last = self.offset + sum((n - 1) * s for n, s in zip(shape, strides, strict=True))
        if last >= values.size:
            raise InputError("it holds a tensor that reaches outside its storage; fetch it again")
        if count > values.size + MAX_EXPANDED_ELEMENTS:
            raise InputError(
                f"it holds a tensor of {count} elements in a storage of {values.size}, more than "
                "any weight repeats itself"
            )
        steps = tuple(
            s * values.itemsize if n > 1 else 0 for n, s in zip(shape, strides, strict=True)
        )
        return np.lib.stride_tricks.as_strided(values[self.offset :], shape, steps, writeable=False)


@dataclass(frozen=True)
class StorageId:
    """What a persistent id says of a storage: its number type, its key, how many elements."""

    code: str
    key: str
    count: int

    @property
    def size(self) -> int:
        """How many bytes the elements take."""
        return self.count * (2 if self.code == _BFLOAT16 else np.dtype(self.code).itemsize)

    def filled(self, raw: memoryview) -> NDArray[np.generic]:
        """The elements, which these bytes must be.

        Raises:
            InputError: There are more or fewer bytes.
        """
        if len(raw) != self.size:
            raise InputError("it holds a tensor whose data end early; fetch it again")
        if self.code == _BFLOAT16:
            return from_bfloat16(raw)
        values: NDArray[np.generic] = np.frombuffer(raw, self.code)
        return values


def storage_id(value: object) -> StorageId:
    """A persistent id, read.

    Raises:
        InputError: It is of another form, or of a number type that is not read.
    """
    match value:
        case ("storage", Global(module="torch", name=name), str(key), _, int(count)) | (
            "storage",
            Global(module="torch", name=name),
            str(key),
            _,
            int(count),
            None,
        ):
            if name not in _STORAGE_CODES:
                raise InputError(f"it holds a tensor of {name}, where float32 is expected")
            return StorageId(_STORAGE_CODES[name], key, count)
    raise InputError("it holds a tensor whose storage is described in an unknown way")


def _rebuild_tensor(arguments: tuple[object, ...]) -> object:
    """(storage, offset, size, stride), and from v2 on requires_grad and hooks."""
    if len(arguments) < 4:
        raise InputError(DAMAGED)
    return Tensor(*arguments[:4])


def _rebuild_parameter(arguments: tuple[object, ...]) -> object:
    """(tensor, requires_grad, hooks): the tensor."""
    if not arguments or not isinstance(arguments[0], Tensor):
        raise InputError(DAMAGED)
    return arguments[0]


def _size(arguments: tuple[object, ...]) -> object:
    return sizes(arguments[0] if len(arguments) == 1 else None)


def _device(arguments: tuple[object, ...]) -> object:
    return arguments


TENSORS: Vocabulary = {
    ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): _rebuild_parameter,
    ("torch", "Size"): _size,
    ("torch", "device"): _device,
    **{("torch", name): None for name in _STORAGE_CODES},
    **{("torch", name): None for names in _OTHER_NAMES for name in names},
}
"""The globals of PyTorch that rebuild tensors."""
