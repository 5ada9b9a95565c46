"""What a picture starts from: seeds, truncation, classes, models, the contact sheet."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from support.bundled import NOSE, NOSE_TARGET, SEED
from support.headless_editor import HeadlessEditor

from dragonnx.document import Document, LatentStart, open_document, save_document
from dragonnx.editor.answers import label_of, psi_of, seed_of
from dragonnx.editor.events import (
    DocumentSaved,
    DragEnded,
    PictureMade,
    SheetPictureMade,
    TaskFailed,
)
from dragonnx.errors import InputError
from dragonnx.model.generator import Generator
from dragonnx.model.latent import LARGEST_SEED
from dragonnx.model.library import find_bundle


@pytest.fixture
def twin(tmp_path):
    """A second model of one's own, in the folder of models."""
    folder = tmp_path / "models" / "twin"
    shutil.copytree(find_bundle("critters"), folder)
    return folder


def test_seeds():
    with HeadlessEditor(works=False) as editor:
        editor.latent.next_seed()
        assert editor.document.start.seed == SEED + 1
        editor.latent.previous_seed()
        editor.latent.previous_seed()
        assert editor.document.start.seed == SEED - 1
        editor.latent.random_seed()
        editor.latent.use_seed(LARGEST_SEED)
        editor.latent.next_seed()
        assert editor.document.start.seed == 0
        editor.latent.previous_seed()
        assert editor.document.start.seed == LARGEST_SEED
        for seed in (-1, LARGEST_SEED + 1):
            with pytest.raises(InputError, match="whole number from 0"):
                editor.latent.use_seed(seed)


def test_another_seed_takes_the_points_and_undo_brings_them_back():
    with HeadlessEditor(works=False) as editor:
        editor.place(NOSE, NOSE_TARGET)
        editor.latent.next_seed()
        assert "Points and mask went" in editor.status
        assert editor.document.pairs == ()
        editor.history.undo()
        assert editor.document.pairs[0].handle == NOSE


def test_truncation_keeps_the_points():
    with HeadlessEditor(works=False) as editor:
        editor.place(NOSE, NOSE_TARGET)
        editor.latent.use_psi(0.4)
        assert editor.document.start.truncation_psi == 0.4
        assert len(editor.document.pairs) == 1
        editor.latent.use_psi(None)
        assert editor.document.start.truncation_psi is None
        with pytest.raises(InputError, match="from -2 to 2"):
            editor.latent.use_psi(3.0)


def test_a_latent_has_neither_class_nor_truncation():
    start = LatentStart(w_plus=np.zeros((1, 14, 192), np.float32), name="a.npz")
    with HeadlessEditor(Document(start=start), works=False) as editor:
        with pytest.raises(InputError, match="starts from a latent"):
            editor.latent.use_psi(0.5)
        with pytest.raises(InputError, match="no classes"):
            editor.latent.label_count()


@pytest.mark.parametrize(
    ("read", "good", "value", "bad"),
    [
        (seed_of, " 99 ", 99, ("", "nothing", "-1", str(2**32))),
        (psi_of, "0.7", 0.7, ("much", "3", "nan", "inf")),
        (psi_of, " ", None, ()),
        (lambda text: label_of(text, 3), "2", 2, ("3", "", "cat")),
    ],
)
def test_what_is_typed_is_read_or_refused(read, good, value, bad):
    assert read(good) == value
    for text in bad:
        with pytest.raises(InputError, match="expected: "):
            read(text)


def test_the_newest_picture_is_the_one_that_is_made():
    with HeadlessEditor() as editor:
        for _ in range(5):
            editor.latent.next_seed()
        editor.settle()
        assert editor.newest(PictureMade).document is editor.document
        assert editor.count(PictureMade) < 6


def test_a_picture_that_comes_late_does_not_replace_the_documents():
    with HeadlessEditor() as editor:
        shown = editor.state.picture
        editor.latent.next_seed()
        editor.history.undo()
        assert editor.state.shows_document
        editor.latent.use_model("missing")
        editor.came(TaskFailed)  # what was asked before is done by then
        assert editor.state.picture is shown


def test_the_contact_sheet_has_the_pages_pictures():
    with HeadlessEditor() as editor:
        seeds = editor.sheet.show_page(SEED, 3)
        assert SEED in seeds
        assert len(seeds) == 3
        editor.until(lambda: len(editor.sheet.pictures) == 3)
        assert sorted(editor.sheet.pictures) == seeds
        last = editor.sheet.show_page(LARGEST_SEED, 7)
        assert last[-1] == LARGEST_SEED
        editor.until(lambda: len(editor.sheet.pictures) == len(last))
        count = editor.count(SheetPictureMade)
        editor.sheet.show_page(0, 50)
        editor.sheet.close()
        editor.latent.next_seed()
        editor.settle()
        assert editor.count(SheetPictureMade) < count + 5, "the rest of the page is not made"
        assert editor.sheet.pictures == {}


def test_a_model_is_chosen_and_undone(twin):
    with HeadlessEditor() as editor:
        editor.place(NOSE)
        editor.latent.use_model("twin")
        editor.until(lambda: editor.document.model == "twin")
        editor.settle()
        assert editor.document.start.seed == SEED
        assert editor.document.pairs == ()
        editor.history.undo()
        editor.settle()
        assert editor.document.model == "critters"
        assert editor.document.pairs[0].handle == NOSE
        editor.latent.use_model(str(twin))
        editor.until(lambda: editor.document.model == str(twin))


@pytest.mark.parametrize("damage", ["missing", "altered", "no picture"])
def test_a_model_that_fails_changes_nothing(twin, monkeypatch, damage):
    with HeadlessEditor() as editor:
        editor.place(NOSE, NOSE_TARGET)
        before, picture = editor.document, editor.state.picture
        if damage == "missing":
            shutil.rmtree(twin)
        elif damage == "altered":
            (twin / "w_avg.npy").write_bytes(b"nonsense")
        with monkeypatch.context() as patch:
            if damage == "no picture":
                patch.setattr(Generator, "image", lambda *_: 1 / 0)
            editor.latent.use_model(str(twin))
            editor.came(TaskFailed)
        assert f"Could not open the model {twin}" in editor.status
        assert editor.document is before
        assert editor.state.picture is picture
        editor.latent.next_seed()
        editor.settle()


def test_a_document_whose_model_is_gone_is_not_opened(twin):
    save_document(Document(model=str(twin)), Path("old.dragonnx"))
    shutil.rmtree(twin)
    with HeadlessEditor() as editor:
        before = editor.document
        editor.open("old.dragonnx")
        editor.came(TaskFailed)
        assert "Could not open old.dragonnx" in editor.status
        assert editor.document is before


def test_a_class_is_chosen_saved_and_undone(labels):
    with HeadlessEditor() as editor:
        assert labels == [0]
        with pytest.raises(InputError, match="from 0 to 2"):
            editor.latent.use_label(3)
        editor.latent.use_label(2)
        editor.settle()
        assert labels == [0, 2]
        editor.files.save(Path("a.dragonnx"))
        editor.came(DocumentSaved)
        assert open_document(Path("a.dragonnx")).start.label == 2
        editor.latent.next_seed()
        editor.history.undo()
        editor.history.undo()
        editor.settle()
        assert editor.document.start.label is None
        assert labels[-1] == 0


def test_slow_pictures_are_preceded_by_coarse_ones(monkeypatch):
    monkeypatch.setattr("dragonnx.editor.pictures.SLOW_SECONDS", 0.0)
    with HeadlessEditor() as editor:
        assert editor.count(PictureMade) == 1  # the first picture's time says nothing yet
        for _ in range(2):
            editor.latent.next_seed()
            editor.settle()
        made = [event for event in editor.events if isinstance(event, PictureMade)]
        assert [event.is_preview for event in made] == [False, False, True, False]
        coarse, full = (event.picture for event in made[2:])
        assert coarse.shape == full.shape
        assert 2 < np.abs(coarse.astype(int) - full).mean() < 40
        editor.place(NOSE, NOSE_TARGET)
        editor.drag.step()
        editor.came(DragEnded)
        assert editor.newest(DragEnded).is_preview
        editor.settle()
        assert not np.array_equal(editor.state.picture, full)
