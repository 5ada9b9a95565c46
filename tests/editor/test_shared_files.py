"""A file that several editors or programs write: nobody's work is written over unasked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image
from support.editor_runs import EditorRun

from dragonnx.document import open_document, save_document
from dragonnx.document.recovery import Recovery
from dragonnx.editor.events import (
    DocumentSaved,
    Exported,
    FileChanged,
    FileOpened,
    InversionEnded,
    PhotoRead,
    TaskFailed,
)
from dragonnx.editor.inversion_job import PhotoRequest
from dragonnx.editor.state import Part
from dragonnx.inversion.config import InversionConfig

FILE = Path("cat.dragonnx")


def save(run, path: Path | None = FILE, **options) -> None:
    count = run.count(DocumentSaved)
    run.editor.files.save(path, **options)
    run.received(DocumentSaved, count + 1)


def open_file(run, path: Path = FILE) -> None:
    count = run.count(FileOpened)
    run.editor.files.open(path)
    run.received(FileOpened, count + 1)
    run.settled()


def points(path: Path = FILE) -> int:
    return len(open_document(path).pairs)


@pytest.fixture
def other(document):
    with EditorRun(document) as other:
        other.settled()
        yield other


def test_two_editors_on_one_file_do_not_write_over_each_other(run, other):
    save(run)
    open_file(other)
    other.place((5, 5))
    save(other, None)
    run.editor.latent.next_seed()
    run.editor.files.save()
    run.received(FileChanged)
    assert points() == 1, "the other's work is there"
    assert Part.CONFLICT in run.told
    assert run.editor.files.changed_path == FILE
    assert "changed by others" in run.notice
    assert not run.state.is_saved
    save(run, FILE, replace=True)
    assert points() == 0
    save(run, None)
    other.editor.files.save()
    other.received(FileChanged)


def test_theirs_can_be_opened_and_mine_comes_back(run, other):
    save(run)
    open_file(other)
    other.place((5, 5))
    save(other, None)
    run.place((6, 6), (9, 9))
    open_file(run)
    assert run.document.pairs[0].handle == (5, 5)
    run.editor.history.undo()
    assert run.document.pairs[0].handle == (6, 6)
    run.editor.files.save()
    run.received(FileChanged)
    assert open_document(FILE).pairs[0].handle == (5, 5)


def test_a_file_written_again_with_the_same_content_has_not_changed(run):
    save(run)
    content = FILE.read_bytes()
    FILE.unlink()
    FILE.write_bytes(content)
    os.utime(FILE, (1, 1))
    run.place((5, 5))
    save(run, None)
    assert points() == 1


def test_a_file_that_is_gone_is_written_again(run):
    save(run)
    FILE.unlink()
    run.place((5, 5))
    save(run, None)
    assert points() == 1


def test_saving_twice_at_once_is_no_change_by_others(run, model):
    save(run)
    with model.held("image") as held:
        run.place((5, 5))
        run.editor.files.save()
        held.wait()
        run.place((9, 9))
        run.editor.files.save()
    run.received(DocumentSaved, 3)
    assert run.count(FileChanged) == 0
    assert run.state.is_saved


def test_a_file_that_comes_between_the_question_and_the_writing_is_kept(run, model):
    run.place((5, 5))
    with model.held("image") as held:
        run.editor.files.save(FILE)
        held.wait()
        FILE.write_text("precious", "utf-8")
    run.received(FileChanged)
    assert FILE.read_text("utf-8") == "precious"
    with model.held("image") as held:
        run.editor.latent.next_seed()
        held.wait()
        run.editor.files.export("picture", Path("a.png"))
        Path("a.png").write_text("precious", "utf-8")
    run.received(TaskFailed)
    assert "exists by now" in run.notice
    assert Path("a.png").read_text("utf-8") == "precious"
    assert run.count(Exported) == 0


def test_recovered_work_knows_what_its_file_held(run, document):
    save(run)
    run.place((5, 5))
    run.state.autosave.flush(60)
    run.editor.close(keep=True)
    run.editor.join()
    for changed in (False, True):
        if changed:
            save_document(document.with_point((1, 1)).with_point((2, 2)).with_point((3, 3)), FILE)
        with EditorRun(document) as again:
            again.settled()
            again.editor.lost_work.recover(again.editor.lost_work.newest())
            again.settled()
            again.editor.files.save()
            again.received(FileChanged if changed else DocumentSaved)
            again.place((7, 7))
            again.state.autosave.flush(60)
            again.editor.close(keep=True)
            again.editor.join()
    assert points() == 2, "theirs"
    assert len(Recovery().lost()) == 1


def test_a_photo_in_a_named_document_is_a_document_of_its_own(run):
    run.place((5, 5))
    save(run)
    Image.effect_noise((80, 60), 90).convert("RGB").save("photo.png")
    run.editor.photo.invert(PhotoRequest(Path("photo.png"), InversionConfig(steps=2)))
    run.received(PhotoRead)
    run.received(InversionEnded)
    assert run.state.path is None
    assert run.state.title == "unsaved document *"
    run.editor.history.undo()
    assert run.state.path == FILE
