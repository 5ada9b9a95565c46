"""Files of landmarks: three kinds, told by their content."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragonnx import InputError, read_landmarks

FIVE = np.array([(10.5, 20.0), (50.25, 21.0), (30.0, 40.0), (15.0, 60.0), (45.0, -61.5)])
MANY = np.arange(136, dtype=float).reshape(68, 2)


def lines(points: np.ndarray, between: str) -> str:
    return "".join(f"{x:g}{between}{y:g}\n" for x, y in points)


def pts(points: np.ndarray) -> str:
    """As iBUG writes them: the first pixel is (1, 1)."""
    return f"version: 1\nn_points:  {len(points)}\n{{\n{lines(points + 1, ' ')}}}\n"


@pytest.mark.parametrize("points", [FIVE, MANY], ids=["five", "68"])
@pytest.mark.parametrize(
    "written",
    [
        lambda points: json.dumps(points.tolist()),
        lambda points: "\ufeff" + json.dumps(points.tolist(), indent=2),
        lambda points: lines(points, " "),
        lambda points: lines(points, ","),
        lambda points: lines(points, ";\t"),
        lambda points: "x,y\r\n" + lines(points, ", ").replace("\n", "\r\n"),
        lambda points: "# by hand\n\n" + lines(points, "   ") + "\n\n",
        pts,
    ],
)
def test_every_kind_gives_the_same_points(tmp_path: Path, points, written) -> None:
    path = tmp_path / "points.anything"
    path.write_text(written(points), "utf-8")
    found = read_landmarks(path)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, points)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "must be a list of points"),
        (b"1 2\n3\n", "a line must hold x and y, not '3'"),
        (b"1 2 3\n" * 5, "a line must hold x and y"),
        (b"a b\n" * 5, "a line must hold x and y, not 'a b'"),
        (b"nan nan\n" * 5, "must be numbers from"),
        (b"1e9 0\n" * 5, "must be numbers from"),
        (pts(FIVE).replace("  5", " 9").encode(), "says that it has 9 points, and 5 came"),
        (b"<!DOCTYPE html><html>", "it is a web page; fetch the file again"),
        (b"1 2\n" * 4, "the 68 of iBUG, and 4 came"),
        (b"1 2\n" * 98, "the 68 of iBUG, and 98 came"),
        (b"[[1, 2], [3, 4]", "is no JSON that can be used"),
        (b"[[1, 2], [3, 4]]", "and 2 came"),
        (b'{"left_eye": [1, 2]}', "must be a list of points"),
        (b"[" * 60_000, "more than 32 lists"),
        (b'[["1", "2"]]', "must be a list of points"),
        (b"version: 1\nn_points: 3\n{\n1 1\n", "and 1 came"),
        (b"\xff\xfe\x00", "holds no text"),
        (b"\x89PNG\r\n\x1a\n" + bytes(99), "holds no text"),
    ],
)
def test_what_holds_something_else_is_one_sentence(tmp_path: Path, content, message) -> None:
    path = tmp_path / "points.txt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as refusal:
        read_landmarks(path)
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"the file of landmarks .*missing\.txt cannot be read"):
        read_landmarks(tmp_path / "missing.txt")
    with pytest.raises(InputError, match="it is a folder"):
        read_landmarks(tmp_path)
    with (tmp_path / "large.txt").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(InputError, match="too large"):
        read_landmarks(tmp_path / "large.txt")


@settings(max_examples=100, deadline=None)
@given(content=st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_points_or_one_sentence(tmp_path_factory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.txt"
    path.write_bytes(content)
    with pytest.raises(InputError) as refusal:
        read_landmarks(path)
    assert "\n" not in str(refusal.value)
