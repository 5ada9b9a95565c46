"""What is said goes once it no longer holds, and what can come next takes its place."""

from __future__ import annotations

import pytest

from dragonnx.drag.config import DragConfig
from dragonnx.editor.events import DragEnded
from dragonnx.editor.notices import DRAG_HINT, FIRST_HINT, TARGET_HINT
from dragonnx.editor.state import Part
from dragonnx.editor.tools import Tool


@pytest.mark.parametrize(
    ("says", "change", "then"),
    [
        (lambda e: e.points.place((20, 20)), lambda e: e.points.delete(), FIRST_HINT),
        (lambda e: e.points.select_next(), lambda e: e.points.clear(), None),
        (lambda e: e.mask.use_tool(Tool.FIXED), lambda e: setattr(e.state, "tool", Tool.POINTS), FIRST_HINT),
        (lambda e: e.latent.use_seed(5), lambda e: e.drag.switch_space(), FIRST_HINT),
    ],
    ids=["the target that is to come", "nothing changed", "the tool", "a seed"],
)  # fmt: skip
def test_what_no_longer_holds_goes(run, says, change, then):
    says(run.editor)
    said = run.notice
    change(run.editor)
    run.state.changed()
    assert run.notice == (said if then is None else then)


def test_a_sentence_stays_while_it_holds(run):
    run.editor.files.exported(type("Exported", (), {"path": "a.png"}))
    run.editor.pointer.move_by(1, 0)
    run.state.changed()
    assert run.notice == "Wrote a.png. V views it."
    run.editor.points.place((20, 20))
    run.editor.points.place((24, 20))
    assert run.notice == DRAG_HINT
    run.editor.history.undo()
    assert run.notice == "Undid: place target point 1."
    run.editor.drag.switch_space()
    assert run.notice == TARGET_HINT


def test_a_change_that_waits_for_a_drag_is_told_when_it_is_made(run):
    run.place((20, 20), (60, 40))
    run.editor.drag.use_settings(DragConfig(preset="paper", step_size=1e-6, max_steps=10**6))
    run.editor.drag.start_or_pause()
    run.editor.latent.use_seed(7)
    assert run.notice.startswith("Pausing")
    run.until(lambda: run.document.start.seed == 7)
    assert run.notice == "Seed 7. Points and mask went with the old one; u undoes."


@pytest.mark.parametrize(
    ("end", "next_steps"),
    [("start_or_pause", ("Space goes on", "x ends")), ("stop", ("Space drags on", "u undoes"))],
)
def test_after_a_drag_it_is_told_what_can_come_next(run, end, next_steps):
    run.place((20, 20), (60, 40))
    run.editor.drag.use_settings(DragConfig(preset="paper", step_size=1e-6, max_steps=10**6))
    run.editor.drag.start_or_pause()
    getattr(run.editor.drag, end)()
    run.received(DragEnded)
    assert all(step in run.notice for step in next_steps)


def test_a_box_that_only_informs_goes_with_what_it_tells(run):
    run.state.warn("Step limit", "it came", "information")
    run.told.clear()
    run.editor.points.place((20, 20))
    assert run.state.alert.text == ""
    assert any(Part.ALERT in parts for parts in run.told)
    run.state.warn("Autosave does not work", "disk full")
    run.editor.points.place((30, 20))
    assert run.state.alert.text == "disk full"
