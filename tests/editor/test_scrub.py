"""Going through the steps of a drag, and going on from one of them."""

from __future__ import annotations

import numpy as np
import pytest

from dragonnx.drag.config import DragConfig
from dragonnx.editor.events import DragEnded, DragProgressed

HANDLE, TARGET = (20, 20), (32, 26)


@pytest.fixture
def dragged(run):
    """An editor after a drag that reached its target, and the document of it."""
    run.place(HANDLE, TARGET)
    run.drag_to_the_end()
    assert run.document.result.steps > 4
    return run, run.document


def test_a_step_back_shows_it_and_is_one_edit(dragged):
    run, whole = dragged
    result = whole.result
    for back in (1, 2):
        run.editor.scrub.go_by(-1)
        run.settled()
        step = result.steps - back
        assert run.document.result.steps == step
        assert np.array_equal(run.document.result.w_plus[0], result.latents[step])
        assert run.document.pairs[0].handle == tuple(result.trace[step, 0])
        assert run.notice.startswith(f"Step {step} of {result.steps}, ")
    assert len(run.editor.scrub.distances()) == result.steps + 1, "the plot shows all of them"
    run.editor.history.undo()
    assert run.document is whole


def test_the_last_step_is_the_drag_itself_and_no_edit(dragged):
    run, whole = dragged
    run.editor.scrub.go_by(-3)
    run.editor.scrub.go_by(100)
    assert run.document is whole
    run.editor.scrub.go_by(-(10**6))
    assert run.document.result.steps == 0
    assert run.document.pairs[0].handle == HANDLE
    run.editor.points.select(0)  # which ends the edit
    run.editor.scrub.go_to(whole.result.steps)
    assert run.document is whole


def test_space_goes_on_from_the_step_that_is_shown(dragged):
    run, whole = dragged
    run.editor.scrub.go_to(2)
    run.editor.drag.step()
    assert run.notice == "Going on."
    run.received(DragEnded, 2)
    result = run.document.result
    assert result.steps == 3, "one drag: the two steps before, and the new one"
    assert np.array_equal(result.latents[:3], whole.result.latents[:3])
    assert result.has_frames
    assert run.document.pairs[0].handle == tuple(result.trace[-1, 0])
    assert run.document.pairs[0].first == HANDLE
    run.editor.drag.step()
    run.received(DragEnded, 3)
    assert run.document.result.steps == 4, "a pause keeps them"
    run.editor.compare.show_next()
    run.settled()
    run.editor.history.undo()
    assert run.document.result.steps == 2
    run.editor.history.undo()
    assert run.document is whole


def test_with_another_target_it_is_a_drag_of_its_own(dragged):
    run, _ = dragged
    run.editor.scrub.go_to(2)
    run.editor.points.select(0, "target")
    run.editor.pointer.move_by(3, 0)
    run.editor.drag.step()
    run.received(DragEnded, 2)
    assert run.document.result.steps == 1


def test_a_paused_drag_goes_on_exactly_from_its_last_step(run):
    run.place(HANDLE, (60, 40))
    run.editor.drag.use_settings(DragConfig(preset="paper", step_size=1e-6, max_steps=10**6))
    run.editor.drag.start_or_pause()
    run.received(DragProgressed)
    assert run.editor.scrub.distances().shape[1] == 1
    run.editor.scrub.go_by(-1)
    assert "Pausing to look at its steps" in run.notice
    run.received(DragEnded)
    cut = run.document.result.steps
    run.editor.scrub.go_by(1)
    assert run.state.phase.paused is run.document
    assert "Space goes on" in run.notice
    run.editor.drag.step()
    run.received(DragEnded, 2)
    assert run.document.result.steps == cut + 2


def test_what_has_no_steps_says_so(run):
    run.editor.scrub.go_by(-1)
    assert "drag first" in run.notice
    run.place(HANDLE, TARGET)
    run.drag_to_the_end()
    ends = run.document.with_result(run.document.result.with_ends_only())
    run.state.apply("as a picture has it", ends)
    run.editor.scrub.go_by(-1)
    assert "were not kept" in run.notice
    assert run.document is ends
