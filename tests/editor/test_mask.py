"""The mask: brushes, boxes, eraser, by cross-hair and by mouse; and what the canvas shows of it."""

from __future__ import annotations

import numpy as np
import pytest
from support.editor_runs import EditorRun

from dragonnx.editor.tools import Tool, box, brush, canvas_mask, painted


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
    assert run.scene.rectangle == ((100, 100), (100, 100))
    run.editor.pointer.move_by(8, 8)
    assert run.scene.rectangle == ((100, 100), (108, 108))
    run.editor.pointer.use()
    assert run.scene.rectangle is None
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
    assert run.scene.rectangle is None
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


def test_brush_paints_a_stroke_without_gaps():
    mask = np.zeros((40, 60), bool)
    brush(mask, (5, 20), (50, 20), 3, movable=True)
    assert mask[20, 2:54].all()
    assert mask.sum() < 60 * 8
    brush(mask, (-100, -100), (-90, -90), 3, movable=True)


def test_a_box_holds_its_corners():
    mask = np.zeros((10, 10), bool)
    box(mask, (7, 2), (3, 4), movable=True)
    assert mask.sum() == 15
    assert mask[2, 7]
    assert mask[4, 3]


def test_masks_that_say_nothing_are_none():
    assert painted(np.ones((2, 2), bool)) is None
    assert painted(np.zeros((2, 2), bool)) is None
    assert not canvas_mask(None, (2, 3), paints=True).any()
    assert canvas_mask(None, (2, 3), paints=False).all()
