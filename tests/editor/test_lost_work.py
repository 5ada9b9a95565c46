"""What an editor that was killed left behind: offered, recovered, discarded, kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from support.editor_runs import EditorRun
from support.full_disk import full_disk

from dragonnx.editor.events import AutosaveFailed


def lose(seed: int = 77, saved_as: str = "None") -> None:
    """Leave work of a seed behind, as an editor does that ends at once."""
    ended = (
        "import os, pathlib; from dragonnx.document import *; "
        f"Recovery().save(Document('sliding', LatentStart({seed})).with_point((3, 4)), {saved_as}); "
        "os._exit(1)"
    )
    subprocess.run([sys.executable, "-c", ended], check=False)


def copies() -> list[Path]:
    return list((Path(os.environ["DRAGONNX_STATE"]) / "autosave").glob("[!.]*.dragonnx"))


def test_lost_work_is_recovered(run):
    lose(saved_as='pathlib.Path("cat.dragonnx")')
    work = run.editor.lost_work.newest()
    assert run.editor.lost_work.name(work) == "cat.dragonnx"
    run.editor.lost_work.recover(work)
    run.settled()
    assert run.document.start.seed == 77
    assert run.document.pairs[0].handle == (3, 4)
    assert run.state.path.name == "cat.dragonnx"
    assert not run.state.is_saved
    assert run.editor.lost_work.newest() is None
    assert not work.path.exists()
    assert len(copies()) == 1, "it is autosaved here before the old one goes"
    run.editor.history.undo()
    assert run.document.start.seed == 40
    assert run.document.pairs == ()


def test_lost_work_is_kept_or_discarded(document):
    lose()
    with EditorRun(document, works=False) as run:
        work = run.editor.lost_work.newest()
        assert run.editor.lost_work.name(work) == "a document that was never saved"
        run.editor.lost_work.keep()
        assert "offered again" in run.notice
    with EditorRun(document, works=False) as run:
        run.editor.lost_work.discard(run.editor.lost_work.newest())
        assert run.editor.lost_work.newest() is None
        assert run.document is document


def test_damaged_lost_work_is_said_and_stays(document):
    lose()
    copies()[0].write_bytes(b"nonsense")
    with EditorRun(document, works=False) as run:
        run.editor.lost_work.recover(run.editor.lost_work.newest())
        assert run.notice.startswith("Could not recover: ")
        assert run.document is document
        assert run.editor.lost_work.newest() is not None


def test_lost_work_stays_where_it_cannot_be_written_here(document):
    lose()
    with full_disk(), EditorRun(document) as run:
        work = run.editor.lost_work.newest()
        run.editor.lost_work.recover(work)
        assert run.document.start.seed == 77
        assert work.path.exists(), "it is the only copy"
        run.received(AutosaveFailed)
        assert run.state.alert.heading == "Autosave does not work"
        assert "No space left" in run.state.alert.text
    assert work.path.exists()


def test_lost_work_waits_for_a_drag(run):
    lose()
    run.place((20, 20), (40, 20))
    run.editor.drag.start_or_pause()
    run.editor.lost_work.recover(run.editor.lost_work.newest())
    run.settled()
    assert run.document.start.seed == 77
    run.editor.history.undo()
    assert run.document.start.seed == 40


def test_lost_documents_are_offered_one_by_one(document):
    for seed in (1, 2, 3):
        lose(seed)
    with EditorRun(document) as run:
        lost_work = run.editor.lost_work
        newest, middle, oldest = lost_work.all()
        lost_work.discard(newest)
        assert lost_work.all() == [middle, oldest]
        lost_work.recover(middle)
        assert run.document.start.seed == 2
        assert "Another lost document is kept for the next start" in run.notice
        assert oldest.path.exists()
        assert not middle.path.exists(), "it is autosaved here"
        with EditorRun(document) as other:
            assert other.editor.lost_work.all() == [oldest]
