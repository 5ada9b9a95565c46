"""Points: placing, selecting, moving, deleting, and the mouse on their markers."""

from __future__ import annotations

import pytest
from support.bundled import NOSE, NOSE_TARGET
from support.headless_editor import HeadlessEditor

from dragonnx.editor.state import Part
from dragonnx.errors import InputError


@pytest.fixture
def editor():
    with HeadlessEditor(works=False) as editor:
        yield editor


def test_points_at_the_cross_hair(editor):
    editor.drag.start_or_pause()
    assert "First place" in editor.status
    editor.place((10, 10), (20, 20), (30, 30), (40, 40))
    assert [pair.target for pair in editor.document.pairs] == [(20, 20), (40, 40)]
    editor.points.select_next()
    assert editor.state.selected == 0
    editor.points.select_previous()
    assert editor.state.selected == 1
    assert editor.state.cursor == (30, 30)
    editor.pointer.move_by(0, 7)
    editor.points.move_handle()
    assert editor.document.pairs[1].handle == (30, 37)
    editor.pointer.move_by(1, -7)
    editor.points.move_target()
    assert editor.document.pairs[1].target == (31, 30)
    editor.points.delete()
    assert len(editor.document.pairs) == 1
    editor.history.undo()
    assert len(editor.document.pairs) == 2
    editor.points.clear()
    assert editor.document.pairs == ()
    editor.points.delete()
    assert "no point" in editor.status
    editor.points.select_next()
    assert "no point" in editor.status


def test_the_cross_hair_stays_on_the_image(editor):
    for far, edge in (((-9, 5000), (0, 255)), ((400, -1), (255, 0))):
        assert editor.at(*far).state.cursor == edge
    editor.pointer.move_by(8, 0)
    assert editor.state.cursor == (255, 0)


def test_a_jump_is_told_and_a_hover_is_none(editor):
    editor.place(NOSE, NOSE_TARGET)
    editor.parts = Part(0)
    editor.pointer.hover((3, 3))
    assert Part.JUMP not in editor.parts
    editor.points.select(0)
    assert Part.JUMP in editor.parts
    editor.parts = Part(0)
    editor.pointer.move_by(1, 0)
    assert Part.JUMP in editor.parts


def test_what_is_not_there_is_refused(editor):
    editor.points.move_handle()
    assert "Select a point first" in editor.status
    editor.place(NOSE)
    for index in (-1, 1):
        with pytest.raises(InputError, match="there is no point"):
            editor.points.select(index)


def test_a_marker_moves_with_the_mouse_as_one_edit(editor):
    editor.pointer.press(NOSE)
    editor.pointer.release()
    editor.pointer.press(NOSE_TARGET)
    editor.pointer.release()
    editor.pointer.press(NOSE_TARGET, (0, "target"))
    assert editor.state.selected == 0
    for place in ((90, 60), (100, 40)):
        editor.pointer.drag(place)
    editor.pointer.release()
    assert editor.document.pairs[0].target == (100, 40)
    editor.pointer.drag((1, 1))
    assert editor.document.pairs[0].target == (100, 40)
    editor.history.undo()
    assert editor.document.pairs[0].target == NOSE_TARGET


def test_a_target_may_lie_on_another_marker_but_not_on_its_own_handle(editor):
    editor.place(NOSE, NOSE_TARGET)
    editor.pointer.press((20, 20))
    editor.pointer.release()
    editor.pointer.press((20, 20), (1, "handle"))
    assert editor.state.gripped == (1, "handle")
    editor.pointer.release()
    editor.pointer.press(NOSE_TARGET, (0, "target"))
    assert editor.document.pairs[1].target == NOSE_TARGET


def test_undo_and_redo_say_what_they_do(editor):
    editor.history.undo()
    assert editor.status == "Nothing to undo."
    editor.place(NOSE)
    editor.history.undo()
    assert editor.status == "Undid: place handle point 1."
    editor.history.redo()
    assert editor.status == "Did again: place handle point 1."
    editor.history.redo()
    assert editor.status == "Nothing to redo."


def test_the_title_tells_what_is_not_saved(editor):
    assert editor.state.title == "unsaved document"
    editor.place(NOSE)
    assert editor.state.title == "unsaved document *"
    editor.history.undo()
    assert editor.state.title == "unsaved document"
