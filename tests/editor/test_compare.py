"""Before and after, in place of each other or side by side; the bare picture; trails."""

from __future__ import annotations

import numpy as np
import pytest
from editor.sliding_model import WIDTH

from dragonnx.drag.config import DragConfig
from dragonnx.editor.comparison import Shown
from dragonnx.editor.events import BeforeMade, DragEnded, DragProgressed

HANDLE, TARGET = (20, 20), (26, 20)


@pytest.fixture
def dragged(run):
    """An editor after a drag, and the picture from before it."""
    run.place(HANDLE, TARGET)
    before = run.state.picture
    run.drag_to_the_end()
    assert not np.array_equal(before, run.state.picture)
    return run, before


def shown(run, picture) -> bool:
    return np.array_equal(run.scene.picture, picture)


def test_before_and_after_of_a_drag(dragged):
    run, before = dragged
    after = run.state.picture
    run.editor.compare.show_next()
    assert shown(run, before)
    assert run.notice == "This is the picture before the drag; c shows the picture."
    assert run.count(BeforeMade) == 0, "it was on the screen when the drag began"
    run.editor.compare.show_next()
    assert shown(run, after)
    run.editor.compare.show_next()
    run.editor.points.place((5, 5))
    assert shown(run, after), "an edit is one of what it changes"


def test_each_drag_has_its_own_before(dragged):
    run, first = dragged
    second = run.state.picture
    run.place(HANDLE, (20, 26))
    run.drag_to_the_end()
    run.editor.compare.show_next()
    assert shown(run, second)
    for _ in range(3):
        run.editor.history.undo()
    run.settled()
    run.editor.compare.show_next()
    run.received(BeforeMade)
    assert shown(run, first), "of the drag that undo has brought back"


def test_before_is_made_where_it_was_not_seen(dragged):
    run, before = dragged
    run.state.comparison.before = None
    run.editor.compare.wipe()
    run.received(BeforeMade)
    run.editor.pointer.hover((WIDTH // 2, 9))
    middle = WIDTH // 2
    picture = run.scene.picture
    assert np.array_equal(picture[:, :middle], before[:, :middle])
    assert np.array_equal(picture[:, middle:], run.state.picture[:, middle:])
    assert run.scene.divider == middle - 0.5
    run.editor.pointer.hover((0, 9))
    assert shown(run, run.state.picture)
    run.editor.compare.wipe()
    assert run.scene.divider is None
    assert run.state.comparison.shown is Shown.NOW


def test_before_while_the_drag_runs_and_after_a_pause(run):
    before = run.state.picture
    run.editor.compare.show_next()
    assert "nothing to compare" in run.notice
    run.place(HANDLE, (60, 40))
    run.editor.drag.use_settings(DragConfig(preset="paper", step_size=1e-3, max_steps=10**6))
    run.editor.drag.start_or_pause()
    run.until(lambda: any(each.picture is not None for each in run.all(DragProgressed)))
    run.editor.compare.show_next()
    assert shown(run, before)
    run.editor.compare.show_next()
    assert shown(run, run.state.picture)
    for _ in range(2):
        count = run.count(DragEnded)
        run.editor.drag.start_or_pause()
        run.received(DragEnded, count + 1)
        run.editor.compare.show_next()
        assert shown(run, before), "a pause begins no other drag"
        run.editor.drag.start_or_pause()
    run.editor.drag.stop()
    run.received(DragEnded, 3)


def test_a_bare_picture_has_nothing_over_it(dragged):
    run, _ = dragged
    run.editor.compare.bare()
    scene = run.scene
    assert scene.pairs == ()
    assert scene.cursor is scene.mask is scene.brush is None
    run.editor.compare.wipe()
    assert run.scene.divider is not None, "a wipe shows where it is"
    run.editor.compare.bare()
    assert len(run.scene.pairs) == 1
    run.editor.compare.bare()
    run.editor.pointer.press((5, 5))
    assert run.scene.pairs, "who uses a tool sees what it does"
