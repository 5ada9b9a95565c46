"""The mask: brushes, boxes, eraser, by cross-hair and by mouse; and what the canvas shows of it."""

from __future__ import annotations

import numpy as np
import pytest
from support.editor_runs import EditorRun

from dragonnx.drag.mask import fixed_points, fixed_points_note
from dragonnx.editor.notices import DRAG_HINT
from dragonnx.editor.tools import Tool


@pytest.fixture
def run():
    with EditorRun(works=False) as run:
        yield run


def test_the_mask_at_the_cross_hair(run):
    run.editor.mask.invert()
    assert "no mask" in run.notice
    run.editor.pointer.hover((40, 40))
    run.editor.mask.use_tool(Tool.MOVABLE)
    run.editor.pointer.use()
    mask = run.document.mask
    assert mask[40, 40]
    assert not mask[100, 100]
    radius = run.state.radius
    run.editor.mask.larger_brush()
    assert run.state.radius > radius
    run.editor.mask.smaller_brush()
    run.editor.mask.smaller_brush()
    assert run.state.radius < radius
    run.editor.mask.use_tool(Tool.ERASER)
    run.editor.pointer.use()
    assert run.document.mask.sum() < mask.sum()
    run.editor.mask.invert()
    assert run.document.mask[100, 100]
    run.editor.mask.show_or_hide()
    assert run.scene.mask is None
    run.editor.mask.show_or_hide()
    assert run.scene.mask is not None
    run.editor.mask.clear()
    assert run.document.mask is None


def test_boxes_have_two_corners(run):
    run.editor.pointer.hover((100, 100))
    run.editor.mask.use_tool(Tool.FIXED_BOX)
    run.editor.pointer.use()
    assert set(run.scene.outline) == {(100, 100)}
    run.editor.pointer.move_by(8, 8)
    assert run.scene.outline[2] == (108, 108)
    run.editor.pointer.use()
    assert run.scene.outline == ()
    assert (~run.document.mask).sum() == 81
    run.editor.mask.clear()
    run.editor.mask.use_tool(Tool.MOVABLE_BOX)
    run.editor.pointer.use()
    run.editor.pointer.move_by(-8, 0)
    run.editor.pointer.use()
    assert run.document.mask.sum() == 9


def test_another_tool_forgets_a_corner(run):
    run.editor.mask.use_tool(Tool.FIXED_BOX)
    run.editor.pointer.use()
    run.editor.points.use_tool()
    assert run.scene.outline == ()
    assert run.state.tool is Tool.POINTS
    run.editor.pointer.release()
    assert run.document.mask is None


def test_a_stroke_with_the_mouse_is_one_edit(run):
    run.editor.mask.use_tool(Tool.MOVABLE)
    run.editor.pointer.press((30, 30))
    run.editor.pointer.drag((60, 30))
    assert run.document.mask is None
    assert run.scene.mask[30, 45]
    run.editor.pointer.drag((90, 30))
    run.editor.pointer.release()
    assert run.document.mask[30, 75]
    run.editor.history.undo()
    assert run.document.mask is None


def test_a_mask_that_says_nothing_is_none(run):
    run.editor.mask.use_tool(Tool.FIXED_BOX)
    run.editor.pointer.press((0, 0))
    run.editor.pointer.drag((255, 255))
    run.editor.pointer.release()
    assert run.document.mask is None
    assert "same as no mask" in run.notice


def test_the_brush_has_a_smallest_and_a_largest_radius(run):
    for _ in range(40):
        run.editor.mask.smaller_brush()
    assert run.state.radius == 0.5
    for _ in range(60):
        run.editor.mask.larger_brush()
    assert run.state.radius == 128


TRIANGLE = (20, 20), (80, 20), (20, 80)


@pytest.mark.parametrize("closes", ["twice", "the first corner"])
@pytest.mark.parametrize("by", ["keys", "mouse"])
def test_a_polygon_has_corners_and_is_closed(run, closes, by):
    run.editor.mask.use_tool(Tool.MOVABLE_POLYGON)
    for corner in (*TRIANGLE, TRIANGLE[-1] if closes == "twice" else (21, 22)):
        assert run.document.mask is None
        if by == "keys":
            run.editor.pointer.hover(corner)
            run.editor.pointer.use()
        else:
            run.editor.pointer.press(corner)
            run.editor.pointer.release()
    assert run.scene.outline == ()
    mask = run.document.mask
    assert all(mask[y, x] for x, y in TRIANGLE)
    assert mask[40, 40]
    assert not mask[60, 60]
    assert abs(mask.sum() - 61 * 61 / 2) < 61
    run.editor.history.undo()
    assert run.document.mask is None


def test_a_polygon_needs_three_corners_and_can_be_dropped(run):
    run.editor.mask.use_tool(Tool.FIXED_POLYGON)
    for corner in (*TRIANGLE[:2], TRIANGLE[1]):
        run.editor.pointer.hover(corner)
        run.editor.pointer.use()
    assert "three corners" in run.notice
    run.editor.pointer.hover((50, 50))
    assert run.scene.outline == (TRIANGLE[0], TRIANGLE[1], (50, 50), TRIANGLE[0])
    run.editor.pointer.let_go()
    assert run.scene.outline == ()
    assert run.document.mask is None
    run.editor.pointer.use()
    assert "Corner 1" in run.notice


def test_a_point_that_the_mask_keeps_fixed_is_told_until_it_may_move(run):
    run.place((40, 40), (60, 40))
    assert run.notice == DRAG_HINT
    run.editor.mask.use_tool(Tool.MOVABLE)
    run.editor.pointer.hover((100, 100))
    run.editor.pointer.use()
    assert run.notice.startswith("Handle 1 lies on what the mask keeps fixed; 2 paints")
    run.editor.drag.start_or_pause()
    assert run.state.alert.text.startswith(
        "The handle and the target lie on what the mask keeps fixed"
    )


def test_points_that_a_mask_keeps_fixed():
    mask = np.zeros((30, 40), bool)
    mask[:, :20] = True
    handles, targets = [(5, 5), (5, 5), (30, 5), (39.4, 29.4)], [(9, 5), (25, 5), (30, 5), (2, 2)]
    found = fixed_points(mask, handles, targets)
    assert found == [("target", 1), ("handle", 3)], "the third is to stay where it is"
    assert fixed_points_note(found, 4) == (
        "target 2 and handle 4 lie on what the mask keeps fixed, which works against the drag: "
        "let that move too"
    )
    assert fixed_points_note(found[:1], 1).startswith("the target lies on")
    assert fixed_points_note(found * 4, 8).startswith(
        "target 2, handle 4, target 2 and others lie on"
    )
