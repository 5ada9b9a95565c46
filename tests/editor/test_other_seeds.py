"""The same edit on other seeds: in the background, as a sheet, opened as a document."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from PIL import Image
from support.editor_runs import EditorRun
from support.full_disk import full_disk

from dragonnx import open_picture
from dragonnx.batch import JobResult
from dragonnx.document import Document, LatentStart
from dragonnx.document.recipe import recipe_of
from dragonnx.drag.config import DragConfig
from dragonnx.editor.events import FileOpened
from dragonnx.editor.seed_events import SeedBatchEnded, SeedEdited, SeedsSaved
from dragonnx.errors import InputError
from dragonnx.media import save_image

REPORT = {"drag": {"outcome": "reached", "steps": 7, "points": [{"distance": 0.5}]}}


@pytest.fixture
def batch(monkeypatch, tmp_path):
    """A batch that costs nothing: seeds above 90 fail, those above 50 wait until they are stopped."""
    made = tmp_path / "made"
    made.mkdir()
    given = threading.Event()

    def run(jobs, _output, *, stop, **_):
        for job in jobs:
            if 50 < job["seed"] < 90:
                given.set()
                while not stop():
                    threading.Event().wait(0.01)
                return
            failed = job["seed"] > 90
            picture = made / f"{job['id']}.png"
            recipe = recipe_of(Document(start=LatentStart(job["seed"])))
            save_image(Image.new("RGB", (600, 300), (10, 200, 30)), picture, recipe, None)
            yield JobResult(
                job["id"], "failed" if failed else "done", "no room" if failed else "",
                None if failed else picture, {} if failed else REPORT,
            )  # fmt: skip

    monkeypatch.setattr("dragonnx.batch.engine.run", run)
    return given


def test_the_same_edit_is_done_on_seeds_and_one_opens_as_a_document(tmp_path, monkeypatch):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    document = Document(start=LatentStart(40), config=DragConfig(max_steps=1))
    with EditorRun(document) as run:
        run.settled()
        run.place((113, 151), (118, 151))
        edit = run.document
        run.editor.other_seeds.start([41, 7])
        run.editor.latent.use_psi(0.5)  # the editor goes on, and that changes nothing of it
        run.received(SeedBatchEnded)
        done = run.editor.other_seeds.done
        assert sorted(done) == [7, 41]
        assert "1 steps" in done[41].told
        assert max(done[41].picture.shape) == 256
        assert run.notice == "The edit is done on 2 seeds; K shows them."
        run.editor.other_seeds.open(41)
        run.received(FileOpened)
        run.settled()
        assert run.document.start.seed == 41
        assert run.document.start.truncation_psi == edit.start.truncation_psi
        assert run.document.result.steps == 1
        assert run.document.pairs[0].first == edit.pairs[0].handle
        assert run.state.path is None, "it has no file yet"
        run.editor.history.undo()
        assert run.document.start.seed == 40
    assert list(temporary.iterdir()) == [], "results lie in a folder that goes with the editor"


def test_an_edit_of_other_seeds_can_be_ended_and_what_is_done_stays(run, batch):
    run.place((10, 10), (20, 10))
    run.editor.other_seeds.start([1, 60, 2])
    batch.wait(60)
    run.editor.other_seeds.stop()
    run.received(SeedBatchEnded)
    assert sorted(run.editor.other_seeds.done) == [1]
    assert run.notice == "The edit is done on 1 of 3 seeds; K shows them."
    with pytest.raises(InputError, match="seed 2 is not done"):
        run.editor.other_seeds.open(2)


def test_a_seed_that_cannot_be_done_is_told_and_the_others_are(run, batch):
    run.place((10, 10), (20, 10))
    run.editor.other_seeds.start([99, 3])
    run.received(SeedBatchEnded)
    assert run.notice == "The edit is done on 1 of 2 seeds; K shows them."
    with pytest.raises(InputError, match="seed 99 could not be done: no room"):
        run.editor.other_seeds.open(99)


def test_another_edit_lets_the_one_before_go(run, batch):
    run.place((10, 10), (20, 10))
    run.editor.other_seeds.start([60])
    batch.wait(60)
    run.editor.other_seeds.start([5, 6])
    run.until(lambda: len(run.editor.other_seeds.done) == 2)
    run.until(lambda: not run.editor.other_seeds.is_running)
    assert {event.seed for event in run.all(SeedEdited)} == {5, 6}


def test_what_cannot_be_done_on_other_seeds_is_refused(run):
    with pytest.raises(InputError, match="There is no edit yet"):
        run.editor.other_seeds.start([1])
    run.place((10, 10), (20, 10))
    with pytest.raises(InputError, match="Mark from 1 to"):
        run.editor.other_seeds.start([])
    with pytest.raises(InputError, match="seed"):
        run.editor.other_seeds.start([-1])
    run.editor.other_seeds.stop()
    assert run.notice == "No edit of other seeds runs."


def test_a_full_disk_is_told(run, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    run.place((10, 10), (20, 10))
    monkeypatch.setattr("dragonnx.editor.seed_batch.save_document", fail)
    run.editor.other_seeds.start([1])
    run.received(SeedBatchEnded)
    assert "Could not edit the other seeds" in run.notice
    assert "No space left" in run.notice


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def test_results_that_were_not_opened_are_saved_as_pictures(run, batch, tmp_path):
    run.place((10, 10), (20, 10))
    others = run.editor.other_seeds
    assert others.unkept == 0
    others.start([1, 2, 99, 3])
    run.received(SeedBatchEnded)
    assert others.unkept == 3
    others.open(2)
    run.received(FileOpened)
    assert others.unkept == 2
    folder = others.suggested_folder()
    assert folder.name == "sliding-seed40-seeds"
    then = []
    others.save(folder, lambda: then.append(others.unkept))
    run.received(SeedsSaved)
    assert run.notice == "Wrote 2 results into sliding-seed40-seeds."
    assert then == [0]
    assert names(folder) == ["seed0001.png", "seed0003.png"]
    assert open_picture(folder / "seed0003.png").start.seed == 3
    assert others.suggested_folder().name == "sliding-seed40-seeds-2"
    with pytest.raises(InputError, match="was opened or saved"):
        others.save(others.suggested_folder())


def test_saving_ends_what_is_still_to_be_done(run, batch):
    run.place((10, 10), (20, 10))
    run.editor.other_seeds.start([1, 60, 2])
    batch.wait(60)
    run.until(lambda: run.editor.other_seeds.unkept == 1)
    run.editor.other_seeds.save(Path("one"))
    run.received(SeedsSaved)
    assert names(Path("one")) == ["seed0001.png"]
    assert not run.editor.other_seeds.is_running


def test_what_cannot_be_saved_stays(run, batch):
    run.place((10, 10), (20, 10))
    run.editor.other_seeds.start([1])
    run.received(SeedBatchEnded)
    Path("taken").mkdir()
    then = []
    for count, folder in enumerate(("taken", "missing/folder"), start=1):
        run.editor.other_seeds.save(Path(folder), lambda: then.append(1))
        run.received(SeedsSaved, count)
        assert run.notice.startswith("Could not save the results: ")
    with full_disk("seed0001.png"):
        run.editor.other_seeds.save(Path("full"), lambda: then.append(1))
        run.received(SeedsSaved, 3)
    assert "No space left" in run.notice
    assert then == []
    assert run.editor.other_seeds.unkept == 1
    run.editor.other_seeds.open(1)
    run.received(FileOpened)


@pytest.mark.parametrize("keep", [True, False])
def test_an_editor_that_is_ended_from_outside_leaves_them_to_the_next_one(document, batch, keep):
    with EditorRun(document) as run:
        run.settled()
        run.place((10, 10), (20, 10))
        run.editor.other_seeds.start([1, 2, 3])
        run.received(SeedBatchEnded)
        run.editor.other_seeds.open(3)
        run.received(FileOpened)
        run.settled()
        run.editor.close(keep=keep)
    with EditorRun(document, works=False) as later:
        lost = later.editor.lost_work
        works = lost.all()
        if not keep:
            assert works == [], "its user left it"
            return
        told = [lost.look(work) for work in works]
        assert sorted(each.facts.split(", ")[1] for each in told) == ["seed 1", "seed 2", "seed 3"]
        assert max(each.picture.shape[1] for each in told if each.picture is not None) == 96
        first = next(work for work, each in zip(works, told, strict=True) if "seed 1" in each.facts)
        lost.recover(first)
        assert later.document.start.seed == 1
        lost.keep()
    assert len(EditorRun(document, works=False).editor.lost_work.all()) == 2
