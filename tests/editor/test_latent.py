"""What a picture starts from: seeds, truncation, classes, models, the contact sheet."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from support.bundled import NOSE, NOSE_TARGET, SEED
from support.editor_runs import EditorRun

from dragonnx.document import Document, open_document, save_document
from dragonnx.editor.answers import label_of, psi_of, seed_of
from dragonnx.editor.events import (
    DocumentSaved,
    DragEnded,
    PictureMade,
    SheetPictureMade,
    TaskFailed,
)
from dragonnx.errors import InputError
from dragonnx.model.latent import LARGEST_SEED
from dragonnx.model.library import find_bundle


@pytest.fixture
def twin(tmp_path):
    """A second model of one's own, in the folder of models."""
    folder = tmp_path / "models" / "twin"
    shutil.copytree(find_bundle("critters"), folder)
    return folder


def test_seeds():
    with EditorRun(works=False) as run:
        run.editor.latent.next_seed()
        assert run.document.start.seed == SEED + 1
        run.editor.latent.previous_seed()
        run.editor.latent.previous_seed()
        assert run.document.start.seed == SEED - 1
        run.editor.latent.random_seed()
        run.editor.latent.use_seed(LARGEST_SEED)
        run.editor.latent.next_seed()
        assert run.document.start.seed == 0
        run.editor.latent.previous_seed()
        assert run.document.start.seed == LARGEST_SEED
        for seed in (-1, LARGEST_SEED + 1):
            with pytest.raises(InputError, match="whole number from 0"):
                run.editor.latent.use_seed(seed)


def test_another_seed_takes_the_points_and_undo_brings_them_back():
    with EditorRun(works=False) as run:
        run.place(NOSE, NOSE_TARGET)
        run.editor.latent.next_seed()
        assert "Points and mask went" in run.notice
        assert run.document.pairs == ()
        run.editor.history.undo()
        assert run.document.pairs[0].handle == NOSE


def test_truncation_keeps_the_points():
    with EditorRun(works=False) as run:
        run.place(NOSE, NOSE_TARGET)
        run.editor.latent.use_psi(0.4)
        assert run.document.start.truncation_psi == 0.4
        assert len(run.document.pairs) == 1
        run.editor.latent.use_psi(None)
        assert run.document.start.truncation_psi is None
        with pytest.raises(InputError, match="from -2 to 2"):
            run.editor.latent.use_psi(3.0)


@pytest.mark.parametrize(
    ("read", "good", "value", "bad"),
    [
        (seed_of, " 99 ", 99, ("", "nothing", "-1", str(2**32))),
        (psi_of, "0.7", 0.7, ("much", "3", "nan", "inf")),
        (psi_of, " ", None, ()),
        (lambda text: label_of(text, 3), "2", 2, ("3", "", "cat", "0,3", "0:2", "0,0")),
        (lambda text: label_of(text, 3), "2:0.3, 0:0.7", ((0, 0.7), (2, 0.3)), ()),
    ],
)
def test_what_is_typed_is_read_or_refused(read, good, value, bad):
    assert read(good) == value
    for text in bad:
        with pytest.raises(InputError, match="expected: "):
            read(text)


def test_the_newest_picture_is_the_one_that_is_made():
    with EditorRun() as run:
        run.settled()
        for _ in range(5):
            run.editor.latent.next_seed()
        run.settled()
        assert run.all(PictureMade)[-1].document is run.document
        assert run.count(PictureMade) < 6


def test_a_picture_that_comes_late_does_not_replace_the_documents():
    with EditorRun() as run:
        run.settled()
        shown = run.state.picture
        run.editor.latent.next_seed()
        run.editor.history.undo()
        assert run.state.shows_document
        run.editor.latent.use_model("missing")
        run.received(TaskFailed)  # what was asked before is done by then
        assert run.state.picture is shown


def test_the_contact_sheet_has_the_pages_pictures():
    with EditorRun() as run:
        run.settled()
        seeds = run.editor.sheet.show_page(SEED, 3)
        assert SEED in seeds
        assert len(seeds) == 3
        run.until(lambda: len(run.editor.sheet.pictures) == 3)
        assert sorted(run.editor.sheet.pictures) == seeds
        last = run.editor.sheet.show_page(LARGEST_SEED, 7)
        assert last[-1] == LARGEST_SEED
        run.until(lambda: len(run.editor.sheet.pictures) == len(last))
        count = run.count(SheetPictureMade)
        run.editor.sheet.show_page(0, 50)
        run.editor.sheet.close()
        run.editor.latent.next_seed()
        run.settled()
        assert run.count(SheetPictureMade) < count + 5, "the rest of the page is not made"
        assert run.editor.sheet.pictures == {}


def test_a_model_is_chosen_and_undone(twin):
    with EditorRun() as run:
        run.settled()
        run.place(NOSE)
        run.editor.latent.use_model("twin")
        run.until(lambda: run.document.model == "twin")
        run.settled()
        assert run.document.start.seed == SEED
        assert run.document.pairs == ()
        run.editor.history.undo()
        run.settled()
        assert run.document.model == "critters"
        assert run.document.pairs[0].handle == NOSE
        run.editor.latent.use_model(str(twin))
        run.until(lambda: run.document.model == str(twin))


@pytest.mark.parametrize("damage", ["missing", "altered"])
def test_a_model_that_fails_changes_nothing(twin, damage):
    with EditorRun() as run:
        run.settled()
        run.place(NOSE, NOSE_TARGET)
        before, picture = run.document, run.state.picture
        if damage == "missing":
            shutil.rmtree(twin)
        else:
            (twin / "w_avg.npy").write_bytes(b"nonsense")
        run.editor.latent.use_model(str(twin))
        run.received(TaskFailed)
        assert f"Could not open the model {twin}" in run.notice
        assert run.document is before
        assert run.state.picture is picture
        run.editor.latent.next_seed()
        run.settled()


def test_a_document_whose_model_is_gone_is_not_opened(twin):
    save_document(Document(model=str(twin)), Path("old.dragonnx"))
    shutil.rmtree(twin)
    with EditorRun() as run:
        run.settled()
        before = run.document
        run.editor.files.open(Path("old.dragonnx"))
        run.received(TaskFailed)
        assert "Could not open old.dragonnx" in run.notice
        assert run.document is before


def test_a_class_is_chosen_saved_and_undone(labels):
    with EditorRun() as run:
        run.settled()
        assert labels == [0]
        with pytest.raises(InputError, match="from 0 to 2"):
            run.editor.latent.use_label(3)
        run.editor.latent.use_label(2)
        run.settled()
        assert labels == [0, 2]
        run.editor.files.save(Path("a.dragonnx"))
        run.received(DocumentSaved)
        assert open_document(Path("a.dragonnx")).start.label == 2
        run.editor.latent.next_seed()
        run.editor.history.undo()
        run.editor.history.undo()
        run.settled()
        assert run.document.start.label is None
        assert labels[-1] == 0


def test_several_classes_are_chosen_saved_and_shown(labels):
    with EditorRun() as run:
        run.settled()
        run.editor.latent.use_label({2: 0.25, 0: 0.75})
        run.settled()
        assert run.notice == "Class 0:0.75,2:0.25."
        assert labels[-1] == ((0, 0.75), (2, 0.25))
        before = run.document
        run.editor.latent.use_label([[0, 0.75], [2, 0.25]])
        assert run.document is before
        run.editor.files.save(Path("a.dragonnx"))
        run.received(DocumentSaved)
        assert open_document(Path("a.dragonnx")).start.label == ((0, 0.75), (2, 0.25))
        run.editor.latent.use_label([0, 1])
        run.settled()
        assert labels[-1] == ((0, 1.0), (1, 1.0))


def test_slow_pictures_are_preceded_by_coarse_ones(monkeypatch):
    monkeypatch.setattr("dragonnx.editor.pictures.SLOW_SECONDS", 0.0)
    with EditorRun() as run:
        run.settled()
        assert run.count(PictureMade) == 1  # the first picture's time says nothing yet
        for _ in range(2):
            run.editor.latent.next_seed()
            run.settled()
        made = [event for event in run.events if isinstance(event, PictureMade)]
        assert [event.is_preview for event in made] == [False, False, True, False]
        coarse, full = (event.picture for event in made[2:])
        assert coarse.shape == full.shape
        assert 2 < np.abs(coarse.astype(int) - full).mean() < 40
        run.place(NOSE, NOSE_TARGET)
        run.editor.drag.step()
        run.received(DragEnded)
        assert run.all(DragEnded)[-1].is_preview
        run.settled()
        assert not np.array_equal(run.state.picture, full)
