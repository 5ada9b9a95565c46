"""`dragonnx invert`, run as users run it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.program import dragonnx


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture of the model's own, wider than its images, as a JPEG."""
    folder = tmp_path_factory.mktemp("photo")
    made = dragonnx(
        "generate", "--seed", "21", "-o", folder / "own.png", "--device", "cpu", "--threads", "1"
    )
    assert made.returncode == 0, made.stderr
    wide = Image.new("RGB", (400, 256), "white")
    with Image.open(folder / "own.png") as own:
        wide.paste(own.resize((256, 256)), (72, 0))
    wide.save(folder / "photo.jpg", quality=92)
    return folder / "photo.jpg"


def test_a_photo_becomes_a_latent_that_generate_and_drag_take(photo: Path, tmp_path: Path) -> None:
    done = dragonnx(
        "invert", photo, "-o", tmp_path / "l.npz", "--steps", "40", "--device", "cpu", "--threads", "1",
        "--preview", tmp_path / "found.png", "--comparison", tmp_path / "pair.webp", "--quality", "80",
        "--report", tmp_path / "r.json", "--progress", tmp_path / "progress.npz",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "40 steps, PSNR" in done.stderr
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["psnr"] > 25
    assert 0.7 < report["ms_ssim"] < 1
    assert report["loss"].startswith("pyramid")
    assert report["settings"]["space"] == "w+"
    assert (report["device"], report["precision"]) == ("cpu", "float32")
    assert report["seconds_per_step"] > 0
    with np.load(tmp_path / "l.npz") as latent, Image.open(tmp_path / "pair.webp") as pair:
        assert latent["w_plus"].shape[0] == 1
        assert pair.width > 2 * pair.height
    again = dragonnx(
        "generate", "--latent", tmp_path / "l.npz", "-o", tmp_path / "again.png",
        "--device", "cpu", "--threads", "1",
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    with Image.open(tmp_path / "again.png") as one, Image.open(tmp_path / "found.png") as other:
        assert (np.asarray(one) == np.asarray(other)).all()
    # All steps are done: going on writes the same latent at once.
    goes_on = dragonnx(
        "invert", photo, "-o", tmp_path / "l2.npz", "--steps", "40", "--device", "cpu", "--threads", "1",
        "--progress", tmp_path / "progress.npz",
    )  # fmt: skip
    assert "going on after step 40" in goes_on.stderr
    with np.load(tmp_path / "l.npz") as one, np.load(tmp_path / "l2.npz") as other:
        np.testing.assert_array_equal(one["w_plus"], other["w_plus"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.jpg", "-o", "l.npz"], "there is no photo missing.jpg"),
        (["PHOTO", "-o", "l.txt"], "must end in .npz"),
        (["PHOTO", "-o", "l.npz", "--steps", "0"], "steps must be a whole number from 1 to"),
        (["PHOTO", "-o", "l.npz", "--box", "1,2,3"], "left,top,right,bottom"),
        (["PHOTO", "-o", "l.npz", "--box", "900,0,990,90"], "does not touch the photo"),
        (["PHOTO", "-o", "l.npz", "--label", "3"], "has no classes"),
    ],
)
def test_bad_input_is_one_sentence(
    photo: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    given = [str(photo) if a == "PHOTO" else a for a in arguments]
    given = [str(tmp_path / a) if a.startswith("l.") else a for a in given]
    done = dragonnx("invert", *given, "--device", "cpu", "--threads", "1")
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
