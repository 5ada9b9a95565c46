"""Autosave, and what a killed editor left behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.bundled import NOSE, NOSE_NEAR
from support.headless_editor import HeadlessEditor

from dragonnx.document import Recovery
from dragonnx.editor.events import AutosaveFailed


def lose(saved_as: str = "None") -> None:
    """Have an editor killed after two points were placed."""
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
    with HeadlessEditor(works=False) as editor:
        editor.place(NOSE, NOSE_NEAR)
        editor.state.autosave.flush()
        (path,) = autosaved()
        from dragonnx.document import open_document

        assert open_document(path).pairs[0].target == NOSE_NEAR
        assert HeadlessEditor(works=False).lost_work.newest() is None, "its editor still runs"
    assert autosaved() == []


def test_lost_work_is_recovered():
    lose('pathlib.Path("cat.dragonnx")')
    with HeadlessEditor(works=False) as editor:
        work = editor.lost_work.newest()
        assert editor.lost_work.name(work) == "cat.dragonnx"
        editor.lost_work.recover(work)
        assert editor.document.pairs[0].target == NOSE_NEAR
        assert editor.state.path.name == "cat.dragonnx"
        assert not editor.state.is_saved
        assert editor.lost_work.newest() is None
        assert len(autosaved()) == 1, "it is autosaved here before the old one goes"
        editor.history.undo()
        assert editor.document.pairs == ()


def test_lost_work_is_discarded_or_kept():
    lose()
    with HeadlessEditor(works=False) as editor:
        work = editor.lost_work.newest()
        assert editor.lost_work.name(work) == "a document that was never saved"
        editor.lost_work.keep()
        assert "offered again" in editor.status
    with HeadlessEditor(works=False) as editor:
        editor.lost_work.discard(editor.lost_work.newest())
        assert editor.lost_work.newest() is None
        assert editor.document.pairs == ()


def test_damaged_lost_work_is_said_and_stays():
    lose()
    (path,) = autosaved()
    path.write_bytes(b"nonsense")
    with HeadlessEditor(works=False) as editor:
        editor.lost_work.recover(editor.lost_work.newest())
        assert editor.status.startswith("Could not recover: ")
        assert editor.document.pairs == ()
        assert editor.lost_work.newest() is not None


@pytest.mark.parametrize("later", ["better", "still full"])
def test_an_autosave_that_fails_is_said_once_and_the_editor_works(monkeypatch, later):
    def full(*_arguments, **_settings):
        raise OSError(28, "No space left on device")

    recovery = Recovery()
    with HeadlessEditor(recovery=recovery, works=False) as editor:
        with monkeypatch.context() as patch:
            patch.setattr("zipfile.ZipFile.writestr", full)
            editor.place(NOSE)
            editor.came(AutosaveFailed)
            editor.place(NOSE_NEAR)
            editor.state.autosave.flush()
        assert editor.count(AutosaveFailed) == 1
        assert editor.state.alert.heading == "Autosave does not work"
        assert "No space left" in editor.state.alert.text
        if later == "better":
            editor.history.undo()
            editor.state.autosave.flush()
            assert len(autosaved()) == 1
