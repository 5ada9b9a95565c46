"""Values from outside: type and range, and refusals that name the field."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import pytest

from dragonnx.errors import InputError
from dragonnx.reading.values import (
    entry,
    flag,
    items,
    number,
    one_of,
    point,
    positive,
    record,
    shown,
    text,
    whole,
    within,
)


def refusal(check: Callable[[], object]) -> str:
    with pytest.raises(InputError) as refused:
        check()
    return str(refused.value)


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3), np.array(3)])
def test_whole_numbers(value: object) -> None:
    found = whole(value, "seed", 0, 3)
    assert type(found) is int
    assert found == 3


@pytest.mark.parametrize(
    "value",
    [4, -1, 2.0, 1.5, True, False, np.True_, np.float32(1), "1", None, [1], 10**5000],
    ids=shown,
)
def test_what_is_no_whole_number(value: object) -> None:
    assert refusal(lambda: whole(value, "seed", 0, 3)).startswith(
        "seed must be a whole number from 0 to 3, not "
    )


@pytest.mark.parametrize("value", [0.5, np.float32(0.5), np.float64(0.5)])
def test_numbers(value: object) -> None:
    for found in (number(value, "r", 0, 1), positive(value, "r", 1)):
        assert type(found) is float
        assert found == 0.5
    assert number(np.int8(1), "r", 0, 1) == 1
    assert number(0, "r", 0, 1) == 0


@pytest.mark.parametrize(
    "value",
    [2, -0.1, float("nan"), float("inf"), 1e308, True, np.True_, "0.5", None, 1j, 10**5000,
     np.array([0.5]), np.float32("nan")],
    ids=shown,
)  # fmt: skip
def test_what_is_no_number(value: object) -> None:
    assert refusal(lambda: number(value, "r", 0, 1)).startswith("r must be a number from 0 to 1, ")
    assert refusal(lambda: positive(value, "r", 1)).startswith("r must be a positive number, at ")


def test_nothing_is_not_positive() -> None:
    assert refusal(lambda: positive(0, "r1", 512)) == (
        "r1 must be a positive number, at most 512, not 0"
    )


def test_flags_and_words() -> None:
    assert flag(value=True, name="masked")
    assert refusal(lambda: flag(1, "masked")) == "masked must be true or false, not 1"
    assert one_of("w", "space", ("w+", "w")) == "w"
    assert refusal(lambda: one_of("z", "space", ("w+", "w"))) == "space must be w+ or w, not 'z'"
    assert refusal(lambda: one_of(["w"], "o", ("a", "b", "w"))) == "o must be a, b or w, not ['w']"


def test_texts() -> None:
    odd_name = b"\xff.png".decode("utf-8", "surrogateescape")
    assert text(odd_name, "name", 10) == odd_name, "a file's name that is no UTF-8"
    assert refusal(lambda: text("abc", "name", 2)) == "name must have at most 2 characters, not 3"
    assert refusal(lambda: text(b"a", "name", 2)) == "name must be a text, not b'a'"
    unusable = ["a\0", "\ud800"][: 1 if os.name == "nt" else 2]  # Windows has such names
    for each in unusable:
        assert "holds a character that is none" in refusal(lambda e=each: text(e, "name", 9))


@pytest.mark.parametrize("value", [(1, 2), [1.0, 2], np.array([1, 2]), (np.float32(1), 2)])
def test_points(value: object) -> None:
    assert point(value, "handle", 9) == (1.0, 2.0)
    assert all(type(x) is float for x in point(value, "handle", 9))


@pytest.mark.parametrize(
    "value",
    [(1,), (1, 2, 3), (1, 10), (1, float("nan")), "12", {1: 1, 2: 2}, {1, 2}, None, 3, (True, 1),
     np.zeros((2, 2))],
)  # fmt: skip
def test_what_is_no_point(value: object) -> None:
    assert refusal(lambda: point(value, "handle", 9)).startswith(
        "handle must be a point (x, y) of numbers from -9 to 9, not "
    )


def test_lists_and_entries() -> None:
    assert items((1, 2), "pairs", 2) == (1, 2)
    assert refusal(lambda: items([1, 2], "pairs", 1)) == "pairs must have at most 1 entries, not 2"
    assert refusal(lambda: items("ab", "pairs", 9)) == "pairs must be a list, not 'ab'"
    assert record({"a": 1}, "start", 1) == {"a": 1}
    assert refusal(lambda: record([], "start")) == "start must hold values by name, not []"
    assert "at most 1 entries" in refusal(lambda: record({"a": 1, "b": 2}, "start", 1))
    assert refusal(lambda: entry({}, "seed")) == "seed is missing"


def test_the_place_of_a_field_is_told() -> None:
    def check() -> None:
        with within("pairs[2]"), within("handle"):
            whole(1.5, "x", 0, 1)

    assert refusal(check) == "pairs[2].handle.x must be a whole number from 0 to 1, not 1.5"


def test_what_is_shown_of_a_value_is_short() -> None:
    assert shown(np.float32(0.5)) == "0.5"
    assert shown(10**5000) == "a number of more than 38 digits"
    for value in ("a" * 10**6, [1] * 10**6, [10**5000], {"a": "b" * 99}, np.zeros((99, 99))):
        assert len(shown(value)) < 80


def test_what_is_shown_is_short() -> None:
    for value in (
        "x" * 10**6,
        [[["x" * 99] * 99] * 99] * 99,
        {str(n): [n] * 99 for n in range(99)},
    ):
        assert len(shown(value)) < 250
