"""A drag that is paused, saved and opened again goes on as if the editor had never been left."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from editor.sliding_model import HEIGHT, WIDTH
from PIL import Image
from support.editor_runs import EditorRun

from dragonnx.document import Document, open_document
from dragonnx.drag.config import DragConfig
from dragonnx.editor.events import DocumentSaved, DragEnded, FileOpened

HANDLE, TARGET = (20, 20), (60, 40)


@pytest.fixture
def marked(run: EditorRun) -> EditorRun:
    """An editor with a pair and a drag that takes long; its moments count."""
    run.place(HANDLE, TARGET)
    run.editor.drag.use_settings(DragConfig(preset="paper", step_size=0.05, max_steps=10**6))
    return run


def step(run: EditorRun, times: int = 1) -> None:
    for _ in range(times):
        count = run.count(DragEnded)
        run.editor.drag.step()
        run.received(DragEnded, count + 1)


def saved(run: EditorRun, path: Path) -> Path:
    count = run.count(DocumentSaved)
    run.editor.files.save(path, replace=True)
    run.received(DocumentSaved, count + 1)
    return path


def opened(run: EditorRun, path: Path) -> None:
    count = run.count(FileOpened)
    run.editor.files.open(path)
    run.received(FileOpened, count + 1)
    run.settled()


def assert_same(found: Document, expected: Document) -> None:
    assert found.result is not None
    assert expected.result is not None
    np.testing.assert_array_equal(found.result.latents, expected.result.latents)
    np.testing.assert_array_equal(found.result.trace, expected.result.trace)
    np.testing.assert_array_equal(found.result.loss, expected.result.loss)
    assert found.pairs == expected.pairs


def test_it_goes_on_in_another_editor(marked: EditorRun, document: Document, tmp_path) -> None:
    step(marked, 3)
    path = saved(marked, tmp_path / "a.dragonnx")
    step(marked, 3)
    with EditorRun(document) as later:
        later.settled()
        opened(later, path)
        assert later.notice.endswith("The drag is paused; Space goes on.")
        step(later)
        assert "Going on." in later.said
        step(later, 2)
        assert_same(later.document, marked.document)
        later.editor.history.undo()
        assert later.document.result.steps == 3, "what was opened"
    with EditorRun(open_document(path)) as begun:
        begun.settled()
        step(begun, 3)
        assert_same(begun.document, marked.document)


def test_it_goes_on_where_it_had_gone_on_from_an_earlier_step(
    marked: EditorRun, document: Document, tmp_path
) -> None:
    step(marked, 5)
    marked.editor.scrub.go_to(2)
    step(marked, 3)
    assert marked.document.result.steps == 5
    path = saved(marked, tmp_path / "a.dragonnx")
    step(marked, 2)
    with EditorRun(document) as later:
        later.settled()
        opened(later, path)
        step(later, 2)
        assert later.document.result.steps == 7
        assert_same(later.document, marked.document)


def test_another_document_s_drag_is_not_taken_for_it(marked: EditorRun, tmp_path) -> None:
    step(marked, 2)
    path = saved(marked, tmp_path / "a.dragonnx")
    step(marked)
    wanted = marked.document
    marked.editor.drag.reset()
    marked.editor.points.select(0, "target")
    marked.editor.pointer.move_by(-9, 0)
    step(marked)
    opened(marked, path)
    step(marked)
    assert_same(marked.document, wanted)


def test_recovered_work_goes_on(marked: EditorRun, document: Document) -> None:
    step(marked, 2)
    assert marked.state.autosave.flush()
    marked.editor.close(keep=True)
    marked.editor.join()
    with EditorRun(document) as later:
        later.settled()
        later.editor.lost_work.recover(later.editor.lost_work.newest())
        assert later.state.phase.paused is later.document
        step(later)
        assert later.document.result.steps == 3


def test_what_was_ended_begins_anew(marked: EditorRun, document: Document, tmp_path) -> None:
    step(marked, 2)
    marked.editor.drag.stop()
    assert marked.document.result.outcome == "cancelled"
    assert marked.state.shows_document
    path = saved(marked, tmp_path / "a.dragonnx")
    step(marked)
    with EditorRun(document) as later:
        later.settled()
        opened(later, path)
        assert later.state.phase.paused is None
        step(later)
        assert_same(later.document, marked.document)
    marked.editor.history.undo()
    marked.editor.history.undo()
    assert marked.document.result is None, "the drag and its end are one edit"


def test_with_a_mask_that_is_opened_it_is_another_drag(marked: EditorRun, tmp_path) -> None:
    step(marked, 2)
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[5:, 5:] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    opened(marked, tmp_path / "mask.png")
    assert marked.document.mask is not None
    assert "goes on" not in marked.notice
    step(marked)
    assert marked.document.result.steps == 1
    assert marked.document.result.masked
