"""Nested files of torch.save, old form and zip, and the tensors that view them."""

from __future__ import annotations

import contextlib
import struct
import zipfile
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from support.pickle_files import (
    Call,
    PersistentId,
    dumps,
    legacy_storage,
    name,
    opcodes,
    zip_storage,
    zipped,
)

from dragonnx.errors import InputError
from dragonnx.reading.pickles.safe_pickle import load
from dragonnx.reading.pickles.torch_file import TORCH
from dragonnx.reading.pickles.torch_storage import MAX_EXPANDED_ELEMENTS, Tensor

VALUES = np.arange(24, dtype=np.float32)
KINDS = [
    ("FloatStorage", np.float32),
    ("HalfStorage", np.float16),
    ("DoubleStorage", np.float64),
    ("LongStorage", np.int64),
    ("IntStorage", np.int32),
    ("ShortStorage", np.int16),
    ("CharStorage", np.int8),
    ("ByteStorage", np.uint8),
    ("BoolStorage", np.bool_),
]


def read(payload: bytes, offset: Any, shape: Any, strides: Any) -> NDArray[Any]:
    storage = Call("torch.storage", "_load_from_bytes", (payload,))
    rebuilt = Call(
        "torch._utils", "_rebuild_tensor_v2", (storage, offset, shape, strides, False, ())
    )
    loaded = load(dumps(Call("torch._utils", "_rebuild_parameter", (rebuilt, True, ()))), TORCH)
    assert isinstance(loaded, Tensor)
    return loaded.array()


@pytest.mark.parametrize(
    ("metadata", "sign"), [({"neg": True}, -1), ({"neg": False}, 1), ({}, 1), (None, 1)]
)
@pytest.mark.parametrize("late", [False, True])
def test_a_sign_that_lies_beside_the_numbers(metadata: Any, sign: int, late: bool) -> None:
    storage = Call("torch.storage", "_load_from_bytes", (legacy_storage(VALUES),))
    parts = (storage, 0, (2, 12), (12, 1), False, ())
    tensor = (
        Call("torch._utils", "_rebuild_tensor_v3", (*parts, name("torch", "float32"), metadata))
        if late
        else Call("torch._utils", "_rebuild_tensor_v2", (*parts, metadata))
    )
    loaded = load(dumps(tensor), TORCH)
    assert isinstance(loaded, Tensor)
    np.testing.assert_array_equal(loaded.array(), sign * VALUES.reshape(2, 12))


@pytest.mark.parametrize(
    "function", ["_rebuild_device_tensor_from_cpu_tensor", "_rebuild_xla_tensor"]
)
def test_a_tensor_of_another_device_is_the_one_in_memory(function: str) -> None:
    storage = Call("torch.storage", "_load_from_bytes", (legacy_storage(VALUES),))
    inner = Call("torch._utils", "_rebuild_tensor_v2", (storage, 0, (24,), (1,), False, ()))
    arguments = (inner, name("torch", "float32"), "xla:0", False)
    loaded = load(dumps(Call("torch._utils", function, arguments)), TORCH)
    assert isinstance(loaded, Tensor)
    np.testing.assert_array_equal(loaded.array(), VALUES)
    with pytest.raises(InputError):
        load(dumps(Call("torch._utils", function, ("text", *arguments[1:]))), TORCH)


@pytest.mark.parametrize("build", [legacy_storage, zip_storage])
@pytest.mark.parametrize(("kind", "dtype"), KINDS)
def test_both_forms_of_every_type(build: Any, kind: str, dtype: Any) -> None:
    values = np.array([0, 1, 1, 0, 1, 0]).astype(dtype)
    array = read(build(values, kind), 0, (2, 3), (3, 1))
    assert array.dtype == dtype
    np.testing.assert_array_equal(array, values.reshape(2, 3))


@pytest.mark.parametrize(
    ("offset", "shape", "strides", "expected"),
    [
        (0, (), (), VALUES[0]),
        (23, (1,), (1,), VALUES[23:]),
        (5, (2, 3), (1, 2), VALUES[5:11].reshape(3, 2).T),
        (4, (3, 4), (0, 1), np.tile(VALUES[4:8], (3, 1))),
        (24, (0, 3), (3, 1), np.zeros((0, 3))),
        (0, (1, 2), (10**9, 1), VALUES[None, :2]),
    ],
)
def test_views(offset: int, shape: Any, strides: Any, expected: Any) -> None:
    array = read(legacy_storage(VALUES), offset, shape, strides)
    np.testing.assert_array_equal(array, expected)
    assert not array.flags.writeable or not array.size


def test_torch_size_is_a_tuple() -> None:
    array = read(legacy_storage(VALUES), 0, Call("torch", "Size", ((4, 6),)), (6, 1))
    assert array.shape == (4, 6)


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [
        (1, (4, 6), (6, 1)),
        (24, (1,), (1,)),
        (0, (2,), (24,)),
        (0, (10**6, 10**6), (10**6, 1)),
        (0, (10**6, 10**6), (0, 0)),
        (0, (MAX_EXPANDED_ELEMENTS + 25,), (0,)),
        (0, (1 << 60,) * 3, (0, 0, 0)),
        (-1, (4,), (1,)),
        (10, (4,), (-1,)),
        (0, (-4,), (1,)),
        (0, (4,), (1, 1)),
        (0, (1,) * 17, (1,) * 17),
        (0, [4], (1,)),
        (0, (4.0,), (1,)),
        (0, (True,), (1,)),
        (None, (4,), (1,)),
    ],
)
def test_views_that_leave_their_storage_are_refused(offset: Any, shape: Any, strides: Any) -> None:
    with pytest.raises(InputError):
        read(legacy_storage(VALUES), offset, shape, strides)


def stored(kind: Any = None, *rest: Any) -> bytes:
    identity = (
        "storage",
        kind or name("torch", "FloatStorage"),
        *(rest or ("77", "cpu", 24, None)),
    )
    return dumps(PersistentId(identity))


DAMAGED_LEGACY = {
    "another magic number": {"magic": dumps(7)},
    "another version": {"version": dumps(1002)},
    "a true version": {"version": dumps(True)},
    "big-endian": {"system": dumps({"little_endian": False})},
    "no system": {"system": dumps(None)},
    "no storage": {"object": dumps([1, 2])},
    "another key": {"keys": dumps(["78"])},
    "no keys": {"keys": dumps([])},
    "two keys": {"keys": dumps(["77", "78"])},
    "another count": {"count": struct.pack("<q", 23)},
    "negative count": {"count": struct.pack("<q", -1)},
    "huge count": {
        "count": struct.pack("<q", 1 << 60),
        "object": stored(None, "77", "cpu", 1 << 60, None),
    },
    "short data": {"raw": b"\0" * 95},
    "no data": {"count": b"", "raw": b""},
    "an unknown type": {"object": stored(name("torch", "Float4Storage"))},
    "a type that is no storage": {"object": stored(name("torch", "float32"))},
    "a foreign type": {"object": stored(name("os", "system"))},
    "a view of another storage": {"object": stored(None, "77", "cpu", 24, ("88", 0, 24))},
    "a text as count": {"object": stored(None, "77", "cpu", "24", None)},
    "a module id": {"object": dumps(PersistentId(("module", "x", "y", "z")))},
    "a nested call": {"system": dumps(Call("os", "system", ("true",)))},
    "many opcodes": {"system": b"\x80\x02" + b"]" * 2000 + b"."},
}


@pytest.mark.parametrize("changes", DAMAGED_LEGACY.values(), ids=DAMAGED_LEGACY.keys())
def test_damaged_old_form_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        read(legacy_storage(VALUES, **changes), 0, (4,), (1,))


DAMAGED_ZIP: dict[str, dict[str, bytes]] = {
    "big-endian": {"byteorder": b"big"},
    "no storage": {"data.pkl": dumps(3)},
    "empty pickle": {"data.pkl": b""},
    "short data": {"data/0": b"\0" * 95},
    "long data": {"data/0": b"\0" * 97},
    "another key": {"data.pkl": stored(None, "1", "cpu", 24)},
    "negative count": {"data.pkl": stored(None, "0", "cpu", -24)},
    "a nested call": {"data.pkl": dumps(Call("os", "system", ("true",)))},
}


@pytest.mark.parametrize("changes", DAMAGED_ZIP.values(), ids=DAMAGED_ZIP.keys())
def test_damaged_zip_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        read(zip_storage(VALUES, **changes), 0, (4,), (1,))


def test_zip_bomb_is_refused() -> None:
    bomb = zipped({"archive/data/0": bytes(1 << 24)}, zipfile.ZIP_DEFLATED)
    with pytest.raises(InputError, match="unpacks to"):
        read(bomb, 0, (4,), (1,))


def test_zip_that_lies_about_its_size_is_refused() -> None:
    """The directory says 16 bytes; the compressed data hold 16 MiB."""
    members = {"archive/data.pkl": stored(None, "0", "cpu", 4), "archive/data/0": bytes(1 << 24)}
    bomb = bytearray(zipped(members, zipfile.ZIP_DEFLATED))
    size = struct.pack("<I", 1 << 24)
    while (at := bomb.find(size)) >= 0:
        bomb[at : at + 4] = struct.pack("<I", 16)
    with pytest.raises(InputError, match="truncated or damaged"):
        read(bytes(bomb), 0, (4,), (1,))


@given(st.data())
def test_mutations_give_values_or_an_error(data: st.DataObject) -> None:
    payload = bytearray(data.draw(st.sampled_from([legacy_storage(VALUES), zip_storage(VALUES)])))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(payload) - 1))
        payload[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    with contextlib.suppress(InputError):
        assert read(bytes(payload), 0, (4, 6), (6, 1)).shape == (4, 6)


def test_payloads_are_looked_at_only_when_asked_for() -> None:
    """A discriminator's damaged tensors do no harm to the generator beside it."""
    storage = opcodes(Call("torch.storage", "_load_from_bytes", (b"damaged",)))
    load(b"\x80\x02" + storage + b".", TORCH)
