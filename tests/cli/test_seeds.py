"""Several seeds at once: a file for each as it is alone, or all of them in one picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from support.program import dragonnx

from dragonnx import Generator, InputError, open_picture
from dragonnx.cli.arguments import grid_sides, seed_list
from dragonnx.types import Array

SMALL = Path(__file__).parents[1] / "fixtures" / "bundle-v2"
ONE = ("--model", SMALL, "--device", "cpu", "--threads", "1")
GAP = 4
"""Pixels around each picture of a grid."""


def generate(*arguments: object) -> str:
    done = dragonnx("generate", *ONE, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stderr


def alone(seed: int, psi: float | None = None) -> Array:
    """The pixels of a seed's picture."""
    with Generator.open(SMALL, "cpu", threads=1) as generator:
        return np.asarray(generator.image(generator.w_plus(seed, truncation_psi=psi)))


def test_each_seed_has_a_file_that_opens_as_its_document(tmp_path: Path) -> None:
    out = tmp_path / "out"
    told = generate("--seeds", "0-2,40", "--truncation-psi", "0.5", "-o", out)
    assert told.endswith(f"wrote 4 pictures to {out}\n")
    assert sorted(path.name for path in out.iterdir()) == [
        f"seed{seed:04}.png" for seed in (0, 1, 2, 40)
    ]
    for seed in (0, 40):
        path = out / f"seed{seed:04}.png"
        start = open_picture(path).start
        assert (start.seed, start.truncation_psi) == (seed, 0.5)
        with Image.open(path) as picture:
            np.testing.assert_array_equal(np.asarray(picture), alone(seed, 0.5))
    # A folder that is there gets more files, and keeps what it has.
    generate("--seeds", "7", "-o", out)
    assert len([*out.iterdir()]) == 5


def test_a_grid_holds_all_in_their_order_and_leaves_the_rest_white(tmp_path: Path) -> None:
    told = generate("--seeds", "5,0-1", "--grid", "2x2", "-o", tmp_path / "sheet.png")
    assert told.endswith("sheet.png, in rows of 2 in the order of --seeds\n")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert "AI-generated" in sheet.text["Comment"]
        pixels = np.asarray(sheet.convert("RGB"))
    side = alone(0).shape[0]
    assert pixels.shape == (2 * side + 3 * GAP, 2 * side + 3 * GAP, 3)
    places = [(row, column) for row in (0, 1) for column in (0, 1)]
    cells = [
        pixels[GAP + row * (side + GAP) :, GAP + column * (side + GAP) :][:side, :side]
        for row, column in places
    ]
    for cell, seed in zip(cells, (5, 0, 1), strict=False):
        np.testing.assert_array_equal(cell, alone(seed))
    assert (cells[3] == 255).all()


REFUSED = {
    "a grid too small": (["--seeds", "0-4", "--grid", "2x2", "-o", "a.png"], "holds 4 pictures, and"),
    "no grid": (["--seeds", "0-4", "-o", "a.png"], "name a folder for a file of each"),
    "a grid of one": (["--grid", "2x2", "-o", "a.png"], "--grid is for --seeds"),
    "a folder for a grid": (["--seeds", "1", "--grid", "1x1", "-o", "a"], "must end in .png"),
    "a file for a folder": (["--seeds", "1", "-o", "there"], "name a folder"),
    "no folder above": (["--seeds", "1", "-o", "no/a"], "make it first"),
    "a seed": (["--seeds", "1", "--seed", "1", "-o", "a"], "--seed is for one picture"),
    "a latent": (["--seeds", "1", "--latent", "there", "-o", "a"], "--latent is for one picture"),
    "an index": (["--seeds", "1", "--index", "0", "-o", "a"], "--index is for one picture"),
    "latents out": (["--seeds", "1", "--latent-out", "a.npz", "-o", "a"], "--latent-out is for one"),
    "a quality": (["--seeds", "1", "--quality", "90", "-o", "a"], "a quality is for pictures"),
    "no class": (["--seeds", "1", "--label", "3", "-o", "a"], "has no classes"),
    "a sweep without a grid": (["--seeds", "1", "--sweep-psi", "0:1", "-o", "a"], "takes a row of --grid"),
    "a sweep of too few rows": (
        ["--seeds", "1,2", "--sweep-psi", "0:1", "--grid", "2x1", "-o", "a.png"], "--grid COLUMNSx2",
    ),
    "a sweep of nothing": (["--sweep-psi", "0:1", "-o", "a.png"], "--sweep-psi is for --seeds"),
    "no sweep": (
        ["--seeds", "1", "--sweep-psi", "0-1", "--grid", "2x1", "-o", "a.png"], "given as FROM:TO",
    ),
    "a sweep of one psi": (
        ["--seeds", "1", "--sweep-psi", "0:1", "--truncation-psi", "1", "--grid", "2x1", "-o", "a.png"],
        "name one",
    ),
    "a psi": (["--seeds", "1", "--truncation-psi", "nan", "-o", "a"], "must be a number from -100"),
    "too large": (["--seeds", "1", "--grid", "9999x1", "-o", "a.webp"], "WebP has at most 16383"),
    "not read again": (["--seeds", "1", "--grid", "99x99", "-o", "a.png"], "DRAGONNX_MAX_MEGAPIXELS="),
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_does_not_go_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DRAGONNX_MAX_MEGAPIXELS", "2")
    (tmp_path / "there").write_bytes(b"mine")
    refused = dragonnx("generate", *ONE, *arguments)
    assert refused.returncode == 2
    assert message in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 20)), min_size=1, max_size=4))
def test_seeds_are_read_as_they_are_written(parts: list[tuple[int, int]]) -> None:
    wanted = [seed for first, more in parts for seed in range(first, first + more + 1)]
    text = ",".join(f"{first}-{first + more}" if more else f"{first}" for first, more in parts)
    if len({*wanted}) == len(wanted):
        assert seed_list(text) == wanted
    else:
        with pytest.raises(InputError, match="more than once"):
            seed_list(text)


@pytest.mark.parametrize(
    "text", ["", ",", "1,", "-1", "1-", "3-1", "1.5", "0-3-5", "a", "٣", "1" * 99]
)
def test_what_is_no_list_of_seeds_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="seeds are given as 0-63"):
        seed_list(text)


@pytest.mark.parametrize("text", ["0-10000", "0-4294967295", "0-9999,20000"])
def test_very_many_seeds_are_refused_at_once(text: str) -> None:
    with pytest.raises(InputError, match="more than 10000 seeds"):
        seed_list(text)


@pytest.mark.parametrize("text", ["", "8", "8x", "0x3", "3x0", "-1x2", "8X8", "101x100", "1.5x2"])
def test_what_is_no_grid_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="a grid is given as COLUMNSxROWS"):
        grid_sides(text)


def test_a_sweep_has_a_row_of_truncations_for_each_seed(tmp_path: Path) -> None:
    generate("--seeds", "3,5", "--sweep-psi", "0:1", "--grid", "3x2", "-o", tmp_path / "sweep.png")
    with Image.open(tmp_path / "sweep.png") as sheet:
        pixels = np.asarray(sheet.convert("RGB"))
    side = alone(0).shape[0]
    for row, seed in enumerate((3, 5)):
        for column, psi in enumerate((0, 0.5, 1)):
            cell = pixels[GAP + row * (side + GAP) :, GAP + column * (side + GAP) :][:side, :side]
            np.testing.assert_array_equal(cell, alone(seed, psi))
