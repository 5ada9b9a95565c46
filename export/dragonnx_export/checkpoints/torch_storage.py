"""Tensors that PyTorch pickled, as views of NumPy arrays: storages, sizes, strides.

`torch.storage._load_from_bytes` carries a whole nested file made by `torch.save`. Its two forms
are read here: the old one, a row of pickles with raw data behind them, and the zip. A payload
is looked at only when a tensor in it is asked for.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dragonnx_export.checkpoints.checkpoint import CheckpointError
from dragonnx_export.checkpoints.numpy_records import sizes
from dragonnx_export.checkpoints.safe_pickle import load, load_first
from dragonnx_export.checkpoints.vocabulary import DAMAGED, Global, Vocabulary
from dragonnx_export.checkpoints.zip_members import ZIP_MAGIC, zip_members

LEGACY_MAGIC = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
"""The first pickle of every file in torch.save's old form: one number."""

MAX_EXPANDED_ELEMENTS = 1 << 20
"""How many elements a tensor may have beyond those of its storage (a stride of 0 repeats)."""

_PROTOCOL_VERSION = 1001
_NESTED_OPCODES = 1000  # a nested file takes some thirty
_MAX_ZIP_BYTES = 1 << 26  # several times the largest weight; a zip is copied to be read
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
}
_OTHER_NAMES = (
    ("BFloat16Storage", "ComplexFloatStorage", "ComplexDoubleStorage"),
    ("float32", "float16", "float64", "bfloat16", "int64", "int32", "int16", "int8", "uint8"),
    ("bool", "float", "half", "double", "long", "contiguous_format", "strided", "channels_last"),
)


@dataclass(frozen=True, eq=False)
class Storage:
    """A flat array that several tensors may share, still packed."""

    payload: memoryview

    @functools.cached_property
    def values(self) -> NDArray[np.generic]:
        """The elements, in a row.

        Raises:
            CheckpointError: The payload is no intact file of one storage.
        """
        if self.payload[:4] == ZIP_MAGIC:
            return _read_zip(self.payload)
        return _read_legacy(self.payload)


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
            CheckpointError: The view leaves its storage or repeats it beyond the bound.
        """
        if not isinstance(self.storage, Storage) or type(self.offset) is not int:
            raise CheckpointError(DAMAGED)
        shape, strides = sizes(self.shape), sizes(self.strides)
        if len(shape) != len(strides) or self.offset < 0:
            raise CheckpointError(DAMAGED)
        values = self.storage.values
        count = math.prod(shape)
        if count == 0:
            return np.zeros(0, values.dtype).reshape(shape)
        last = self.offset + sum((n - 1) * s for n, s in zip(shape, strides, strict=True))
        if last >= values.size:
            raise CheckpointError(
                "it holds a tensor that reaches outside its storage; fetch it again"
            )
        if count > values.size + MAX_EXPANDED_ELEMENTS:
            raise CheckpointError(
                f"it holds a tensor of {count} elements in a storage of {values.size}, more than "
                "any weight repeats itself"
            )
        steps = tuple(
            s * values.itemsize if n > 1 else 0 for n, s in zip(shape, strides, strict=True)
        )
        return np.lib.stride_tricks.as_strided(values[self.offset :], shape, steps, writeable=False)


@dataclass(frozen=True, eq=False)
class _StorageId:
    """What a persistent id says of a storage: where its data are and how many."""

    code: str
    key: str
    count: int

    def filled(self, raw: bytes | memoryview) -> NDArray[np.generic]:
        values: NDArray[np.generic] = np.frombuffer(raw, self.code)
        return values


def _storage_id(value: object) -> _StorageId:
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
                raise CheckpointError(f"it holds a tensor of {name}, where float32 is expected")
            return _StorageId(_STORAGE_CODES[name], key, count)
    raise CheckpointError("it holds a tensor whose storage is described in an unknown way")


def _read_legacy(payload: memoryview) -> NDArray[np.generic]:
    """Pickles of magic number, version, system, object and keys; a count; the raw data."""
    if payload[: len(LEGACY_MAGIC)] != LEGACY_MAGIC:
        raise CheckpointError("it holds a tensor whose data are not in the form of torch.save")
    rest = payload[len(LEGACY_MAGIC) :]
    version, rest = load_first(rest, max_opcodes=_NESTED_OPCODES)
    system, rest = load_first(rest, max_opcodes=_NESTED_OPCODES)
    stored, rest = load_first(rest, TORCH, _storage_id, max_opcodes=_NESTED_OPCODES)
    keys, rest = load_first(rest, max_opcodes=_NESTED_OPCODES)
    if type(version) is not int or version != _PROTOCOL_VERSION:
        raise CheckpointError("it holds a tensor in an unknown version of torch.save's format")
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise CheckpointError("it holds a tensor saved on a big-endian machine, which is not read")
    if not isinstance(stored, _StorageId) or type(keys) is not list or keys != [stored.key]:
        raise CheckpointError("it holds nested data that are not one storage")
    count, raw = int.from_bytes(rest[:8], "little"), rest[8:]
    size = count * np.dtype(stored.code).itemsize
    if len(rest) < 8 or count != stored.count or size > len(raw):
        raise CheckpointError("it holds a tensor whose data end early; fetch it again")
    return stored.filled(raw[:size])


def _read_zip(payload: memoryview) -> NDArray[np.generic]:
    """A zip of FOLDER/data.pkl, FOLDER/byteorder and FOLDER/data/KEY."""
    if len(payload) > _MAX_ZIP_BYTES:
        raise CheckpointError("it holds a tensor of more bytes than any weight of StyleGAN2 has")
    members = {
        name.partition("/")[2]: contents
        for name, contents in zip_members(bytes(payload), len(payload))
    }
    if members.get("byteorder", b"little") != b"little":
        raise CheckpointError("it holds a tensor saved on a big-endian machine, which is not read")
    stored = load(members.get("data.pkl", b""), TORCH, _storage_id, _NESTED_OPCODES)
    if not isinstance(stored, _StorageId):
        raise CheckpointError("it holds nested data that are not one storage")
    raw = members.get(f"data/{stored.key}", b"")
    if len(raw) != stored.count * np.dtype(stored.code).itemsize:
        raise CheckpointError("it holds a tensor whose data end early; fetch it again")
    return stored.filled(raw)


def _load_from_bytes(arguments: tuple[object, ...]) -> object:
    if len(arguments) != 1 or not isinstance(arguments[0], memoryview):
        raise CheckpointError(DAMAGED)
    return Storage(arguments[0])


def _rebuild_tensor(arguments: tuple[object, ...]) -> object:
    """(storage, offset, size, stride), and from v2 on requires_grad and hooks."""
    if len(arguments) < 4:
        raise CheckpointError(DAMAGED)
    return Tensor(*arguments[:4])


def _rebuild_parameter(arguments: tuple[object, ...]) -> object:
    """(tensor, requires_grad, hooks): the tensor."""
    if not arguments or not isinstance(arguments[0], Tensor):
        raise CheckpointError(DAMAGED)
    return arguments[0]


def _size(arguments: tuple[object, ...]) -> object:
    return sizes(arguments[0] if len(arguments) == 1 else None)


def _device(arguments: tuple[object, ...]) -> object:
    return arguments


TORCH: Vocabulary = {
    ("torch.storage", "_load_from_bytes"): _load_from_bytes,
    ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
    ("torch", "Size"): _size,
    ("torch", "device"): _device,
    **{("torch", name): None for name in _STORAGE_CODES},
    **{("torch", name): None for names in _OTHER_NAMES for name in names},
}
"""The globals of PyTorch that a checkpoint may name."""
