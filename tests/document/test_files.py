"""Documents on disk: the archive, recovery, recipes in pictures, what leaves a document."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from support.bundled import NOSE, NOSE_TARGET, SEED, SIZE

from dragonnx.document import Document, LatentStart, Recovery, open_document, save_document
from dragonnx.document.outputs import (
    before_and_after,
    current_w_plus,
    document_of_recipe,
    frames,
    free_path,
    recipe,
    report,
)
from dragonnx.document.state import DragResult
from dragonnx.drag.config import DragConfig
from dragonnx.drag.record import DragRecord
from dragonnx.drag.session import DragSession
from dragonnx.errors import InputError
from dragonnx.media import read_recipe, save_png
from dragonnx.model.generator import Generator


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator.open(threads=1)


@pytest.fixture(scope="module")
def dragged(generator) -> Document:
    mask = np.ones((SIZE, SIZE), bool)
    mask[:20] = False
    document = Document(start=LatentStart(seed=SEED), config=DragConfig(max_steps=3))
    document = document.with_point(NOSE).with_point(NOSE_TARGET).with_mask(mask)
    session = DragSession(
        generator, generator.w_plus(SEED), [NOSE], [NOSE_TARGET], mask, document.config
    )
    record = DragRecord(session)
    for step in session:
        record.add(step)
    return document.with_result(
        DragResult(
            latents=np.concatenate(record.latents),
            trace=np.stack([record.handles_at(k) for k in range(4)]),
            targets=session.target_points,
            loss=np.array([1.0, 2.0, 3.0]),
            seconds=1.5,
            outcome="max_steps",
            settings=session.settings.to_dict(),
            masked=True,
        )
    )


def assert_same(one: Document, other: Document) -> None:
    assert one.pairs == other.pairs
    assert one.config == other.config
    assert one.model == other.model
    assert one.start.seed == other.start.seed
    assert (one.mask is None) == (other.mask is None)
    if one.mask is not None:
        np.testing.assert_array_equal(one.mask, other.mask)
    assert (one.result is None) == (other.result is None)
    if one.result is not None:
        np.testing.assert_array_equal(one.result.w_plus, other.result.w_plus)
        assert one.result.settings == other.result.settings


def test_save_and_open_give_the_same_document(tmp_path, dragged):
    path = tmp_path / "a.dragonnx"
    save_document(dragged, path, preview=b"png")
    opened = open_document(path)
    assert_same(dragged, opened)
    np.testing.assert_array_equal(opened.result.trace, dragged.result.trace)
    np.testing.assert_array_equal(opened.result.loss, dragged.result.loss)
    assert zipfile.ZipFile(path).read("preview.png") == b"png"


def test_a_latent_start_is_kept(tmp_path, generator):
    w_plus = generator.w_plus(5)
    path = tmp_path / "a.dragonnx"
    save_document(Document(start=LatentStart(w_plus=w_plus, name="mine.npz")), path)
    opened = open_document(path)
    np.testing.assert_array_equal(opened.start.w_plus, w_plus)
    assert opened.start.describe() == "mine.npz"
    np.testing.assert_array_equal(current_w_plus(opened, generator), w_plus)


def with_facts(path, change) -> None:
    facts = json.loads(zipfile.ZipFile(path).read("document.json"))
    change(facts)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("document.json", json.dumps(facts))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.update(format_version=99), "format version 99"),
        (lambda f: f.pop("pairs"), "damaged"),
        (lambda f: f.update(pairs=[{"handle": None, "target": None, "origin": None}]), "damaged"),
        (lambda f: f["config"].update(step_size=-1), "step_size"),
        (lambda f: f.update(result={"seconds": 1}), "damaged"),
    ],
)
def test_a_damaged_document_is_one_sentence(tmp_path, change, message):
    path = tmp_path / "a.dragonnx"
    save_document(Document(), path)
    with_facts(path, change)
    with pytest.raises(InputError, match=message):
        open_document(path)


def test_what_is_no_document_is_refused(tmp_path):
    path = tmp_path / "a.dragonnx"
    with pytest.raises(InputError, match="No such file"):
        open_document(path)
    path.write_bytes(b"\x89PNG nothing")
    with pytest.raises(InputError, match="no dragonnx document"):
        open_document(path)
    with pytest.raises(InputError, match="cannot be written"):
        save_document(Document(), tmp_path / "none" / "a.dragonnx")


def test_recovery_finds_only_what_dead_editors_left(tmp_path, dragged):
    save_document(dragged, tmp_path / "start.dragonnx")
    killed = (
        "import os; from pathlib import Path; from dragonnx.document import *; "
        "document = open_document(Path('start.dragonnx')); "
        "Recovery(Path()).save(document, Path('cat.dragonnx')); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", killed], cwd=tmp_path, check=False)
    (tmp_path / "start.dragonnx").unlink()
    other = Recovery(tmp_path, os.getppid())
    other.save(dragged)
    mine = Recovery(tmp_path)
    mine.save(Document())
    lost = mine.lost()
    assert len(lost) == 1
    assert lost[0].saved_as == tmp_path / "cat.dragonnx"
    assert_same(mine.recover(lost[0]), dragged)
    mine.discard(lost[0])
    assert mine.lost() == []
    mine.clear()
    other.clear()
    assert not list(tmp_path.glob(f"{os.getpid()}*"))


def test_recovery_says_when_the_disk_refuses(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="autosave"):
        Recovery(tmp_path / "file" / "autosave").save(Document())
    assert Recovery(tmp_path / "file" / "autosave").lost() == []


def test_a_picture_opens_as_the_document_that_made_it(tmp_path, generator, dragged):
    path = tmp_path / "a.png"
    save_png(generator.image(dragged.result.w_plus), path, recipe(dragged, generator))
    opened = document_of_recipe(read_recipe(path), generator)
    assert_same(dragged, opened)
    with pytest.raises(InputError, match="nothing was dragged"):
        report(opened, generator)


def test_a_picture_of_the_command_line_opens_with_its_points(generator):
    values = {
        "model": "critters",
        "seed": SEED,
        "truncation_psi": 0.7,
        "label": None,
        "points": [{"handle": NOSE, "final": NOSE_TARGET, "target": NOSE_TARGET, "distance": 0}],
        "masked": False,
        "settings": {"preset": "paper", "space": "w+", "step_size": 0.01, "r1_pixels": 3},
    }
    document = document_of_recipe(values, generator)
    assert document.start.seed == SEED
    assert document.pairs[0].handle == NOSE
    assert document.config.step_size == 0.01
    assert document.result is None


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"model": "critters", "pairs": [{"target": [1, 2]}]},
        {"model": "critters", "w_plus": "AAAA"},
        {"model": "critters", "config": {"unknown": 1}},
        {"model": "critters", "mask": "AAAA"},
    ],
)
def test_a_bad_recipe_is_one_sentence(generator, values):
    with pytest.raises(InputError, match="recipe"):
        document_of_recipe(values, generator)


def test_pictures_without_a_recipe_are_refused(tmp_path, generator):
    path = tmp_path / "plain.png"
    generator.image(generator.w_plus(1)).save(path)
    with pytest.raises(InputError, match="did not write"):
        read_recipe(path)
    path.write_bytes(b"no picture")
    with pytest.raises(InputError, match="no picture"):
        read_recipe(path)


def test_outputs_of_a_drag(generator, dragged):
    pictures = list(frames(dragged, generator))
    assert len(pictures) == 4
    assert before_and_after(dragged, generator).width > 2 * pictures[0].width
    facts = report(dragged, generator)
    assert facts["steps"] == 3
    assert facts["seed"] == SEED
    assert json.loads(json.dumps(facts)) == facts


def test_free_path_never_names_a_file_that_is_there(tmp_path):
    assert free_path(tmp_path, "a", ".png").name == "a.png"
    (tmp_path / "a.png").touch()
    (tmp_path / "a-2.png").touch()
    assert free_path(tmp_path, "a", ".png").name == "a-3.png"
