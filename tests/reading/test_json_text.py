"""JSON that others wrote: bounded in every direction, in linear time."""

from __future__ import annotations

import json
import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragonnx.errors import InputError
from dragonnx.reading.json_text import DEEPEST, LARGEST_TEXT, MOST_VALUES, parse_json

_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False,
    allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)  # fmt: skip


@given(value=_values, ascii_only=st.booleans())
def test_what_python_writes_is_read(*, value: object, ascii_only: bool) -> None:
    written = json.dumps(value, ensure_ascii=ascii_only)
    assert parse_json(written, "it") == value
    if ascii_only:
        assert parse_json(written.encode(), "it") == value
        assert parse_json(b"\xef\xbb\xbf" + written.encode(), "it") == value, "as Windows writes it"


@given(st.binary(max_size=60) | st.text('{}[]":,\\ue0123456789truefalsn', max_size=60))
def test_anything_is_read_or_refused(content: bytes | str) -> None:
    try:
        parse_json(content, "it")
    except InputError as error:
        assert str(error).startswith("it ")  # noqa: PT017 most are refused, some are not


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe", "it is no JSON that can be used"),
        (b"", "it is no JSON that can be used"),
        (b"{'a': 1}", "it is no JSON that can be used"),
        (b'{"a": 1, "b": 2, "a": 3}', "the name 'a' comes twice"),
        (b"[NaN]", "NaN is no number"),
        (b"[-Infinity]", "-Infinity is no number"),
        (b"[1e400]", "the number 1e400 is too large"),
        (b"[" + b"9" * 5000 + b"]", "a number of 5000 digits"),
        (b'["' + b"a" * 2000 + b'"]', "too long: at most 1000 bytes"),
    ],
)
def test_what_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_json(content, "it", largest=1000 if b"aa" in content else 10_000)


def test_infinity_where_it_may_be() -> None:
    assert parse_json(b"[Infinity, -Infinity]", "it", infinite=True) == [math.inf, -math.inf]
    with pytest.raises(InputError, match="NaN is no number"):
        parse_json(b"[NaN]", "it", infinite=True)


@pytest.mark.parametrize(("opens", "closes"), [("[", "]"), ('{"a":', "}"), ('["[", ', "]")])
def test_depth_is_bounded_and_brackets_in_texts_do_not_count(opens: str, closes: str) -> None:
    assert parse_json(opens * DEEPEST + "1" + closes * DEEPEST, "it")
    assert parse_json(json.dumps(["[" * 100, '\\"' + "{" * 100]), "it")
    for many in (DEEPEST + 1, 100_000):
        with pytest.raises(InputError, match=f"more than {DEEPEST} lists and objects"):
            parse_json(opens * many, "it")


@pytest.mark.parametrize("piece", ["[],", "{},", '{"a":1},', "1.0,", '"",'])
def test_what_takes_far_more_memory_than_its_text_is_refused(piece: str) -> None:
    some = MOST_VALUES // (3 * len(piece))
    assert len(parse_json("[" + piece * some + "1]", "it")) == some + 1
    many = "[" + piece * (LARGEST_TEXT // len(piece) - 1) + "1]"
    with pytest.raises(InputError, match=f"it holds more than {MOST_VALUES} values"):
        parse_json(many, "it")


@pytest.mark.parametrize("piece", ['"\\', '\\"', '"', "[]", "{", '"a":1,', "\\\\"])
def test_no_text_takes_long(piece: str) -> None:
    """Milliseconds where time is linear in the length; minutes where it is quadratic."""
    began = time.process_time()
    with pytest.raises(InputError):
        parse_json('["' + piece * (2**20 // len(piece)), "it")
    assert time.process_time() - began < 5
