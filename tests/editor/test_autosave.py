"""The copy that survives a kill: when it is written, what it says, and when it goes."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from support.documents import same
from support.editor_runs import EditorRun
from support.full_disk import full_disk

from dragonnx.document import LatentStart, Recovery, open_document
from dragonnx.editor.autosave import Autosave
from dragonnx.editor.events import AutosaveFailed, DocumentSaved
from dragonnx.errors import InputError


class Kept(Recovery):
    """A recovery that remembers what it wrote, and can be held or full."""

    def __init__(self) -> None:
        super().__init__()
        self.written = []
        self.free = threading.Event()
        self.free.set()
        self.came = threading.Event()
        self.is_full = False

    def save(self, document, saved_as=None, **facts):
        self.came.set()
        assert self.free.wait(60)
        if self.is_full:
            raise InputError("no space left")
        super().save(document, saved_as, **facts)
        self.written.append((document, saved_as))


@pytest.fixture
def recovery():
    return Kept()


def copies() -> list[Path]:
    return list((Path(os.environ["DRAGONNX_STATE"]) / "autosave").glob("[!.]*.dragonnx"))


def test_only_the_newest_of_many_edits_is_written(recovery, document):
    failures = []
    autosave = Autosave(recovery, failures.append)
    recovery.free.clear()
    edits = [document.with_start(LatentStart(seed=seed)) for seed in range(5)]
    autosave.note(edits[0], None)
    assert recovery.came.wait(60)
    for edit in edits[1:]:
        autosave.note(edit, None)
    recovery.free.set()
    autosave.flush(60)
    autosave.close()
    assert [each.start.seed for each, _ in recovery.written] == [0, 4]
    assert failures == []


def test_what_waits_when_it_is_closed_is_written(recovery, document):
    autosave = Autosave(recovery, [].append)
    recovery.free.clear()
    autosave.note(document, None)
    assert recovery.came.wait(60)
    autosave.note(document.with_point((1, 2)), None)
    recovery.free.set()
    autosave.close()
    assert len(recovery.written[-1][0].pairs) == 1


@pytest.mark.parametrize("keep", [True, False])
def test_an_end_keeps_the_copy_only_where_it_is_told(recovery, document, keep):
    autosave = Autosave(recovery, [].append)
    autosave.note(document, None)
    autosave.close()
    assert len(copies()) == 1
    autosave.leave(keep=keep)
    assert len(copies()) == len(Recovery().lost()) == keep


def test_a_copy_that_somebody_removes_is_written_again(recovery, document, monkeypatch):
    monkeypatch.setattr("dragonnx.editor.autosave._LOOK_EVERY", 0.01)
    autosave = Autosave(recovery, [].append)
    autosave.note(document, None)
    autosave.flush(60)
    recovery.came.clear()
    copies()[0].unlink()
    assert recovery.came.wait(60)
    autosave.flush(60)
    assert same(open_document(*copies()), document)
    assert len(recovery.written) == 2, "once, and not at every look"
    autosave.close()
    autosave.leave(keep=False)


@pytest.mark.parametrize("error", [MemoryError(), ValueError("a mistake of ours")])
def test_whatever_fails_later_edits_are_written(recovery, document, monkeypatch, error):
    def fails(*_arguments, **_facts):
        raise error

    failures = []
    autosave = Autosave(recovery, failures.append)
    with monkeypatch.context() as patch:
        patch.setattr(recovery, "save", fails)
        autosave.note(document, None)
        assert not autosave.flush(60)
    assert type(error).__name__ in failures[0].reason
    autosave.note(document, None)
    assert autosave.flush(60)
    autosave.close()
    autosave.leave(keep=False)


def test_a_failure_is_told_once_until_it_works_again(recovery, document):
    failures = []
    autosave = Autosave(recovery, failures.append)
    for is_full in (True, True, False, True):
        recovery.is_full = is_full
        autosave.note(document.with_point((1, 2)), None)
        autosave.flush(60)
    autosave.close()
    autosave.leave(keep=False)
    assert [type(event) for event in failures] == [AutosaveFailed, AutosaveFailed]


def test_every_way_to_another_document_is_written(document, recovery):
    with EditorRun(document, recovery=recovery) as run:
        run.settled()
        for change in (
            lambda: run.place((5, 5)),
            run.editor.history.undo,
            run.editor.history.redo,
            run.editor.latent.next_seed,
        ):
            change()
            run.state.autosave.flush(60)
            assert recovery.written[-1][0] is run.document
            assert same(open_document(*copies()), run.document)


@pytest.mark.parametrize(("how", "kept"), [("left", 0), ("ended by a mistake", 1)])
def test_the_copy_goes_where_the_user_ends_the_editor(document, how, kept):
    run = EditorRun(document)
    with run:
        run.settled()
        run.place((5, 5))
        run.state.autosave.flush(60)
        assert len(copies()) == 1
        assert EditorRun(document).editor.lost_work.newest() is None, "it still runs"
        run.editor.close(keep=how != "left")
        run.editor.join()
        assert len(copies()) == kept


def test_a_terminal_that_is_closed_over_a_saved_document_loses_nothing():
    for edited, kept in ((False, 0), (True, 1)):
        with EditorRun(works=False) as run:
            run.place((5, 5), (9, 5))
            run.editor.receive(DocumentSaved(run.document, Path("cat.dragonnx"), None))
            assert run.state.is_saved
            if edited:
                run.place((20, 5))
            run.editor.close(keep=True)
        assert len(copies()) == kept


def test_what_is_being_saved_as_the_editor_ends_is_kept_where_it_fails(document):
    """The user pressed "save" and left; that it failed nobody is there to read."""
    with EditorRun(document) as run:
        run.settled()
        run.place((5, 5))
        with full_disk("a.dragonnx"):
            run.editor.files.save(Path("a.dragonnx"))
            run.editor.close()
            run.editor.join()
        assert [len(open_document(path).pairs) for path in copies()] == [1]
