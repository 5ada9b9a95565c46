"""Pausing and ending a drag, also when the two come at once."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from dragonnx.drag.config import DragConfig
from dragonnx.editor.events import DragEnded, DragProgressed
from dragonnx.editor.pace import Pace
from dragonnx.editor.phase import Idle

HANDLE, TARGET = (20, 20), (50, 10)


@pytest.fixture
def marked(run):
    """An editor with a pair, and a drag that does not end by itself."""
    run.editor.drag.use_settings(DragConfig(preset="paper", step_size=1e-6, max_steps=10**6))
    run.place(HANDLE, TARGET)
    return run


def test_an_end_that_overtakes_a_pause_is_an_end(marked):
    run = marked
    run.editor.drag.step()
    run.posted(DragEnded)
    run.editor.drag.stop()
    run.received(DragEnded)
    assert isinstance(run.state.phase, Idle)
    assert run.state.phase.paused is None
    assert "Paused" not in run.notice
    assert "Stopped" in run.notice
    assert run.document.result.steps == 1
    run.editor.drag.step()
    run.received(DragEnded, 2)
    run.editor.history.undo()
    assert run.document.result.steps == 1, "another drag began"


def test_a_drag_that_is_paused_before_its_first_step_goes_on_or_ends(marked, model):
    run = marked
    before = run.document
    with model.held("image") as held:
        run.editor.latent.use_psi(0.5)
        held.wait()
        run.editor.latent.use_psi(None)
        before = run.document
        run.editor.drag.start_or_pause()
        run.editor.drag.start_or_pause()
    run.received(DragEnded)
    assert run.document is before
    assert "Paused; Space goes on, x ends." in run.notice
    run.editor.drag.stop()
    assert "Stopped" in run.notice, "as the notice said"


def test_pausing_twice_is_pausing(marked):
    run = marked
    run.editor.drag.start_or_pause()
    run.received(DragProgressed)
    run.editor.drag.start_or_pause()
    run.editor.drag.start_or_pause()
    run.received(DragEnded)
    assert run.state.phase.paused is run.document


def test_a_step_while_a_drag_runs_is_none(marked):
    run = marked
    run.editor.drag.start_or_pause()
    run.received(DragProgressed)
    phase = run.state.phase
    run.editor.drag.step()
    assert run.state.phase is phase


def test_a_pause_changes_nothing_of_the_drag(run):
    run.place(HANDLE, TARGET)
    run.editor.drag.start_or_pause()
    run.received(DragEnded)
    whole = run.document.result
    assert whole.outcome == "reached"
    run.editor.history.undo()
    for _ in range(3):
        run.editor.drag.step()
        run.until(lambda: run.state.running is None)
    run.editor.drag.start_or_pause()
    run.until(lambda: run.state.running is None)
    assert np.array_equal(run.document.result.latents, whole.latents)
    assert np.array_equal(run.document.result.trace, whole.trace)


def test_an_edit_in_a_pause_begins_another_drag(marked):
    run = marked
    run.editor.drag.step()
    run.received(DragEnded)
    run.editor.points.select(0)
    run.editor.points.move_target()
    run.editor.pointer.hover((5, 5))
    run.editor.points.move_target()
    run.editor.drag.step()
    assert run.notice != "Going on."
    run.received(DragEnded, 2)
    assert run.document.result.steps == 1
    run.editor.history.undo()
    run.editor.history.undo()
    run.editor.history.undo()
    assert run.document.pairs[0].target == TARGET
    assert run.document.result.steps == 1


def test_a_handle_without_a_target_stays_out(marked):
    run = marked
    run.place((5, 5))
    run.editor.drag.step()
    assert "stays out" in run.notice
    run.received(DragEnded)
    assert run.document.result.trace.shape == (2, 1, 2)
    assert run.document.pairs[1].handle == (5, 5)


def test_the_step_limit_is_an_alert(run):
    run.editor.drag.use_settings(DragConfig(preset="paper", step_size=1e-6, max_steps=2))
    run.place(HANDLE, TARGET)
    run.editor.drag.start_or_pause()
    run.received(DragEnded)
    assert run.document.result.outcome == "max_steps"
    assert run.state.alert.heading == "Step limit"
    assert "larger step size" in run.state.alert.text
    assert run.state.notice.tone == "hint"


def test_what_has_arrived_already_makes_no_step_and_no_edit(run):
    run.place(HANDLE, HANDLE)
    before = run.document
    run.editor.drag.start_or_pause()
    run.received(DragEnded)
    assert run.document is before
    assert run.notice.startswith("Reached in ")


def test_an_editor_that_is_closed_in_a_drag_ends_it(marked):
    marked.editor.drag.start_or_pause()
    marked.received(DragProgressed)
    marked.editor.close()
    marked.editor.join()
    assert marked.document.result.outcome == "cancelled"


def test_work_waits_for_the_screen_before_its_next_step(monkeypatch):
    monkeypatch.setattr("dragonnx.editor.pace.LONGEST_YIELD", 60.0)
    pace, order = Pace(), []
    pace.yield_to_screen()
    work = threading.Thread(target=lambda: order.append(("goes on", pace.stops())))
    work.start()
    order.append("screen")
    pace.go_on()
    work.join(60)
    assert order == ["screen", ("goes on", False)]


@pytest.mark.parametrize("ask", ["pause", "end"])
def test_who_is_to_stop_does_not_wait_for_the_screen(monkeypatch, ask):
    monkeypatch.setattr("dragonnx.editor.pace.LONGEST_YIELD", 1e6)
    pace = Pace()
    pace.yield_to_screen()
    getattr(pace, ask)()
    assert pace.stops()
    assert pace.is_ending == (ask == "end")
    pace.begin()
    pace.go_on()
    assert not pace.stops()
    assert not pace.is_ending


def test_a_screen_that_never_goes_on_holds_nothing_up(monkeypatch):
    monkeypatch.setattr("dragonnx.editor.pace.LONGEST_YIELD", 0.001)
    pace = Pace()
    pace.yield_to_screen()
    assert not pace.stops()
