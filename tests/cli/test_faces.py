"""`dragonnx invert --align face`, run as users run it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.bundled import SIZE
from support.face_models import insightface
from support.program import dragonnx

from dragonnx import align_face, load_photo

LARGE, SMALL = (320, 160, 32), (96, 400, 16)
"""Two red squares, which the tests' detector takes for faces: left, top, side."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    photo = Image.effect_noise((640, 640), 60).convert("RGB").point(lambda level: level // 3)
    for left, top, side in (LARGE, SMALL):
        photo.paste((255, 0, 0), (left, top, left + side, top + side))
    photo.save(tmp_path / "photo.png")
    (tmp_path / "faces.onnx").write_bytes(insightface(strides=(16, 32)))
    return tmp_path


def aligned(folder: Path, *options: object) -> tuple[np.ndarray, str]:
    """The photo as the model is shown it, and what was said."""
    done = dragonnx(
        "invert", folder / "photo.png", "-o", folder / "l.npz", "--steps", "1", "--device", "cpu", "--threads", "1",
        "--comparison", folder / "pair.png", "--report", folder / "r.json", "--align", "face", *options,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with Image.open(folder / "pair.png") as pair:
        return np.asarray(pair.crop((0, 0, SIZE, SIZE))), done.stderr


def test_a_face_is_aligned_by_landmarks(folder: Path) -> None:
    five = [[300, 300], [340, 290], [330, 320], [310, 350], [345, 340]]
    (folder / "five.json").write_text(json.dumps(five))
    shown, said = aligned(folder, "--landmarks", folder / "five.json")
    expected = align_face(load_photo(folder / "photo.png"), five, (SIZE, SIZE)).picture
    assert np.array_equal(shown, expected)
    assert "faces were found" not in said
    assert json.loads((folder / "r.json").read_text())["landmarks"] == five


def test_a_face_is_aligned_by_a_network(folder: Path) -> None:
    from dragonnx.inversion.faces.detector import FaceDetector

    photo = load_photo(folder / "photo.png")
    faces = FaceDetector.open(folder / "faces.onnx").faces(photo)
    for options, face in (((), faces[0]), (("--face", len(faces)), faces[-1])):
        shown, said = aligned(folder, "--face-model", folder / "faces.onnx", *options)
        expected = align_face(photo, face.landmarks, (SIZE, SIZE)).picture
        assert np.array_equal(shown, expected)
        assert (f"{len(faces)} faces were found" in said) == (options == ())
        assert ("--face N takes another" in said) == (options == ())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--align", "face"], "needs the face's landmarks (--landmarks FILE) or a network"),
        (["--landmarks", "five.json"], "--landmarks is for --align face, which is missing"),
        (["--face-model", "faces.onnx"], "--face-model is for --align face"),
        (["--face", "2"], "--face is for --align face"),
        (
            ["--align", "face", "--landmarks", "a", "--face-model", "b"],
            "both say where the face is",
        ),
        (["--align", "face", "--landmarks", "a", "--face", "1"], "--face is for --face-model"),
        (
            ["--align", "face", "--landmarks", "a", "--box", "0,0,9,9"],
            "--box and --align face both",
        ),
        (["--align", "face", "--landmarks", "missing.txt"], "missing.txt cannot be read"),
        (["--align", "face", "--landmarks", "photo.png"], "photo.png holds no text"),
        (["--align", "face", "--face-model", "photo.png"], "cannot be used: it is no ONNX graph"),
        (["--align", "face", "--face-model", "faces.onnx", "--face", "99"], "there is no face 99"),
        (
            ["--align", "face", "--face-model", "faces.onnx", "--face", "0"],
            "must be a whole number",
        ),
    ],
)
def test_bad_input_is_one_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], message: str
) -> None:
    monkeypatch.chdir(folder)
    before = {path.name for path in folder.iterdir()}
    done = dragonnx(
        "invert", "photo.png", "-o", "l.npz", "--device", "cpu", "--threads", "1", *options
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert {path.name for path in folder.iterdir()} == before
