"""The Python that README and docs show runs as written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image
from support.bundled import SIZE
from support.face_models import yunet
from support.program import dragonnx

from dragonnx import open_picture

README = Path(__file__).parents[1] / "README.md"
GUIDE = README.parent / "docs" / "python.md"


def examples(page: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL)


def test_the_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = examples(README)
    monkeypatch.chdir(tmp_path)
    exec(compile(example, README, "exec"), {})  # noqa: S102
    assert (tmp_path / "out.png").stat().st_size > 1000
    assert len(capsys.readouterr().out.splitlines()) > 5


def test_the_guide_runs_from_top_to_bottom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (300, 200), "tan").save("photo.jpg")
    mask = Image.new("L", (SIZE, SIZE), 255)
    mask.paste(0, (0, 0, SIZE, 20))
    mask.save("mask.png")
    found = examples(GUIDE)
    assert len(found) == 5
    for example in found:
        exec(compile(example, GUIDE, "exec"), {})  # noqa: S102
    written = {path.name for path in tmp_path.iterdir()}
    assert written > {"drag.npz", "nose.npz", "nose.png", "photo.dragonnx"}
    assert open_picture(tmp_path / "dragged.jpg").result is not None
    assert "(1, 14, 192)" in capsys.readouterr().out


def test_the_commands_for_faces_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    photo = Image.new("RGB", (640, 480), "navy")
    photo.paste((255, 0, 0), (320, 160, 336, 176))
    photo.save("photo.jpg", quality=100, subsampling=0)
    Path("points.txt").write_text("300 200\n340 200\n320 220\n305 240\n335 240\n")
    Path("yunet.onnx").write_bytes(yunet())
    commands = re.findall(
        r"^dragonnx (invert .*--align face [^#\n]*)", README.read_text("utf-8"), re.M
    )
    assert len(commands) == 2
    for command in commands:
        done = dragonnx(*command.split(), "--steps", "1", "--device", "cpu")
        assert done.returncode == 0, done.stderr
        assert Path("face.npz").is_file()


def test_every_file_that_a_page_shows_is_there() -> None:
    for page in (README, *GUIDE.parent.glob("*.md")):
        for name in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
            assert (page.parent / name).is_file(), name
