"""Tensors that PyTorch pickled, as views of NumPy arrays: storages, sizes, strides.

A storage's data are looked at only when a tensor in it is asked for.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dragonnx.errors import InputError
from dragonnx.reading.pickles.numpy_records import ArrayRecord, from_bfloat16, sizes
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
_UNTYPED = "UntypedStorage"
_TYPES = {
    "float32": "<f4", "float": "<f4", "float16": "<f2", "half": "<f2", "float64": "<f8", "double": "<f8",
    "int64": "<i8", "long": "<i8", "int32": "<i4", "int16": "<i2", "int8": "|i1", "uint8": "|u1",
    "uint16": "<u2", "uint32": "<u4", "uint64": "<u8", "bool": "|b1",
}  # fmt: skip
"""By the names that PyTorch has for them; NumPy has no others of these."""
_OTHER_NAMES = ("bfloat16", "contiguous_format", "strided", "channels_last")


@dataclass(frozen=True, eq=False)
class Storage:
    """A flat array that several tensors may share, still packed.

    Attributes:
        unpack: Gives the elements, in a row.
        unread: What its elements are, where they cannot be read; else empty.
    """

    unpack: Callable[[], NDArray[np.generic]]
    unread: str = ""

    @functools.cached_property
    def values(self) -> NDArray[np.generic]:
        """The elements, in a row.

        Raises:
            InputError: The data are damaged or incomplete.
        """
        return self.unpack()


@dataclass(frozen=True, eq=False)
class Tensor:
    """A view into a storage, as the file states it; checked when it is asked for.

    Attributes:
        type: What the elements are, where the storage does not say it; else empty.
        negated: Whether the storage holds the elements with the other sign.
    """

    storage: object
    offset: object
    shape: object
    strides: object
    type: str = ""
    negated: bool = False

    @property
    def unread(self) -> str:
        """What its elements are, where they cannot be read; else empty."""
        if self.type and self.type not in _TYPES:
            return self.type
        return self.storage.unread if isinstance(self.storage, Storage) else ""

    def array(self) -> NDArray[np.generic]:
        """The elements, as a read-only view unless their sign is to be turned.

        Raises:
            InputError: The view leaves its storage or repeats it beyond the bound.
        """
        if self.unread:
            raise InputError(f"it holds values of type {self.unread}, where float32 is expected")
        if not isinstance(self.storage, Storage) or type(self.offset) is not int:
            raise InputError(DAMAGED)
        shape, strides = sizes(self.shape), sizes(self.strides)
        if len(shape) != len(strides) or self.offset < 0:
            raise InputError(DAMAGED)
        values = self.storage.values
        if self.type:
            values = values.view(_TYPES[self.type])
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
        view = np.lib.stride_tricks.as_strided(values[self.offset :], shape, steps, writeable=False)
        if not self.negated:
            return view
        if view.dtype.kind not in "fic":
            raise InputError(DAMAGED)
        negative: NDArray[np.generic] = np.negative(view)
        return negative


@dataclass(frozen=True)
class StorageId:
    """What a persistent id says of a storage.

    Attributes:
        code: The type of its numbers, empty for one that is not read.
        key: Which it is.
        count: How many elements.
        name: Of its class.
    """

    code: str
    key: str
    count: int
    name: str

    @property
    def size(self) -> int:
        """How many bytes the elements take.

        Raises:
            InputError: That is not known.
        """
        if not self.code:
            raise InputError(f"it holds a tensor of {self.name}, where float32 is expected")
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
        InputError: It is of another form.
    """
    match value:
        case ("storage", Global(name=name), str(key), _, int(count)) | (
            "storage",
            Global(name=name),
            str(key),
            _,
            int(count),
            None,
        ):
            code = "|u1" if name == _UNTYPED else _STORAGE_CODES.get(name, "")
            return StorageId(code, key, count, name)
    raise InputError("it holds a tensor whose storage is described in an unknown way")


def _rebuild_tensor(arguments: tuple[object, ...]) -> object:
    """(storage, offset, size, stride), and from v2 on requires_grad, hooks and metadata."""
    if len(arguments) < 4:
        raise InputError(DAMAGED)
    storage, offset, shape, strides = arguments[:4]
    return Tensor(storage, offset, shape, strides, negated=_is_negated(arguments[6:]))


def _rebuild_typed(arguments: tuple[object, ...]) -> object:
    """(storage, offset, size, stride, requires_grad, hooks, type, metadata), for late types."""
    match arguments:
        case (storage, offset, shape, strides, _, _, Global(name=name), *metadata):
            return Tensor(storage, offset, shape, strides, name, _is_negated(metadata))
    raise InputError(DAMAGED)


def _is_negated(metadata: Sequence[object]) -> bool:
    """Whether the metadata, where there are any, say that the sign is kept apart: a lazy negation."""
    given = metadata[0] if metadata else None
    return isinstance(given, dict) and given.get("neg") is True


def _rebuild_of_class(arguments: tuple[object, ...]) -> object:
    """(function, class, its arguments, state): a tensor of a class of somebody's own."""
    match arguments:
        case (Global(module=module, name=name), _, tuple(inner), *_):
            rebuild = TENSORS.get((module, name))
            if rebuild is not None:
                return rebuild(inner)
    return _unread_tensor("unknown (a class of its own)")


def _rebuild_quantised(arguments: tuple[object, ...]) -> object:
    """Whole numbers that stand for others, in a way that is said beside them."""
    return _unread_tensor("quantised", *arguments[2:4])


def _rebuild_without_values(arguments: tuple[object, ...]) -> object:
    """(type, size, stride): a tensor of the device "meta"."""
    return _unread_tensor("meta (there are none)", *arguments[1:3])


def _rebuild_sparse(arguments: tuple[object, ...]) -> object:
    """(layout, (places, values, size, ...)), of some layouts with more kinds of places."""
    inner = arguments[1] if len(arguments) > 1 else None
    parts = inner if isinstance(inner, tuple) else ()
    shape = next((part for part in parts if isinstance(part, tuple)), ())
    return _unread_tensor("sparse", shape)


def _unread_tensor(kind: str, shape: object = (), strides: object = ()) -> Tensor:
    return Tensor(None, 0, shape, strides, type=kind)


def _rebuild_parameter(arguments: tuple[object, ...]) -> object:
    """(tensor, requires_grad, hooks): the tensor."""
    if not arguments:
        raise InputError(DAMAGED)
    return arguments[0]


def _rebuild_of_device(arguments: tuple[object, ...]) -> object:
    """(array or tensor in memory, type, device, requires_grad): what some accelerators write."""
    if not arguments or not isinstance(arguments[0], ArrayRecord | Tensor):
        raise InputError(DAMAGED)
    return arguments[0]


def _size(arguments: tuple[object, ...]) -> object:
    return sizes(arguments[0] if len(arguments) == 1 else None)


def _device(arguments: tuple[object, ...]) -> object:
    return arguments


TENSORS: Vocabulary = {
    ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v3"): _rebuild_typed,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): _rebuild_parameter,
    ("torch._utils", "_rebuild_qtensor"): _rebuild_quantised,
    ("torch._utils", "_rebuild_device_tensor_from_numpy"): _rebuild_of_device,
    ("torch._utils", "_rebuild_device_tensor_from_cpu_tensor"): _rebuild_of_device,
    ("torch._utils", "_rebuild_xla_tensor"): _rebuild_of_device,
    ("torch._utils", "_rebuild_meta_tensor_no_storage"): _rebuild_without_values,
    ("torch._utils", "_rebuild_sparse_tensor"): _rebuild_sparse,
    ("torch._utils", "_rebuild_sparse_csr_tensor"): _rebuild_sparse,
    ("torch._utils", "_rebuild_nested_tensor"): _rebuild_sparse,
    ("torch._tensor", "_rebuild_from_type_v2"): _rebuild_of_class,
    ("torch._tensor", "_rebuild_from_type"): _rebuild_of_class,
    ("torch", "Size"): _size,
    ("torch", "device"): _device,
    ("torch.storage", _UNTYPED): None,
    **{("torch", name): None for name in (*_STORAGE_CODES, *_TYPES, *_OTHER_NAMES)},
}
"""The globals of PyTorch that rebuild tensors."""
