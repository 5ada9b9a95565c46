"""Autosave, and what a killed run left behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.bundled import NOSE, NOSE_NEAR
from support.editor_runs import EditorRun
from support.full_disk import full_disk

from dragonnx.document import Recovery
from dragonnx.editor.events import AutosaveFailed, DocumentSaved


def lose(saved_as: str = "None") -> None:
    """Have an run killed after two points were placed."""
    killed = (
        "import os, pathlib; from dragonnx.document import *; "
        f"Recovery().save(Document().with_point({NOSE}).with_point({NOSE_NEAR}), {saved_as}); "
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", killed], check=False)


def autosaved() -> list[Path]:
    import os

    return sorted((Path(os.environ["DRAGONNX_STATE"]) / "autosave").glob("[!.]*.dragonnx"))


def test_every_edit_is_autosaved_and_a_good_end_leaves_nothing():
    with EditorRun(works=False) as run:
        run.place(NOSE, NOSE_NEAR)
        run.state.autosave.flush()
        (path,) = autosaved()
        from dragonnx.document import open_document

        assert open_document(path).pairs[0].target == NOSE_NEAR
        assert EditorRun(works=False).editor.lost_work.newest() is None, "it still runs"
    assert autosaved() == []


def test_a_terminal_that_is_closed_over_a_saved_document_loses_nothing():
    with EditorRun(works=False) as run:
        run.place(NOSE, NOSE_NEAR)
        run.editor.files.save(Path("cat.dragonnx"))
        run.editor.receive(DocumentSaved(run.document, Path("cat.dragonnx"), None))
        assert run.state.is_saved
        run.editor.close(keep=True)
    assert autosaved() == []
    with EditorRun(works=False) as run:
        run.place(NOSE, NOSE_NEAR)
        run.editor.receive(DocumentSaved(run.document, Path("cat.dragonnx"), None))
        run.place(NOSE, NOSE_NEAR)
        run.editor.close(keep=True)
    assert len(autosaved()) == 1, "it was edited after it was saved"


def test_lost_work_is_recovered():
    lose('pathlib.Path("cat.dragonnx")')
    with EditorRun(works=False) as run:
        work = run.editor.lost_work.newest()
        assert run.editor.lost_work.name(work) == "cat.dragonnx"
        run.editor.lost_work.recover(work)
        assert run.document.pairs[0].target == NOSE_NEAR
        assert run.state.path.name == "cat.dragonnx"
        assert not run.state.is_saved
        assert run.editor.lost_work.newest() is None
        assert len(autosaved()) == 1, "it is autosaved here before the old one goes"
        run.editor.history.undo()
        assert run.document.pairs == ()


def test_lost_work_is_discarded_or_kept():
    lose()
    with EditorRun(works=False) as run:
        work = run.editor.lost_work.newest()
        assert run.editor.lost_work.name(work) == "a document that was never saved"
        run.editor.lost_work.keep()
        assert "offered again" in run.notice
    with EditorRun(works=False) as run:
        run.editor.lost_work.discard(run.editor.lost_work.newest())
        assert run.editor.lost_work.newest() is None
        assert run.document.pairs == ()


def test_damaged_lost_work_is_said_and_stays():
    lose()
    (path,) = autosaved()
    path.write_bytes(b"nonsense")
    with EditorRun(works=False) as run:
        run.editor.lost_work.recover(run.editor.lost_work.newest())
        assert run.notice.startswith("Could not recover: ")
        assert run.document.pairs == ()
        assert run.editor.lost_work.newest() is not None


@pytest.mark.parametrize("later", ["better", "still full"])
def test_an_autosave_that_fails_is_said_once_and_the_editor_works(later):
    recovery = Recovery()
    with EditorRun(recovery=recovery, works=False) as run:
        with full_disk():
            run.place(NOSE)
            run.received(AutosaveFailed)
            run.place(NOSE_NEAR)
            run.state.autosave.flush()
        assert run.count(AutosaveFailed) == 1
        assert run.state.alert.heading == "Autosave does not work"
        assert "No space left" in run.state.alert.text
        if later == "better":
            run.editor.history.undo()
            run.state.autosave.flush()
            assert len(autosaved()) == 1
