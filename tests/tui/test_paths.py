"""Paths as users type them, with the separators of either system."""

from __future__ import annotations

import asyncio
import ntpath
import os
import posixpath
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragonnx.tui.screens.path import PathSuggester, split_typed

NAMES = st.text("abc. -é", min_size=1, max_size=6).filter(lambda name: name.strip(". "))
WINDOWS_ROOTS = st.sampled_from(
    ["", "C:", "C:\\", "c:/", "\\\\server\\share\\", "//server/share/", "\\", "..\\"]
)


@st.composite
def windows_paths(draw: st.DrawFn) -> str:
    parts = draw(st.lists(NAMES, max_size=4))
    separators = draw(st.lists(st.sampled_from("/\\"), min_size=len(parts), max_size=len(parts)))
    text = "".join(part + separator for part, separator in zip(parts, separators, strict=True))
    return draw(WINDOWS_ROOTS) + text + draw(st.just("") | NAMES)


@given(windows_paths(), NAMES)
def test_a_path_of_windows_is_split_where_windows_splits_it(value: str, name: str) -> None:
    folder, start, separator = split_typed(value, ntpath)
    assert not set(start) & set("/\\")
    assert PureWindowsPath(folder) / start == PureWindowsPath(value)
    before = value[: len(value) - len(start)]
    assert PureWindowsPath(before + name + separator) == PureWindowsPath(folder) / name
    assert separator in ("/", "\\")
    if before.endswith(("/", "\\")):
        assert before.endswith(separator), "the user's own separator goes on"


@given(st.text("ab/\\. ~", max_size=12), NAMES)
def test_a_path_of_unix_is_split_at_slashes_alone(value: str, name: str) -> None:
    folder, start, separator = split_typed(value, posixpath)
    assert separator == "/"
    assert "/" not in start
    completed = value[: len(value) - len(start)] + name
    assert PurePosixPath(completed) == PurePosixPath(folder) / name


def suggestion(value: str) -> str | None:
    return asyncio.run(PathSuggester().get_suggestion(value))


def test_completion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.png").touch()
    (tmp_path / "photos" / ".hidden").touch()
    for start in (f"{tmp_path}{os.sep}", "~/"):
        assert suggestion(f"{start}ph") == f"{start}photos{start[-1]}"
        assert suggestion(f"{start}photos{start[-1]}") == f"{start}photos{start[-1]}cat.png"
        assert suggestion(f"{start}photos/.h") == f"{start}photos/.hidden"
        assert suggestion(f"{start}nothing") is None
    monkeypatch.chdir(tmp_path)
    assert suggestion("ph") == f"photos{os.sep}"
    assert suggestion("") is None
    assert suggestion("~nobody-of-this-name/") is None
