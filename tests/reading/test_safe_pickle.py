"""The pickle machine builds data, and refuses whatever else a pickle can ask for."""

from __future__ import annotations

import enum
import functools
import pickle
import re
import struct
import time
import tracemalloc
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.pickle_files import Call, Raw, dumps, name, opcodes

from dragonnx.errors import InputError
from dragonnx.reading.pickles.inert import inert_class
from dragonnx.reading.pickles.numpy_records import NUMPY, ArrayRecord
from dragonnx.reading.pickles.safe_pickle import MAX_OPCODES, load

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
        | st.sets(st.integers(-100, 100))
    ),
    max_leaves=20,
)

TRICKS = [
    ("os", "system"),
    ("posix", "system"),
    ("nt", "system"),
    ("subprocess", "Popen"),
    ("builtins", "eval"),
    ("builtins", "exec"),
    ("builtins", "getattr"),
    ("builtins", "__import__"),
    ("__builtin__", "eval"),
    ("copyreg", "_reconstructor"),
    ("copyreg", "__newobj__"),
    ("functools", "partial"),
    ("operator", "attrgetter"),
    ("pickle", "loads"),
    ("torch", "load"),
    ("torch.hub", "load"),
    ("numpy", "load"),
    ("numpy.testing._private.utils", "runstring"),
    ("importlib", "import_module"),
    ("collections", "OrderedDict.__init__.__globals__"),
]


@given(PLAIN, st.sampled_from([4, 5]))
def test_plain_data_come_back(value: Any, protocol: int) -> None:
    assert load(pickle.dumps(value, protocol)) == value


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**100), 2**100)
        | st.floats(allow_nan=False)
        | st.text(st.characters(exclude_categories=["Cs"])),
        lambda inner: (
            st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text(), inner)
        ),
        max_leaves=10,
    ),
    st.sampled_from([0, 1]),
)
def test_plain_data_of_the_oldest_protocols_come_back(value: Any, protocol: int) -> None:
    assert load(pickle.dumps(value, protocol)) == value


def test_strings_of_python_2_are_text_and_bytes() -> None:
    """What Python 2.7 wrote of {'a\\n': array([1., 2.], float32)} in protocols 0 and 2."""
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
        b"(I1\n(I2\ntcnumpy\ndtype\n(S'f4'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntb"
        b"I00\nS'\\x00\\x00\\x80?\\x00\\x00\\x00@'\ntb"
    )
    binary = array.replace(b"S'b'\n", b"U\x01b").replace(
        b"S'\\x00\\x00\\x80?\\x00\\x00\\x00@'\n", b"T\x08\0\0\0\0\0\x80?\0\0\0@"
    )
    for data in (b"(dS'a\\n'\n" + array + b"s.", b"\x80\x02}U\x02a\n" + binary + b"s."):
        loaded: Any = load(data, NUMPY)
        np.testing.assert_array_equal(loaded["a\n"].values, np.array([1, 2], np.float32))


@pytest.mark.parametrize("protocol", [2, 3])
def test_sets_of_old_protocols_come_back_as_lists(protocol: int) -> None:
    assert load(pickle.dumps({"hooks": set(), "names": {"a"}}, protocol)) == {
        "hooks": [],
        "names": ["a"],
    }


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<i8", "|b1", "|u1", "<f2"])
def test_numpy_values_come_back(dtype: str, protocol: int) -> None:
    values = np.array([[0, 1, 1], [1, 0, 1]], dtype)
    turned = values.reshape(1, 2, 3).transpose(2, 0, 1)
    written = (values, np.asfortranarray(values), turned, values[0, 1])
    loaded: Any = load(pickle.dumps(written, protocol), NUMPY)
    *records, number = loaded
    for record, expected in zip(records, written, strict=False):
        assert isinstance(record, ArrayRecord)
        np.testing.assert_array_equal(record.values, expected)
    assert number == 1


def test_bytes_come_back_as_views_of_the_file() -> None:
    data = pickle.dumps(b"x" * 1000)
    view = load(data)
    assert isinstance(view, memoryview)
    assert view == b"x" * 1000
    assert view.obj is data


def test_shared_values_come_back_shared() -> None:
    inner = ["a"]
    loaded: Any = load(pickle.dumps((inner, inner)))
    assert loaded[0] is loaded[1]


def test_addresses_and_classes_are_keys_by_name() -> None:
    address = 140_234_567_890_000
    assert load(pickle.dumps({address: 1, -5: 2}, 2)) == {str(address): 1, -5: 2}
    callbacks = b"}" + name("collections", "OrderedDict") + b"Ns"
    assert load(b"\x80\x02" + callbacks + b".") == {"collections.OrderedDict": None}


def test_numbers_and_pairs_are_keys_by_their_text() -> None:
    kept = {0.5: 1, None: 2, (3, "a"): 3, b"x": 4}
    assert load(pickle.dumps(kept)) == {"0.5": 1, "None": 2, "(3, 'a')": 3, "b'x'": 4}


def test_arrays_of_other_values_are_left_where_they_are() -> None:
    kinds = [
        np.zeros(2, "V8"),
        np.rec.array([(1, 2.0)]),
        np.array(["a"]),
        np.zeros(1, np.longdouble),
    ]
    loaded: Any = load(pickle.dumps(kinds), NUMPY, classes=inert_class)
    assert [record.objects for record in loaded] == [[]] * 4


class Odd:
    """Of a module that no vocabulary knows."""

    def __init__(self) -> None:
        self.kept = {"a": [1]}
        self.itself = self


class Table(dict[str, int]):
    """A kind of dict."""


class Row(NamedTuple):
    """A kind of tuple."""

    first: int


class Colour(enum.Enum):
    """A value with a name."""

    RED = 1


HARMLESS = {
    "partial": lambda: functools.partial(int, base=2),
    "enum": lambda: Colour.RED,
    "pattern": lambda: re.compile("a"),
    "function": lambda: len,
    "method": lambda: [].append,
    "class": lambda: Odd,
    "itself": lambda: {"x": Odd()},
    "ellipsis": lambda: ...,
    "iterator": lambda: iter([1, 2]),
    "masked array": lambda: np.ma.array([1, 2]),
    "generator of NumPy": lambda: np.random.default_rng(0),
    "whole number of 17 bytes": lambda: 2**128,
    "key that is an enum": lambda: {Colour.RED: 1},
}


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("case", HARMLESS)
def test_what_is_no_data_is_left_out_and_not_run(case: str, protocol: int) -> None:
    data = pickle.dumps({"odd": HARMLESS[case](), "kept": [1]}, protocol)
    loaded: Any = load(data, NUMPY, classes=inert_class)
    assert loaded["kept"] == [1]


@pytest.mark.parametrize("protocol", range(2, 6))
def test_what_classes_hold_is_kept(protocol: int) -> None:
    odd, table, row = load(pickle.dumps([Odd(), Table(a=1), Row(2)], protocol), classes=inert_class)  # type: ignore[misc]
    assert dict(odd.held()) == {"kept": {"a": [1]}, "itself": odd}
    assert [dict(table.held()), dict(row.held())] == [{"a": 1}, {0: 2}]


@pytest.mark.parametrize(
    ("module", "attribute"),
    [
        ("os", "system"), ("posix", "system"), ("subprocess", "Popen"), ("builtins", "eval"),
        ("builtins", "__import__"), ("__builtin__", "open"), ("importlib", "import_module"),
        ("pickle", "loads"), ("torch.hub", "load"), ("runpy", "run_path"), ("sys", "exit"),
        ("a", "b.__init__.__globals__"), ("a\nb", "c"), ("a", "b c"),
    ],
)  # fmt: skip
def test_names_that_do_harm_elsewhere_are_refused_beside_any_class(
    module: str, attribute: str
) -> None:
    for content in (Call(module, attribute, ("touch /tmp/never",)), opcodes(1)):
        data = opcodes(module) + opcodes(attribute) + b"\x93" + opcodes(content) + b"0."
        with pytest.raises(InputError, match="nothing was run"):
            load(b"\x80\x04" + data, NUMPY, classes=inert_class)


def test_attributes_of_harmful_things_are_refused() -> None:
    for target, attribute in ((name("os", "path"), "join"), ([], "__class__"), ([], "a.__dict__")):
        with pytest.raises(InputError, match="nothing was run"):
            load(dumps(Call("builtins", "getattr", (target, attribute))), classes=inert_class)


def test_a_list_that_many_objects_are_made_of_is_not_copied() -> None:
    wide = b"(" + b"K\x01" * 20_000 + b"t\x94"
    many = (name("a", "b") + b"h\x00\x81") * 3000
    tracemalloc.start()
    try:
        load(b"\x80\x04" + wide + b"(" + many + b"t.", classes=inert_class)
        assert tracemalloc.get_traced_memory()[1] < 10 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("module", "attribute"), TRICKS)
@pytest.mark.parametrize("protocol", ["GLOBAL", "STACK_GLOBAL", "INST", "NEWOBJ", "NEWOBJ_EX"])
def test_foreign_globals_are_named_and_refused(module: str, attribute: str, protocol: str) -> None:
    argument = opcodes(("touch /tmp/never",))
    stacked = opcodes(module) + opcodes(attribute) + b"\x93"
    data = {
        "GLOBAL": name(module, attribute) + argument + b"R",
        "STACK_GLOBAL": stacked + argument + b"R",
        "INST": b"(" + opcodes("touch /tmp/never") + f"i{module}\n{attribute}\n".encode(),
        "NEWOBJ": stacked + argument + b"\x81",
        "NEWOBJ_EX": stacked + argument + b"}\x92",
    }[protocol]
    with pytest.raises(InputError, match="nothing was run") as caught:
        load(b"\x80\x04" + data + b".", NUMPY)
    assert f"{module}.{attribute}" in str(caught.value)


ODD = {
    "REDUCE on text": opcodes("os.system") + opcodes(()) + b"R",
    "REDUCE on a dict": opcodes({}) + opcodes(()) + b"R",
    "REDUCE with a list of arguments": name("collections", "OrderedDict") + opcodes([]) + b"R",
    "REDUCE on a mere name": name("numpy", "ndarray") + opcodes(()) + b"R",
    "OBJ": b"(" + name("collections", "OrderedDict") + b"o",
    "INST of an allowed global": b"(icollections\nOrderedDict\n",
    "NEWOBJ_EX with keywords": name("collections", "OrderedDict")
    + b")"
    + opcodes({"a": 1})
    + b"\x92",
    "BUILD on text": opcodes("x") + opcodes({"__class__": "y"}) + b"b",
    "BUILD on a global": name("collections", "OrderedDict") + opcodes({"x": 1}) + b"b",
    "EXT1": b"\x82\x01",
    "EXT2": b"\x83\x01\x00",
    "EXT4": b"\x84\x01\x00\x00\x00",
    "PERSID": b"Pspam\n",
    "BINPERSID": opcodes("spam") + b"Q",
    "NEXT_BUFFER": b"\x97",
    "READONLY_BUFFER": b"\x98",
    "DUP": b"]2",
    "INT of letters": b"Ix1\n",
    "INT of 5000 digits": b"I" + b"9" * 5000 + b"\n",
    "INT without an end": b"I1",
    "LONG of a fraction": b"L1.5L\n",
    "FLOAT of letters": b"Fx\n",
    "STRING without quotes": b"Sabc\n",
    "UNICODE of half a character": b"V\\ud800\n",
    "PUT twice": b"]p0\np0\n",
    "GET of nothing": b"g7\n",
    "DICT of three": b"(NNNd",
    "STRING": b"S'\\x41\\q'\n",
    "LONG4": b"\x8b\x04\x00\x00\x00abcd",
    "LONG1 too long": b"\x8a\xff" + b"\x01" * 255,
    "unknown opcode": b"\xff",
    "STACK_GLOBAL of numbers": opcodes(1) + opcodes(2) + b"\x93",
    "stack underflow": b"R",
    "TUPLE3 of two": b"NN\x87",
    "APPENDS without a mark": b"]Ne",
    "APPEND on a tuple": b")Na",
    "SETITEMS of three": b"}(NNNu",
    "SETITEM on a list": b"]NNs",
    "BINGET of nothing": b"h\x07",
    "BINPUT of nothing": b"q\x00",
    "BINPUT twice": b"]q\x00]q\x00",
    "bad UTF-8": b"\x8c\x02\xff\xfe",
    "surrogate": b"\x8c\x03\xed\xa0\x80",
    "GLOBAL without lines": b"c" + b"x" * 1000,
    "dict with a list as key": b"}]Ns",
    "dict with a tuple as key": b"})Ns",
    "dict with a long tuple as key": b"}" + opcodes(tuple("abcdefghi")) + b"Ns",
    "dict with a huge key": b"}" + opcodes(1 << 61) + b"Ns",
    "set of lists": b"\x8f(]\x90",
    "frozenset of dicts": b"(}\x91",
    "list in itself": b"]\x94h\x00a",
    "dict in itself": b"}\x94" + opcodes("me") + b"h\x00s",
    "list in its tuple": b"]\x94(h\x00ta",
    "scalar without type": Call("numpy.core.multiarray", "scalar", (1, b"")),
}


@pytest.mark.parametrize("data", ODD.values(), ids=ODD.keys())
def test_odd_pickles_are_refused(data: Any) -> None:
    code = opcodes(data) if isinstance(data, Call) else data
    with pytest.raises(InputError) as caught:
        load(b"\x80\x04" + code + b".", NUMPY)
    assert "\n" not in str(caught.value)


def test_python_pickles_of_cycles_are_refused() -> None:
    cycle: list[Any] = []
    cycle.append((cycle, {"x": cycle}))
    with pytest.raises(InputError, match="contains itself"):
        load(pickle.dumps(cycle))


BOMBS = {
    "BINBYTES8 of 2**60": b"\x8e" + struct.pack("<Q", 1 << 60),
    "BYTEARRAY8 of 2**60": b"\x96" + struct.pack("<Q", 1 << 60),
    "BINUNICODE8 of 2**63": b"\x8d" + struct.pack("<Q", 1 << 63),
    "BINUNICODE of 4 GiB": b"X\xff\xff\xff\xff",
    "memo index of 2**32": b"]r\xff\xff\xff\xff" + b"q\x01" * 3,
    "array of 10**12": Call(
        "numpy._core.numeric",
        "_frombuffer",
        (b"1234", Call("numpy", "dtype", ("f4", False, True)), (10**6, 10**6), "C"),
    ),
    "array of 17 dimensions": Call(
        "numpy._core.numeric",
        "_frombuffer",
        (b"1234", Call("numpy", "dtype", ("f4", False, True)), (1,) * 17, "C"),
    ),
    "set called of a set": Call("builtins", "set", (Raw(b"\x8f"),)),
    "tuple as wide as its square": b")" + b"\x94h\x00\x86" * 100 + b"Nh\x00q\x00",
}


@pytest.mark.parametrize("data", BOMBS.values(), ids=BOMBS.keys())
def test_bombs_are_refused_without_allocating(data: Any) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(InputError):
            load(dumps(data) if isinstance(data, Call) else b"\x80\x04" + data, NUMPY)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_tuples_that_double_are_never_hashed() -> None:
    """A key of 2**60 nested parts costs nothing, as only text and numbers are keys."""
    doubling = b")\x94" + b"".join(
        b"h" + bytes([i]) + b"h" + bytes([i]) + b"\x86\x94" for i in range(60)
    )
    started = time.process_time()
    with pytest.raises(InputError, match="as a key"):
        load(b"\x80\x04" + doubling + b"}h" + bytes([60]) + b"Ns.")
    assert time.process_time() - started < 1


def test_deep_nesting_is_no_crash() -> None:
    depth = 300_000
    assert load(b"\x80\x04" + b"]" * depth + b"a" * (depth - 1) + b".") is not None
    assert load(b"\x80\x04" + b")" + b"\x85" * depth + b".") is not None


def test_opcodes_are_counted() -> None:
    with pytest.raises(InputError, match="opcodes"):
        load(b"\x80\x04" + b"]" * (MAX_OPCODES + 1))


@pytest.mark.parametrize("cut", range(60))
def test_every_truncation_is_refused(cut: int) -> None:
    data = pickle.dumps({"a": [1, 2.5, "text", b"bytes"], "b": (None, True)})
    with pytest.raises(InputError):
        load(data[: min(cut, len(data) - 1)])
