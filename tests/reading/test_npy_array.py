"""Arrays of strangers: the header is checked before memory is taken, and nothing runs."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from dragonnx.errors import InputError
from dragonnx.reading.npy_array import NUMBERS, TEXT, read_npy, text_of
from dragonnx.types import Array


def npy(array: Array, *, allow_pickle: bool = False) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=allow_pickle)
    return buffer.getvalue()


def read(content: bytes, kinds: str = NUMBERS) -> Array:
    return read_npy(io.BytesIO(content), len(content), "w.npy", kinds)


def headed(header: str, data: bytes = b"") -> bytes:
    text = header.encode()
    return b"\x93NUMPY\x02\x00" + len(text).to_bytes(4, "little") + text + data


@given(arrays.arrays(st.sampled_from([np.float32, ">f8", "<f2", np.int16, ">u4"]),
                     arrays.array_shapes(min_dims=0, min_side=0)), st.booleans())  # fmt: skip
def test_what_numpy_writes_is_read(array: Array, in_fortrans_order: bool) -> None:
    written = np.asfortranarray(array) if in_fortrans_order else array
    found = read(npy(written))
    np.testing.assert_array_equal(found, array)
    assert found.dtype == array.dtype.newbyteorder("=")
    assert found.dtype.isnative


@pytest.mark.parametrize("text", ["", "abc", "\U0001f600é"])
@pytest.mark.parametrize("order", "<>")
def test_a_text_is_read(text: str, order: str) -> None:
    array = np.array(text).astype(f"{order}U{max(len(text), 1)}")
    assert text_of(read(npy(array), TEXT), "facts.npy") == text


def test_what_is_no_text() -> None:
    wild = np.full((), 0xFFFFFFFF, np.uint32).view("U1")
    with pytest.raises(InputError, match="characters that are none"):
        text_of(wild, "facts.npy")
    for array in (np.array(["a", "b"]), np.zeros(())):
        with pytest.raises(InputError, match=r"facts\.npy must hold one text"):
            text_of(array, "facts.npy")


@pytest.mark.parametrize(
    ("shape", "size"),
    [("(1000000000,)", 8), ("(2,)", 8), ("(0,)", 4), ("(0, 4611686018427387904)", 0), ("(-1,)", 0),
     ("(-2, -1)", 8), ("(True, 1)", 8), (f"({'1,' * 70})", 8), ("(99999999999999999999,)", 8),
     ("(4294967296, 4294967296)", 8)],
)  # fmt: skip
def test_a_shape_that_is_not_the_datas_takes_no_memory(shape: str, size: int) -> None:
    content = headed(f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}", bytes(size))
    tracemalloc.start()
    with pytest.raises(InputError, match=r"w\.npy has (another size|a shape)"):
        read(content)
    assert tracemalloc.get_traced_memory()[1] < 100_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    "descr",
    ["'|O'", "'<c8'", "'<U3'", "'|S8'", "'<M8[s]'", "'|b1'", "'|V8'", "'<f16'", "[('a', '<f8')]",
     "('<f8', (3,))"],
)  # fmt: skip
def test_other_types_are_refused(descr: str) -> None:
    content = headed(f"{{'descr': {descr}, 'fortran_order': False, 'shape': (1,), }}", bytes(8))
    with pytest.raises(InputError, match=r"w\.npy (holds values of a type|is no array)"):
        read(content)


def test_a_pickle_is_not_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[Path]]:
            return Path.mkdir, (tmp_path / "sprung",)

    with pytest.raises(InputError, match="type that cannot be used, object"):
        read(npy(np.array([Trap()], object), allow_pickle=True))
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    "header", ["", "{", "[" * 9000, "{[]: 1}", "1", "{'descr': '<f8'}", "{" * 20_000, "\\d'"]
)
def test_headers_that_are_none(header: str) -> None:
    with pytest.raises(InputError, match=r"w\.npy is no array"):
        read(headed(header))


def test_a_file_that_is_cut_short() -> None:
    whole = npy(np.zeros(100))
    for length in (0, 5, 9, 50, len(whole) - 1):
        with pytest.raises(InputError, match=r"w\.npy (is|has)"):
            read(whole[:length])
        with pytest.raises(InputError, match=r"w\.npy (is|has)"):
            read_npy(io.BytesIO(whole[:length]), len(whole), "w.npy")


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 140), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_mutated_array_is_read_or_refused(changes: list[tuple[int, int]]) -> None:
    content = bytearray(npy(np.arange(3, dtype=np.float32)))
    for at, value in changes:
        content[at % len(content)] = value
    try:
        assert read(bytes(content)).nbytes <= len(content)
    except InputError as error:
        assert str(error).startswith("w.npy ")  # noqa: PT017 most are refused, some are not
