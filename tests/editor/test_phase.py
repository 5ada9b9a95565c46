"""What the run does just now, and what may follow."""

from __future__ import annotations

import numpy as np
import pytest
from support.editor_runs import EditorRun

from dragonnx.editor.events import DragProgressed
from dragonnx.editor.phase import (
    Dragging,
    Idle,
    Inverting,
    Stopping,
    checked,
    running,
    stopping,
    waiting,
    with_progress,
)

PHASES = (Idle(), Dragging(), Inverting("cat.jpg"), Stopping(Dragging()), Stopping(Inverting("")))


@pytest.mark.parametrize("before", PHASES)
@pytest.mark.parametrize("after", PHASES)
def test_nothing_starts_while_another_thing_runs(before, after):
    one, other = running(before), running(after)
    starts_another = one is not None and other is not None and type(one) is not type(other)
    resumes = isinstance(before, Stopping) and isinstance(after, Dragging | Inverting)
    stops_nothing = isinstance(before, Idle) and isinstance(after, Stopping)
    if starts_another or resumes or stops_nothing:
        with pytest.raises(ValueError, match="cannot follow"):
            checked(before, after)
    else:
        assert checked(before, after) is after


def test_what_waits_keeps_its_order_and_an_end_stays_an_end():
    phase = stopping(Dragging(), change=len)
    assert waiting(phase) == (len,)
    phase = stopping(stopping(phase, for_good=True), change=repr)
    assert waiting(phase) == (len, repr)
    assert phase.for_good
    assert waiting(Dragging()) == ()
    idle = Idle()
    assert stopping(idle, for_good=True) is idle


def test_progress_of_what_is_stopping_leaves_it_stopping():
    told = DragProgressed(1, np.zeros((1, 2)), np.zeros(1), np.zeros((2, 1, 2)), (), 1.0, None)
    phase = with_progress(stopping(Dragging(), change=len), Dragging(told))
    assert running(phase).progress is told
    assert waiting(phase) == (len,)
    assert running(with_progress(Dragging(), Dragging(told))).progress is told


def test_of_what_waited_a_start_lets_the_rest_wait_again():
    with EditorRun(works=False) as run:
        state, done = run.state, []
        state.enter(Dragging())
        state.when_idle(lambda: state.enter(Inverting("cat.jpg")))
        state.when_idle(lambda: done.append("edit"))
        state.do_waiting(state.become_idle())
        assert isinstance(state.running, Inverting)
        assert done == []
        state.do_waiting(state.become_idle())
        assert done == ["edit"]
