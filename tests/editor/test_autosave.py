"""The copy that survives a kill: when it is written, what it says, and when it goes."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from support.documents import same
from support.editor_runs import EditorRun

from dragonnx.document import LatentStart, Recovery, open_document
from dragonnx.editor.autosave import Autosave
from dragonnx.editor.events import AutosaveFailed
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

    def save(self, document, saved_as=None):
        self.came.set()
        assert self.free.wait(60)
        if self.is_full:
            raise InputError("no space left")
        super().save(document, saved_as)
        self.written.append((document, saved_as))


@pytest.fixture
def recovery():
    return Kept()


@pytest.fixture
def lost():
    """Leaves work behind, of seed 77, as an editor does that ends at once."""
    ended = (
        "import os; from dragonnx.document import *; "
        "Recovery().save(Document('sliding', LatentStart(77)).with_point((3, 4))); "
        "os._exit(1)"
    )
    subprocess.run([sys.executable, "-c", ended], check=False)


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
    autosave.close(keep=True)
    assert [each.start.seed for each, _ in recovery.written] == [0, 4]
    assert failures == []


def test_what_waits_when_it_is_closed_is_written(recovery, document):
    autosave = Autosave(recovery, [].append)
    recovery.free.clear()
    autosave.note(document, None)
    assert recovery.came.wait(60)
    autosave.note(document.with_point((1, 2)), None)
    recovery.free.set()
    autosave.close(keep=True)
    assert len(recovery.written[-1][0].pairs) == 1


@pytest.mark.parametrize("keep", [True, False])
def test_an_end_keeps_the_copy_only_where_it_is_told(recovery, document, keep):
    autosave = Autosave(recovery, [].append)
    autosave.note(document, None)
    autosave.close(keep=keep)
    assert len(copies()) == keep


def test_a_failure_is_told_once_until_it_works_again(recovery, document):
    failures = []
    autosave = Autosave(recovery, failures.append)
    for is_full in (True, True, False, True):
        recovery.is_full = is_full
        autosave.note(document.with_point((1, 2)), None)
        autosave.flush(60)
    autosave.close(keep=False)
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


@pytest.mark.usefixtures("lost")
def test_lost_work_goes_once_it_is_written_here(run):
    work = run.editor.lost_work.newest()
    run.editor.lost_work.recover(work)
    run.settled()
    assert run.document.start.seed == 77
    assert not run.state.is_saved
    assert not work.path.exists()
    run.editor.history.undo()
    assert run.document.start.seed == 40


@pytest.mark.usefixtures("lost")
def test_lost_work_stays_where_it_cannot_be_written_here(document, recovery):
    with EditorRun(document, recovery=recovery) as run:
        recovery.is_full = True
        work = run.editor.lost_work.newest()
        run.editor.lost_work.recover(work)
        assert run.document.start.seed == 77
        assert work.path.exists(), "it is the only copy"
        run.received(AutosaveFailed)
        assert run.state.alert.heading == "Autosave does not work"
    assert work.path.exists()


@pytest.mark.usefixtures("lost")
def test_lost_work_waits_for_a_drag(run):
    run.place((20, 20), (40, 20))
    run.editor.drag.start_or_pause()
    work = run.editor.lost_work.newest()
    run.editor.lost_work.recover(work)
    run.settled()
    assert run.document.start.seed == 77
    run.editor.history.undo()
    assert run.document.start.seed == 40
