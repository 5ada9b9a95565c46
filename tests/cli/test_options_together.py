"""Options that say nothing beside what else was given are refused, and so is writing over what is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.bundled import NUM_WS, W_DIM

from dragonnx import InputError, save_latent
from dragonnx.cli.program import app

NO_EFFECT = {
    "an index of nothing": (["generate", "-o", "o.png", "--index", "1"], "--index is for --latent"),
    "in a drag": (["drag", "-o", "o.png", "--point", "1,1:2,2", "--index", "0"], "--index is for"),
    "in an inversion": (["invert", "p.png", "-o", "o.npz", "--index", "1"], "--index is for"),
    "a seed and a latent": (
        ["generate", "-o", "o.png", "--latent", "l.npz", "--seed", "0"],
        "--seed and --latent both say what picture",
    ),
    "in a drag, too": (
        ["drag", "-o", "o.png", "--point", "1,1:2,2", "--latent", "l.npz", "--seed", "4"],
        "--seed and --latent both",
    ),
    "a truncation and a latent": (
        ["generate", "-o", "o.png", "--latent", "l.npz", "--truncation-psi", "0.5"],
        "--truncation-psi and --latent both",
    ),
    "a mask's weight and no mask": (
        ["drag", "-o", "o.png", "--point", "1,1:2,2", "--lambda-mask", "5"],
        "--lambda-mask is the weight of a mask: give one with --mask",
    ),
}
OVER_WHAT_IS_READ = {
    "a latent": ["generate", "-o", "o.png", "--latent", "l.npz", "--latent-out", "./l.npz"],
    "a saved picture": ["generate", "-o", "p.png", "--latent", "p.png"],
    "a latent of a drag": [
        "drag", "-o", "o.png", "--point", "1,1:2,2", "--latent", "l.npz", "--latent-out", "l.npz",
    ],
    "a progress": [
        "drag", "-o", "o.png", "--point", "1,1:2,2", "--latent", "l.npz", "--progress", "l.npz",
    ],
    "a mask": ["drag", "-o", "p.png", "--point", "1,1:2,2", "--mask", "p.png"],
    "the start of an inversion": ["invert", "p.png", "-o", "l.npz", "--latent", "l.npz"],
    "a photo": ["invert", "p.png", "-o", "o.npz", "--preview", "p.png"],
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the commands run, with a latent and a picture."""
    monkeypatch.chdir(tmp_path)
    save_latent(np.zeros((1, NUM_WS, W_DIM), np.float32), tmp_path / "l.npz")
    Image.new("RGB", (64, 64)).save(tmp_path / "p.png")
    return tmp_path


@pytest.mark.parametrize(("arguments", "message"), NO_EFFECT.values(), ids=NO_EFFECT.keys())
def test_an_option_without_effect_is_refused(
    folder: Path, arguments: list[str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        app(arguments, standalone_mode=False)
    assert {path.name for path in folder.iterdir()} == {"l.npz", "p.png"}


@pytest.mark.parametrize("arguments", OVER_WHAT_IS_READ.values(), ids=OVER_WHAT_IS_READ.keys())
def test_what_is_read_is_not_written_over(folder: Path, arguments: list[str]) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(InputError, match="is read here: name another file to write"):
        app(arguments, standalone_mode=False)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
