"""What leaves a document."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from support.bundled import NOSE, NOSE_TARGET, SEED, SIZE

from dragonnx.document import Document
from dragonnx.document.outputs import (
    OUTPUTS,
    before_and_after,
    frames,
    free_path,
    output,
    report,
)
from dragonnx.errors import InputError


def test_every_output_of_a_drag_is_written(tmp_path, generator, dragged):
    for each in OUTPUTS:
        assert each.is_possible(dragged)
        for suffix in each.suffixes:
            path = tmp_path / f"{each.id}{suffix}"
            each.write(dragged, generator, path)
            assert path.stat().st_size > 0
    with Image.open(tmp_path / "picture.png") as picture:
        assert picture.size == (SIZE, SIZE)
    with np.load(tmp_path / "latent.npz") as latent:
        np.testing.assert_array_equal(latent["w_plus"], dragged.result.w_plus)
    with Image.open(tmp_path / "mask.png") as mask:
        np.testing.assert_array_equal(np.asarray(mask) > 0, dragged.mask)


def test_what_is_not_there_is_not_possible(tmp_path, generator):
    possible = {each.id for each in OUTPUTS if each.is_possible(Document())}
    assert possible == {"picture", "latent"}
    for name in ("comparison", "animation", "report"):
        with pytest.raises(InputError, match="nothing was dragged"):
            output(name).write(Document(), generator, tmp_path / f"none{output(name).suffixes[0]}")
    with pytest.raises(InputError, match="no mask"):
        output("mask").write(Document(), generator, tmp_path / "none")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", OUTPUTS, ids=lambda kind: kind.id)
def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path, generator, dragged, kind):
    with pytest.raises(InputError, match="cannot be written"):
        kind.write(dragged, generator, tmp_path / "none" / f"out{kind.suffixes[0]}")


def test_the_report_tells_the_drag(dragged):
    facts = report(dragged)
    assert json.loads(json.dumps(facts)) == facts
    assert (facts["steps"], facts["seed"], facts["model"]) == (3, SEED, "critters")
    (point,) = facts["points"]
    assert (point["handle"], point["target"]) == (list(NOSE), list(NOSE_TARGET))
    assert point["final"] == facts["trace"][-1][0]


def test_pictures_of_a_drag(generator, dragged):
    pictures = list(frames(dragged, generator))
    assert len(pictures) == 4
    assert before_and_after(dragged, generator).width > 2 * pictures[0].width
    ends = replace(dragged, result=dragged.result.with_ends_only())
    assert before_and_after(ends, generator).tobytes() == (
        before_and_after(dragged, generator).tobytes()
    )
    with pytest.raises(InputError, match="drag again"):
        next(frames(ends, generator))


def test_free_path_never_names_a_file_that_is_there(tmp_path):
    assert free_path(tmp_path, "a", ".png").name == "a.png"
    (tmp_path / "a.png").touch()
    (tmp_path / "a-2.png").touch()
    assert free_path(tmp_path, "a", ".png").name == "a-3.png"


def test_the_report_of_a_drag_that_stalled_says_why(dragged):
    assert "reason" not in report(dragged)
    stalled = dragged.with_result(replace(dragged.result, outcome="stalled"))
    assert report(stalled)["reason"] == stalled.result.reason
    assert stalled.result.reason.startswith("The handle comes no nearer to its target")
