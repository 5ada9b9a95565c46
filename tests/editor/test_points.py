"""Points: placing, selecting, moving, deleting, and the mouse on their markers."""

from __future__ import annotations

import pytest
from support.bundled import NOSE, NOSE_TARGET
from support.editor_runs import EditorRun

from dragonnx.editor.scene import held_marker
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
    assert run.state.cursor == (40, 40)
    run.editor.pointer.hover((30, 37))
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
    assert any(Part.JUMP in parts for parts in run.told)
    for _ in range(2):  # what is picked up, then the cross-hair alone
        run.told.clear()
        run.editor.pointer.move_by(1, 0)
        assert any(Part.JUMP in parts for parts in run.told)
        run.editor.points.put_down()


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


def markers(run) -> list:
    """What Tab goes through, from the first on."""
    run.state.selected = None
    seen = []
    while (here := held_marker(run.state)) not in seen or here is None:
        seen += [here] if here is not None else []
        run.editor.points.select_next()
    return seen


def test_tab_goes_through_handles_and_targets(run):
    run.place((10, 10), (20, 20), (30, 30))
    assert markers(run) == [(0, "handle"), (0, "target"), (1, "handle")]
    run.editor.points.select_previous()
    assert held_marker(run.state) == (1, "handle")
    assert run.notice.startswith("Point 2, its handle. The arrows move it")


@pytest.mark.parametrize("end", ["handle", "target"])
@pytest.mark.parametrize("puts_down", ["use", "let_go"])
def test_the_arrows_move_what_is_picked_up_until_it_is_put_down(run, end, puts_down):
    run.place((10, 10), (20, 20))
    run.editor.points.select(0, end)
    before = run.document
    for x, y in ((1, 0), (0, 8), (-400, 0)):
        run.editor.pointer.move_by(x, y)
    moved = getattr(run.document.pairs[0], end)
    assert moved == (0, getattr(before.pairs[0], end)[1] + 8), "not beyond the image"
    assert run.state.cursor == moved
    getattr(run.editor.pointer, puts_down)()
    assert len(run.document.pairs) == 1, "putting down places nothing"
    assert "arrows" not in run.notice
    run.editor.pointer.move_by(5, 0)
    assert getattr(run.document.pairs[0], end) == moved
    run.editor.history.undo()
    assert run.document is before, "all of its way is one edit"


def test_a_mouse_that_moves_puts_down(run):
    run.place((10, 10), (20, 20))
    run.editor.points.select(0)
    run.editor.pointer.hover((50, 50))
    run.editor.pointer.move_by(1, 0)
    assert run.document.pairs[0].handle == (10, 10)
    assert run.state.cursor == (51, 50)


def test_a_picked_up_marker_that_goes_takes_nothing_along(run):
    run.place((10, 10), (20, 20), (30, 30), (40, 40))
    run.editor.points.select(1, "target")
    run.editor.points.delete()
    run.editor.pointer.move_by(1, 0)
    assert run.document.pairs[0].handle == (10, 10)
    assert run.document.pairs[0].target == (20, 20)


def test_a_row_that_is_pressed_again_gives_the_target(run):
    run.place((10, 10), (20, 20), (30, 30))
    seen = []
    for index in (0, 0, 0, 1, 1):
        run.editor.points.select_other_end(index)
        seen.append(held_marker(run.state))
    assert [end for _, end in seen] == ["handle", "target", "handle", "handle", "handle"]
    run.editor.pointer.let_go()
    run.editor.pointer.let_go()
    assert run.state.selected is None
