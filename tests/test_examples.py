"""What stands under examples runs, with few steps."""

from __future__ import annotations

import importlib.util
import io
import json
import re
import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dragonnx import Generator

EXAMPLES = Path(__file__).parents[1] / "examples"
WRITES = {
    "drag": ([], {"dragged.png"}),
    "mask": ([], {"free.png", "masked.png"}),
    "own_photo": (["photo.png", "4"], {"photo.npz", "found.png", "dragged.png"}),
    "video": ([], {"drag.gif"}),
    "many_seeds": (["3"], {"many-seeds"}),
    "own_loss": (["photo.png", "4"], {"found.png"}),
}
"""Of each program: what it is called with, and what it leaves."""
TESTED_APART = {"service"}


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    with Generator.open("critters", device="cpu") as generator:
        return generator.image(generator.w_plus(7))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photo: Image.Image) -> Path:
    photo.save(tmp_path / "photo.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(name: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    arguments, _ = WRITES[name]
    monkeypatch.setattr(sys, "argv", [f"{name}.py", *arguments])
    return runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")


def test_each_is_run_here_and_listed_in_their_readme() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == WRITES.keys() | TESTED_APART
    listed = re.findall(
        r"^\| \[([\w.]+)\]\(\1\)", (EXAMPLES / "README.md").read_text("utf-8"), re.M
    )
    there = {path.name for path in EXAMPLES.iterdir() if path.suffix in {".py", ".ipynb"}}
    assert there == {*listed}


@pytest.mark.parametrize(
    "name", ["drag", "own_photo", pytest.param("own_loss", marks=pytest.mark.slow)]
)
def test_it_runs(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(name, monkeypatch)
    assert {path.name for path in folder.iterdir()} == {"photo.png", *WRITES[name][1]}


def test_a_mask_keeps_what_is_outside_nearer_to_what_it_was(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run("mask", monkeypatch)
    change = dict(re.findall(r"^(free|masked): ([\d.]+) of 255", capsys.readouterr().out, re.M))
    assert float(change["masked"]) < float(change["free"])


def test_a_video_has_a_frame_for_every_step_and_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    session = run("video", monkeypatch)["session"]
    with Image.open("drag.gif") as gif:
        assert gif.n_frames == session.steps + 1 > 2


@pytest.mark.slow
def test_many_seeds_leave_a_picture_each(monkeypatch: pytest.MonkeyPatch) -> None:
    run("many_seeds", monkeypatch)
    assert len([*Path("many-seeds").glob("0*.png")]) == 3


def test_the_own_loss_has_the_gradient_of_its_distance(monkeypatch: pytest.MonkeyPatch) -> None:
    loss = runpy.run_path(str(EXAMPLES / "own_loss.py"))["MeanColours"]()
    rng = np.random.default_rng(0)
    target, image, way = rng.standard_normal((3, 1, 3, 16, 24))
    loss.set_target(target)
    _, gradient = loss(image)
    ahead, behind = loss(image + 1e-4 * way)[0], loss(image - 1e-4 * way)[0]
    # The distance is a square, so that central differences are exact up to rounding.
    assert (ahead - behind) / 2e-4 == pytest.approx(float((gradient * way).sum()), rel=1e-6)


def test_the_notebook_runs_from_top_to_bottom() -> None:
    notebook = json.loads((EXAMPLES / "drag.ipynb").read_text("utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert len(code) == 4
    names: dict[str, object] = {}
    for cell in code:
        assert cell["outputs"] == []
        exec(compile("".join(cell["source"]), "drag.ipynb", "exec"), names)  # noqa: S102
    row = names["row"]
    assert isinstance(row, Image.Image)
    assert row.size == (4 * 256, 256)


@pytest.mark.filterwarnings("ignore:Using `httpx` with")  # Starlette takes its successor too
@pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("fastapi", "httpx")),
    reason="fastapi or httpx, which dragonnx does not need, is not installed",
)
def test_the_service_answers_several_at_once_and_refuses_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from fastapi.testclient import TestClient

    monkeypatch.syspath_prepend(EXAMPLES)
    import service

    client = TestClient(service.app)
    asked = {"seed": 40, "handles": [[113, 151]], "targets": [[123, 151]], "max_steps": 2}
    with ThreadPoolExecutor(3) as pool:
        answers = [*pool.map(lambda _: client.post("/drag", json=asked), range(3))]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert len({answer.content for answer in answers}) == 1, "one drag is as the other"
    assert answers[0].headers["X-Outcome"] == "max_steps"
    assert Image.open(io.BytesIO(answers[0].content)).size == (256, 256)
    outside = client.post("/drag", json=asked | {"handles": [[999, 151]]})
    assert outside.status_code == 400
    assert "999" in outside.json()["detail"]
    assert client.post("/drag", json=asked | {"handles": []}).status_code == 422
