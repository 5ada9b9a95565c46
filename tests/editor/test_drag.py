"""The drag: start, pause, step, stop, edits and failures in the middle."""

from __future__ import annotations

import numpy as np
import pytest
from support.bundled import FAR, NOSE, NOSE_NEAR, NOSE_TARGET
from support.editor_runs import EditorRun

from dragonnx.drag.config import DragConfig
from dragonnx.drag.session import DragSession
from dragonnx.editor.events import DragEnded, DragProgressed, PictureMade, TaskFailed
from dragonnx.editor.phase import Dragging, Idle, Stopping
from dragonnx.errors import InputError


@pytest.fixture
def run():
    with EditorRun() as run:
        run.settled()
        yield run


@pytest.fixture
def endless(run):
    """An editor in the middle of a drag that would take long."""
    run.place(NOSE, FAR)
    run.editor.drag.start_or_pause()
    run.received(DragProgressed)
    return run


def step(run) -> None:
    count = run.count(DragEnded)
    run.editor.drag.step()
    run.received(DragEnded, count + 1)


def test_a_drag_from_start_to_end_and_undone_as_one(run):
    before = run.state.picture
    run.place(NOSE, NOSE_TARGET)
    run.drag_to_the_end()
    assert run.document.result.outcome == "reached"
    assert run.document.result.has_frames
    assert run.document.pairs[0].distance <= 1
    assert run.count(DragProgressed) >= 1
    assert run.notice.startswith("Reached in ")
    assert not np.array_equal(before, run.state.picture)
    assert run.scene.trails.size == 0, "trails end with their drag"
    assert len(run.state.losses) == run.document.result.steps
    run.editor.history.undo()
    run.settled()
    assert run.document.pairs[0].handle == NOSE
    assert np.array_equal(before, run.state.picture)
    assert run.state.losses == ()
    run.editor.history.redo()
    run.settled()
    assert run.document.result is not None
    assert len(run.state.losses) == run.document.result.steps
    run.editor.drag.reset()
    run.settled()
    assert np.array_equal(before, run.state.picture)
    assert run.document.pairs[0].handle == NOSE
    run.editor.drag.reset()
    assert "as it was at the start" in run.notice


def test_steps_go_on_with_one_drag_which_is_undone_as_one(run):
    run.place(NOSE, NOSE_TARGET)
    step(run)
    assert run.document.result.steps == 1
    first = run.document.result.latents
    step(run)
    assert run.document.result.steps == 2
    assert run.document.result.outcome == "paused"
    assert np.array_equal(run.document.result.latents[:2], first)
    assert "Space goes on, x ends" in run.notice
    assert np.array_equal(run.scene.trails, run.document.result.trace)
    run.editor.history.undo()
    assert run.document.result is None
    run.editor.history.redo()
    step(run)
    assert run.document.result.steps == 3, "what was brought back goes on"


def test_pause_and_go_on(endless):
    run = endless
    run.editor.drag.start_or_pause()
    assert isinstance(run.state.phase, Stopping)
    assert "Pausing" in run.notice
    run.received(DragEnded)
    assert run.state.phase.paused is run.document
    steps = run.document.result.steps
    run.editor.drag.start_or_pause()
    assert run.notice == "Going on."
    run.until(lambda: run.all(DragProgressed)[-1].steps > steps)
    run.editor.drag.start_or_pause()
    run.received(DragEnded, 2)
    assert run.document.result.steps > steps
    run.editor.history.undo()
    assert run.document.result is None


def test_stop_ends_the_drag_for_good(endless):
    run = endless
    run.editor.drag.start_or_pause()
    run.editor.drag.stop()
    run.received(DragEnded)
    assert run.document.result.outcome == "cancelled"
    assert isinstance(run.state.phase, Idle)
    assert run.state.phase.paused is None
    run.editor.drag.stop()
    assert "No drag runs" in run.notice


def test_a_stop_before_the_first_step_changes_nothing(run):
    run.place(NOSE, FAR)
    before = run.document
    run.state.jobs.pace.yield_to_screen()
    run.editor.drag.start_or_pause()
    run.editor.drag.stop()
    run.received(DragEnded)
    assert run.document is before
    assert run.state.running is None


def test_a_paused_drag_is_ended_by_stop_and_begins_anew(run):
    run.place(NOSE, NOSE_TARGET)
    step(run)
    run.editor.drag.stop()
    assert "Stopped" in run.notice
    step(run)
    assert run.document.result.steps == 1
    run.editor.history.undo()
    assert run.document.result.steps == 1, "a drag of its own"


def test_steps_wait_for_the_screen(run, monkeypatch):
    monkeypatch.setattr("dragonnx.editor.pace.LONGEST_YIELD", 600.0)
    run.place(NOSE, NOSE_TARGET)
    made = []
    next_step = DragSession.__next__
    monkeypatch.setattr(DragSession, "__next__", lambda s: made.append(0) or next_step(s))
    assert not run.editor.yield_to_screen(), "nothing runs"
    run.state.jobs.pace.yield_to_screen()
    run.editor.drag.step()
    assert run.editor.yield_to_screen()
    assert made == []
    run.editor.go_on()
    run.received(DragEnded)
    assert len(made) == 1


def test_an_edit_while_dragging_pauses_and_is_made_after(endless):
    run = endless
    run.editor.points.select(0)
    live = run.all(DragProgressed)[-1].handles[0]
    assert run.state.cursor == tuple(np.round(live)), "the handle is where the drag has it"
    run.editor.pointer.hover((20, 20))
    run.editor.points.move_target()
    assert "Pausing to let you edit" in run.notice
    assert run.document.pairs[0].target == FAR
    run.until(lambda: run.document.pairs[0].target == (20, 20))
    assert run.document.result.outcome == "paused"
    assert run.state.running is None
    run.editor.history.undo()
    assert run.document.pairs[0].target == FAR
    assert run.document.result is not None


def test_a_stroke_while_dragging_is_made_after(endless):
    from dragonnx.editor.tools import Tool

    run = endless
    run.editor.mask.use_tool(Tool.MOVABLE)
    run.editor.pointer.press((30, 30))
    run.editor.pointer.drag((60, 30))
    run.editor.pointer.release()
    run.until(lambda: run.document.mask is not None)
    assert run.document.mask[30, 30]
    assert run.state.stroke is None


def test_what_a_view_shows_of_a_running_drag(endless):
    run = endless
    assert run.scene.moving
    assert isinstance(run.state.running, Dragging)
    told = run.all(DragProgressed)[-1]
    assert run.scene.pairs[0].handle == tuple(told.handles[0])
    assert run.scene.pairs[0].target == FAR
    assert np.array_equal(run.scene.trails, told.trace)
    assert told.trace.shape == (told.steps + 1, 1, 2)
    assert run.state.losses == told.losses
    assert "steps/s" in run.notice


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
def test_a_step_that_fails_keeps_what_was_reached(run, monkeypatch, error, after):
    made = DragSession.__next__
    count = []

    def fail(session):
        count.append(0)
        if len(count) > after:
            raise error
        return made(session)

    run.place(NOSE, NOSE_NEAR)
    before = run.document
    with monkeypatch.context() as patch:
        patch.setattr(DragSession, "__next__", fail)
        run.editor.drag.start_or_pause()
        run.received(DragEnded)
    assert run.notice.startswith("Could not drag: ")
    assert str(error) in run.notice
    assert run.state.notice.tone == "bad"
    assert run.state.running is None
    if after:
        assert run.document.result.steps == after
        run.editor.history.undo()
    assert run.document is before
    run.drag_to_the_end()
    assert run.document.result.outcome == "reached"


def test_a_drag_that_cannot_begin_is_told_and_what_waited_is_done(run, monkeypatch):
    run.place(NOSE, FAR)
    before = run.document

    def refuse(*_arguments, **_settings):
        raise InputError("it does not fit")

    with monkeypatch.context() as patch:
        patch.setattr(DragSession, "__init__", refuse)
        run.editor.drag.start_or_pause()
        run.editor.pointer.hover((20, 20))
        run.editor.points.move_target()
        run.received(TaskFailed)
    assert run.notice == "Could not drag: it does not fit"
    assert run.document.pairs[0].target == (20, 20)
    run.editor.history.undo()
    assert run.document is before


def test_settings_and_space(run):
    run.editor.drag.switch_space()
    assert run.document.config.space == "w"
    with pytest.raises(InputError, match="at most 6"):
        run.editor.drag.use_settings(DragConfig(trainable_layers=99))
    run.editor.drag.use_settings(DragConfig(step_size=0.05, trainable_layers=4))
    assert run.document.config.step_size == 0.05
    run.editor.history.undo()
    assert run.document.config.step_size is None
    assert run.editor.drag.usual_settings()["step_size"] == 0.03


def test_the_step_limit_is_told_where_the_user_sees_it(run):
    run.place(NOSE, FAR)
    run.editor.drag.use_settings(DragConfig(max_steps=2))
    run.editor.drag.start_or_pause()
    run.received(DragEnded)
    assert run.document.result.outcome == "max_steps"
    assert run.state.alert.heading == "Step limit"


def test_a_handle_without_a_target_stays_out(run):
    run.place(NOSE, NOSE_NEAR, (30, 30))
    run.editor.drag.step()
    assert "stays out of it" in run.notice
    run.received(DragEnded)
    assert run.document.pairs[1].handle == (30, 30)
    assert run.document.result.trace.shape[1] == 1


def test_a_point_that_is_off_stays_out_and_keeps_its_place(run):
    run.place(NOSE, NOSE_NEAR, (30, 30), (40, 40))
    run.editor.points.switch()
    assert run.notice.startswith("Point 2 is off")
    step(run)
    assert run.document.result.trace.shape[1] == 1
    assert run.document.pairs[1].handle == (30, 30)
    run.editor.points.select(0)
    run.editor.points.switch()
    run.editor.drag.start_or_pause()
    assert run.notice.startswith("Every point is switched off")
    run.editor.points.select(1)
    run.editor.points.switch()
    assert run.notice == "Point 2 is on."
    step(run)
    assert run.document.result.trace[0].tolist() == [[30, 30]]
    run.editor.history.undo()
    run.editor.history.undo()
    assert not run.document.pairs[1].is_on
