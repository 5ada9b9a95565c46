"""Labels: one class, several, several with weights; typed, kept as JSON, and given by programs."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragonnx.errors import InputError
from dragonnx.model.labels import (
    checked_label,
    fitting_label,
    label_facts,
    label_of_text,
    label_row,
    label_text,
)

WEIGHTS = st.floats(2**-20, 1)
LABELS = st.integers(0, 999_999) | st.dictionaries(
    st.integers(0, 999_999), WEIGHTS, min_size=1, max_size=5
)


@given(LABELS)
def test_a_label_survives_text_and_json(label: Any) -> None:
    checked = checked_label(label)
    assert checked_label(checked) == checked
    assert checked_label(label_of_text(label_text(checked))) == checked
    assert checked_label(json.loads(json.dumps(label_facts(checked)))) == checked


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("3", [0, 0, 0, 1]),
        (" 0 , 3 ", [1, 0, 0, 1]),
        ("0:0.7,3:0.3", [0.7, 0, 0, 0.3]),
        ("3:0.25,1", [0, 1, 0, 0.25]),
        ("2:1", [0, 0, 1, 0]),
        ("1:1e-2", [0, 0.01, 0, 0]),
    ],
)
def test_what_is_typed_is_what_the_network_takes(text: str, row: list[float]) -> None:
    label = fitting_label(label_of_text(text), "cats", 4)
    assert label is not None
    np.testing.assert_array_equal(label_row(label, 4), np.array([row], np.float32))


@pytest.mark.parametrize(
    "text", ["", "cat", "1,", "1:", "1:2:3", "0x1", "1;2", "1:a", "1:..", "1_0", "9" * 10, "\u0663"]
)
def test_what_is_no_label_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="a label is typed as 3, several as 0,3, or with weights"):
        label_of_text(text)


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ([0, 0], "names class 0 twice"),
        ({0: 0.5, "0": 0.5}, "names class 0 twice"),
        ([], "1 to 1000 classes, not 0"),
        ({}, "1 to 1000 classes, not 0"),
        (range(3), "must be a whole number"),
        ({0: 70, 1: 30}, "weight of class 0 must be a number from 0 to 1, not 70"),
        ({0: -0.5, 1: 1.5}, "weight of class 0 must be"),
        ({0: float("nan")}, "weight of class 0 must be"),
        ({0: True}, "weight of class 0 must be"),
        ({0: 0.0, 1: 0.0}, "every class the weight 0"),
        ({"cat": 1.0}, "must be a whole number"),
        ([(0, 0.5, 1)], "classes with weights"),
        ([0.5], "must be a whole number"),
        ("3", "must be a whole number"),
        (list(range(2000)), "not 2000"),
    ],
)
def test_a_label_that_cannot_be(label: Any, message: str) -> None:
    with pytest.raises(InputError, match=message) as raised:
        checked_label(label)
    assert len(str(raised.value)) < 300


def test_arrays_and_numbers_of_numpy_are_taken() -> None:
    assert checked_label(np.int64(3)) == 3
    assert checked_label(np.array([3, 0])) == ((0, 1.0), (3, 1.0))
    assert checked_label({np.int64(1): np.float32(0.5)}) == ((1, 0.5),)


def test_a_missing_label_is_asked_for() -> None:
    with pytest.raises(InputError) as raised:
        fitting_label(None, "cats", 10)
    assert str(raised.value) == (
        "the model cats has 10 classes and needs a label from 0 to 9: choose by --label, as 3, "
        "several as 0,3, or with weights as 0:0.7,3:0.3; in Python by label=3, [0, 3] or {0: 0.7, 3: 0.3}"
    )
    for label in (10, [0, 10], {10: 0.5}, -1, 1.5, "3"):
        with pytest.raises(InputError, match=r"label from 0 to 9, not|must be a whole number"):
            fitting_label(label, "cats", 10)
    assert fitting_label(None, "cats", 0) is None
    for label in (0, [0, 1], {0: 1.0}):
        with pytest.raises(InputError, match="the model cats has no classes"):
            fitting_label(label, "cats", 0)
