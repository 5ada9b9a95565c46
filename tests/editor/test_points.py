"""Points: placing, selecting, moving, deleting, and the mouse on their markers."""

from __future__ import annotations

import pytest
from support.bundled import NOSE, NOSE_TARGET
from support.editor_runs import EditorRun

from dragonnx.editor.state import Part
from dragonnx.errors import InputError


@pytest.fixture
def run():
    with EditorRun(works=False) as run:
        yield run


def test_points_at_the_cross_hair(run):
    run.editor.drag.start_or_pause()
    assert "First place" in run.notice
    run.place((10, 10), (20, 20), (30, 30), (40, 40))
    assert [pair.target for pair in run.document.pairs] == [(20, 20), (40, 40)]
    run.editor.points.select_next()
    assert run.state.selected == 0
    run.editor.points.select_previous()
    assert run.state.selected == 1
    assert run.state.cursor == (30, 30)
    run.editor.pointer.move_by(0, 7)
    run.editor.points.move_handle()
    assert run.document.pairs[1].handle == (30, 37)
    run.editor.pointer.move_by(1, -7)
    run.editor.points.move_target()
    assert run.document.pairs[1].target == (31, 30)
    run.editor.points.delete()
    assert len(run.document.pairs) == 1
    run.editor.history.undo()
    assert len(run.document.pairs) == 2
    run.editor.points.clear()
    assert run.document.pairs == ()
    run.editor.points.delete()
    assert "no point" in run.notice
    run.editor.points.select_next()
    assert "no point" in run.notice


def test_the_cross_hair_stays_on_the_image(run):
    for far, edge in (((-9, 5000), (0, 255)), ((400, -1), (255, 0))):
        run.editor.pointer.hover(far)
        assert run.state.cursor == edge
    run.editor.pointer.move_by(8, 0)
    assert run.state.cursor == (255, 0)


def test_a_jump_is_told_and_a_hover_is_none(run):
    run.place(NOSE, NOSE_TARGET)
    run.told.clear()
    run.editor.pointer.hover((3, 3))
    assert not any(Part.JUMP in parts for parts in run.told)
    run.editor.points.select(0)
    assert Part.JUMP in run.told[-1]
    run.told.clear()
    run.editor.pointer.move_by(1, 0)
    assert Part.JUMP in run.told[-1]


def test_what_is_not_there_is_refused(run):
    run.editor.points.move_handle()
    assert "Select a point first" in run.notice
    run.place(NOSE)
    for index in (-1, 1):
        with pytest.raises(InputError, match="there is no point"):
            run.editor.points.select(index)


def test_a_marker_moves_with_the_mouse_as_one_edit(run):
    run.editor.pointer.press(NOSE)
    run.editor.pointer.release()
    run.editor.pointer.press(NOSE_TARGET)
    run.editor.pointer.release()
    run.editor.pointer.press(NOSE_TARGET, (0, "target"))
    assert run.state.selected == 0
    for place in ((90, 60), (100, 40)):
        run.editor.pointer.drag(place)
    run.editor.pointer.release()
    assert run.document.pairs[0].target == (100, 40)
    run.editor.pointer.drag((1, 1))
    assert run.document.pairs[0].target == (100, 40)
    run.editor.history.undo()
    assert run.document.pairs[0].target == NOSE_TARGET


def test_a_target_may_lie_on_another_marker_but_not_on_its_own_handle(run):
    run.place(NOSE, NOSE_TARGET)
    run.editor.pointer.press((20, 20))
    run.editor.pointer.release()
    run.editor.pointer.press((20, 20), (1, "handle"))
    assert run.state.gripped == (1, "handle")
    run.editor.pointer.release()
    run.editor.pointer.press(NOSE_TARGET, (0, "target"))
    assert run.document.pairs[1].target == NOSE_TARGET


def test_undo_and_redo_say_what_they_do(run):
    run.editor.history.undo()
    assert run.notice == "Nothing to undo."
    run.place(NOSE)
    run.editor.history.undo()
    assert run.notice == "Undid: place handle point 1."
    run.editor.history.redo()
    assert run.notice == "Did again: place handle point 1."
    run.editor.history.redo()
    assert run.notice == "Nothing to redo."


def test_the_title_tells_what_is_not_saved(run):
    assert run.state.title == "unsaved document"
    run.place(NOSE)
    assert run.state.title == "unsaved document *"
    run.editor.history.undo()
    assert run.state.title == "unsaved document"
