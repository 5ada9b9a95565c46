"""What a stranger wrote, as it is shown: nothing in it commands the terminal or hides."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragonnx.text import visible

ANY_TEXT = st.text(st.characters(codec=None))
"""Halves of characters too, as they stand for undecodable bytes of a name."""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("critters", "critters"),
        ("模型 für Лиса 🦊", "模型 für Лиса 🦊"),
        ("Bildschirmfoto um 9.41\u202fUhr", "Bildschirmfoto um 9.41\u202fUhr"),  # a narrow space
        (r"C:\models\x1b", r"C:\models\x1b"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("first\nsecond\r\tthird", r"first\nsecond\r\tthird"),
        ("a\u2028b\x85c", r"a\u2028b\x85c"),
        ("cute\u202egnp.exe", r"cute\u202egnp.exe"),
        ("\u2066a\u2069", r"\u2066a\u2069"),
        ("cri\u200btters\ufeff\xad", r"cri\u200btters\ufeff\xad"),
        ("name\udcff", r"name\udcff"),
        ("\U000e0041", r"\U000e0041"),
    ],
)  # fmt: skip
def test_what_is_shown(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(ANY_TEXT)
def test_nothing_hidden_is_left_and_nothing_is_lost(text: str) -> None:
    shown = visible(text)
    kinds = {unicodedata.category(character) for character in shown}
    assert not kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert visible(shown) == shown
    shown.encode("utf-8")
    kept = [c for c in text if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}]
    rest = iter(shown)
    assert all(c in rest for c in kept)
