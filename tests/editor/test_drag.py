"""The drag: start, pause, step, stop, edits and failures in the middle."""

from __future__ import annotations

import numpy as np
import pytest
from support.bundled import FAR, NOSE, NOSE_NEAR, NOSE_TARGET
from support.headless_editor import HeadlessEditor

from dragonnx.drag.config import DragConfig
from dragonnx.drag.session import DragSession
from dragonnx.editor.events import DragEnded, DragProgressed, PictureMade, TaskFailed
from dragonnx.editor.phase import Dragging, Idle, Stopping
from dragonnx.errors import InputError


@pytest.fixture
def editor():
    with HeadlessEditor() as editor:
        yield editor


@pytest.fixture
def endless(editor):
    """An editor in the middle of a drag that would take long."""
    editor.place(NOSE, FAR)
    editor.drag.start_or_pause()
    editor.came(DragProgressed)
    return editor


def step(editor) -> None:
    count = editor.count(DragEnded)
    editor.drag.step()
    editor.came(DragEnded, count + 1)


def test_a_drag_from_start_to_end_and_undone_as_one(editor):
    before = editor.state.picture
    editor.place(NOSE, NOSE_TARGET)
    editor.drag_to_the_end()
    assert editor.document.result.outcome == "reached"
    assert editor.document.result.has_frames
    assert editor.document.pairs[0].distance <= 1
    assert editor.count(DragProgressed) >= 1
    assert "Every handle point reached" in editor.status
    assert not np.array_equal(before, editor.state.picture)
    assert len(editor.scene.trails) == editor.document.result.steps + 1
    assert len(editor.state.losses) == editor.document.result.steps
    editor.history.undo()
    editor.settle()
    assert editor.document.pairs[0].handle == NOSE
    assert np.array_equal(before, editor.state.picture)
    assert editor.state.losses == ()
    editor.history.redo()
    editor.settle()
    assert editor.document.result is not None
    assert len(editor.state.losses) == editor.document.result.steps
    editor.drag.reset()
    editor.settle()
    assert np.array_equal(before, editor.state.picture)
    assert editor.document.pairs[0].handle == NOSE
    editor.drag.reset()
    assert "as it was at the start" in editor.status


def test_steps_go_on_with_one_drag_which_is_undone_as_one(editor):
    editor.place(NOSE, NOSE_TARGET)
    step(editor)
    assert editor.document.result.steps == 1
    first = editor.document.result.latents
    step(editor)
    assert editor.document.result.steps == 2
    assert editor.document.result.outcome == "paused"
    assert np.array_equal(editor.document.result.latents[:2], first)
    assert "Space goes on, x ends" in editor.status
    editor.history.undo()
    assert editor.document.result is None
    editor.history.redo()
    step(editor)
    assert editor.document.result.steps == 3, "what was brought back goes on"


def test_pause_and_go_on(endless):
    editor = endless
    editor.drag.start_or_pause()
    assert isinstance(editor.state.phase, Stopping)
    assert "Pausing" in editor.status
    editor.came(DragEnded)
    assert editor.state.phase.paused is editor.document
    steps = editor.document.result.steps
    editor.drag.start_or_pause()
    assert editor.status == "Going on."
    editor.until(lambda: editor.newest(DragProgressed).steps > steps)
    editor.drag.start_or_pause()
    editor.came(DragEnded, 2)
    assert editor.document.result.steps > steps
    editor.history.undo()
    assert editor.document.result is None


def test_stop_ends_the_drag_for_good(endless):
    editor = endless
    editor.drag.start_or_pause()
    editor.drag.stop()
    editor.came(DragEnded)
    assert editor.document.result.outcome == "cancelled"
    assert isinstance(editor.state.phase, Idle)
    assert editor.state.phase.paused is None
    editor.drag.stop()
    assert "No drag runs" in editor.status


def test_a_stop_before_the_first_step_changes_nothing(editor):
    editor.place(NOSE, FAR)
    before = editor.document
    editor.state.jobs.pace.yield_to_screen()
    editor.drag.start_or_pause()
    editor.drag.stop()
    editor.came(DragEnded)
    assert editor.document is before
    assert editor.state.running is None


def test_a_paused_drag_is_ended_by_stop_and_begins_anew(editor):
    editor.place(NOSE, NOSE_TARGET)
    step(editor)
    editor.drag.stop()
    assert "stopped" in editor.status
    step(editor)
    assert editor.document.result.steps == 1
    editor.history.undo()
    assert editor.document.result.steps == 1, "a drag of its own"


def test_steps_wait_for_the_screen(editor, monkeypatch):
    monkeypatch.setattr("dragonnx.editor.pace.LONGEST_YIELD", 600.0)
    editor.place(NOSE, NOSE_TARGET)
    made = []
    next_step = DragSession.__next__
    monkeypatch.setattr(DragSession, "__next__", lambda s: made.append(0) or next_step(s))
    assert not editor.yield_to_screen(), "nothing runs"
    editor.state.jobs.pace.yield_to_screen()
    editor.drag.step()
    assert editor.yield_to_screen()
    assert made == []
    editor.go_on()
    editor.came(DragEnded)
    assert len(made) == 1


def test_an_edit_while_dragging_pauses_and_is_made_after(endless):
    editor = endless
    editor.points.select(0)
    live = editor.newest(DragProgressed).handles[0]
    assert editor.state.cursor == tuple(np.round(live)), "the handle is where the drag has it"
    editor.at(20, 20).points.move_target()
    assert "Pausing to let you edit" in editor.status
    assert editor.document.pairs[0].target == FAR
    editor.until(lambda: editor.document.pairs[0].target == (20, 20))
    assert editor.document.result.outcome == "paused"
    assert editor.state.running is None
    editor.history.undo()
    assert editor.document.pairs[0].target == FAR
    assert editor.document.result is not None


def test_a_stroke_while_dragging_is_made_after(endless):
    from dragonnx.editor.tools import Tool

    editor = endless
    editor.mask.use_tool(Tool.MOVABLE)
    editor.pointer.press((30, 30))
    editor.pointer.drag((60, 30))
    editor.pointer.release()
    editor.until(lambda: editor.document.mask is not None)
    assert editor.document.mask[30, 30]
    assert editor.state.stroke is None


def test_what_a_view_shows_of_a_running_drag(endless):
    editor = endless
    assert editor.scene.moving
    assert isinstance(editor.state.running, Dragging)
    told = editor.newest(DragProgressed)
    assert editor.scene.pairs[0].handle == tuple(told.handles[0])
    assert editor.scene.pairs[0].target == FAR
    assert np.array_equal(editor.scene.trails, told.trace)
    assert told.trace.shape == (told.steps + 1, 1, 2)
    assert editor.state.losses == told.losses
    assert "steps/s" in editor.status


def test_progress_is_replaced_but_never_the_only_picture():
    def progress(picture):
        return DragProgressed(1, np.zeros((1, 2)), np.zeros(1), np.zeros((2, 1, 2)), (), 1.0,
                              picture)  # fmt: skip

    plain, drawn = progress(None), progress(np.zeros((1, 1, 3), np.uint8))
    assert plain.is_replaced_by(plain)
    assert plain.is_replaced_by(drawn)
    assert drawn.is_replaced_by(drawn)
    assert not drawn.is_replaced_by(plain)
    assert not plain.is_replaced_by(PictureMade(None, None))
    assert PictureMade(None, None).is_replaced_by(PictureMade(None, None))


@pytest.mark.parametrize("error", [InputError("it broke"), MemoryError("no memory")])
@pytest.mark.parametrize("after", [0, 2])
def test_a_step_that_fails_keeps_what_was_reached(editor, monkeypatch, error, after):
    made = DragSession.__next__
    count = []

    def fail(session):
        count.append(0)
        if len(count) > after:
            raise error
        return made(session)

    editor.place(NOSE, NOSE_NEAR)
    before = editor.document
    with monkeypatch.context() as patch:
        patch.setattr(DragSession, "__next__", fail)
        editor.drag.start_or_pause()
        editor.came(DragEnded)
    assert editor.status.startswith("Could not drag: ")
    assert str(error) in editor.status
    assert editor.state.notice.tone == "bad"
    assert editor.state.running is None
    if after:
        assert editor.document.result.steps == after
        editor.history.undo()
    assert editor.document is before
    editor.drag_to_the_end()
    assert editor.document.result.outcome == "reached"


def test_a_drag_that_cannot_begin_is_told_and_what_waited_is_done(editor, monkeypatch):
    editor.place(NOSE, FAR)
    before = editor.document

    def refuse(*_arguments, **_settings):
        raise InputError("it does not fit")

    with monkeypatch.context() as patch:
        patch.setattr(DragSession, "__init__", refuse)
        editor.drag.start_or_pause()
        editor.at(20, 20).points.move_target()
        editor.came(TaskFailed)
    assert editor.status == "Could not drag: it does not fit"
    assert editor.document.pairs[0].target == (20, 20)
    editor.history.undo()
    assert editor.document is before


def test_settings_and_space(editor):
    editor.drag.switch_space()
    assert editor.document.config.space == "w"
    with pytest.raises(InputError, match="at most 6"):
        editor.drag.use_settings(DragConfig(trainable_layers=99))
    editor.drag.use_settings(DragConfig(step_size=0.05, trainable_layers=4))
    assert editor.document.config.step_size == 0.05
    editor.history.undo()
    assert editor.document.config.step_size is None
    assert editor.drag.usual_settings()["step_size"] == 0.03


def test_the_step_limit_is_told_where_the_user_sees_it(editor):
    editor.place(NOSE, FAR)
    editor.drag.use_settings(DragConfig(max_steps=2))
    editor.drag.start_or_pause()
    editor.came(DragEnded)
    assert editor.document.result.outcome == "max_steps"
    assert editor.state.alert.heading == "Step limit"


def test_a_handle_without_a_target_stays_out(editor):
    editor.place(NOSE, NOSE_NEAR, (30, 30))
    editor.drag.step()
    assert "stays out of it" in editor.status
    editor.came(DragEnded)
    assert editor.document.pairs[1].handle == (30, 30)
    assert editor.document.result.trace.shape[1] == 1
