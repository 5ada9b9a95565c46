"""Builds pickles opcode by opcode, and the files of torch.save, without torch."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C


class Call(NamedTuple):
    """What a pickle writes as a global called with arguments."""

    module: str
    name: str
    arguments: tuple[Any, ...]


class Raw(bytes):
    """Opcodes that go into a pickle as they are."""


class PersistentId(NamedTuple):
    identity: tuple[Any, ...]


def dumps(value: Any) -> bytes:
    return b"\x80\x04" + opcodes(value) + b"."


def opcodes(value: Any) -> bytes:  # noqa: PLR0911
    """The value in opcodes of protocol 2, without any sharing."""
    match value:
        case Raw():
            return bytes(value)
        case None | True | False:
            return {None: b"N", True: b"\x88", False: b"\x89"}[value]
        case int() if abs(value) < 1 << 31:
            return b"J" + struct.pack("<i", value)
        case int():
            return b"\x8a\x0a" + value.to_bytes(10, "little", signed=True)
        case float():
            return b"G" + struct.pack(">d", value)
        case str():
            return b"X" + struct.pack("<I", len(value.encode())) + value.encode()
        case bytes():
            return b"B" + struct.pack("<I", len(value)) + value
        case Call():
            return name(value.module, value.name) + opcodes(value.arguments) + b"R"
        case PersistentId():
            return opcodes(value.identity) + b"Q"
        case tuple():
            return b"(" + b"".join(map(opcodes, value)) + b"t"
        case list():
            return b"](" + b"".join(map(opcodes, value)) + b"e"
        case dict():
            return b"}(" + b"".join(opcodes(part) for pair in value.items() for part in pair) + b"u"
    raise TypeError(type(value))


def name(module: str, attribute: str) -> Raw:
    return Raw(f"c{module}\n{attribute}\n".encode())


def legacy_storage(values: NDArray[Any], kind: str = "FloatStorage", **changes: Any) -> bytes:
    """A flat array as torch.save's old form; `changes` replace parts of it."""
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"int": 4}}
    identity = ("storage", name("torch", kind), "77", "cpu", values.size, None)
    parts = {
        "magic": b"\x80\x02\x8a\x0a" + LEGACY_MAGIC.to_bytes(10, "little") + b".",
        "version": dumps(1001),
        "system": dumps(system),
        "object": dumps(PersistentId(identity)),
        "keys": dumps(["77"]),
        "count": struct.pack("<q", values.size),
        "raw": values.tobytes(),
    }
    return b"".join({**parts, **changes}.values())


def zip_storage(values: NDArray[Any], kind: str = "FloatStorage", **changes: bytes) -> bytes:
    """A flat array as torch.save's zip; `changes` replace members."""
    identity = ("storage", name("torch", kind), "0", "cpu", values.size)
    members = {"data.pkl": dumps(PersistentId(identity)), "byteorder": b"little"}
    members |= {"data/0": values.tobytes(), "version": b"3\n", **changes}
    return zipped({f"archive/{key}": contents for key, contents in members.items()})


def zipped(members: Mapping[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for member, contents in members.items():
            archive.writestr(zipfile.ZipInfo(member), contents, compression)
    return stream.getvalue()


def npy(values: NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, values)
    return stream.getvalue()


def tensor(values: NDArray[Any]) -> Call:
    """A tensor as torch pickles it outside torch.save."""
    kind = {"f": "FloatStorage", "d": "DoubleStorage", "l": "LongStorage"}[values.dtype.char]
    storage = Call("torch.storage", "_load_from_bytes", (legacy_storage(values.ravel(), kind),))
    strides = tuple(stride // values.itemsize for stride in values.strides)
    hooks = Call("collections", "OrderedDict", ())
    return Call(
        "torch._utils", "_rebuild_tensor_v2", (storage, 0, values.shape, strides, False, hooks)
    )


def torch_zip(content: Any, compression: int = zipfile.ZIP_STORED) -> bytes:
    """What torch.save writes today of plain data with arrays in it: those become tensors."""
    storages: list[NDArray[Any]] = []
    pickled = dumps(_with_tensors(content, storages))
    members = {"data.pkl": pickled, "byteorder": b"little", "version": b"3\n"}
    members |= {f"data/{key}": values.tobytes() for key, values in enumerate(storages)}
    return zipped({f"archive/{key}": data for key, data in members.items()}, compression)


def torch_legacy(content: Any) -> bytes:
    """The same in torch.save's old form."""
    storages: list[NDArray[Any]] = []
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"int": 4}}
    pickled = dumps(_with_tensors(content, storages, (None,)))
    keys = [str(key) for key in range(len(storages))]
    parts = [b"\x80\x02\x8a\x0a" + LEGACY_MAGIC.to_bytes(10, "little") + b".", dumps(1001)]
    parts += [dumps(system), pickled, dumps(keys)]
    parts += [struct.pack("<q", values.size) + values.tobytes() for values in storages]
    return b"".join(parts)


def _with_tensors(value: Any, storages: list[NDArray[Any]], end: tuple[None, ...] = ()) -> Any:
    """Plain data with a call in place of each array, whose numbers are added to the storages."""
    if isinstance(value, Raw | Call | PersistentId):
        return value
    if isinstance(value, dict):
        return {key: _with_tensors(part, storages, end) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_with_tensors(part, storages, end) for part in value)
    if not isinstance(value, np.ndarray):
        return value
    code = {"f": "Float", "d": "Double", "e": "Half", "H": "BFloat16", "l": "Long"}
    kind = name("torch", f"{code[value.dtype.char]}Storage")
    identity = PersistentId(("storage", kind, str(len(storages)), "cuda:0", value.size, *end))
    storages.append(value)
    strides = tuple(stride // value.itemsize for stride in value.strides)
    hooks = Call("collections", "OrderedDict", ())
    return Call(
        "torch._utils", "_rebuild_tensor_v2", (identity, 0, value.shape, strides, True, hooks)
    )
