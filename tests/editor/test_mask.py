"""The mask: brushes, boxes, eraser, by cross-hair and by mouse; and what the canvas shows of it."""

from __future__ import annotations

import numpy as np
import pytest
from support.headless_editor import HeadlessEditor

from dragonnx.editor.tools import Tool, box, brush, canvas_mask, painted


@pytest.fixture
def editor():
    with HeadlessEditor(works=False) as editor:
        yield editor


def test_the_mask_at_the_cross_hair(editor):
    editor.mask.invert()
    assert "no mask" in editor.status
    editor.at(40, 40)
    editor.mask.use_tool(Tool.MOVABLE)
    editor.pointer.use()
    mask = editor.document.mask
    assert mask[40, 40]
    assert not mask[100, 100]
    radius = editor.state.radius
    editor.mask.larger_brush()
    assert editor.state.radius > radius
    editor.mask.smaller_brush()
    editor.mask.smaller_brush()
    assert editor.state.radius < radius
    editor.mask.use_tool(Tool.ERASER)
    editor.pointer.use()
    assert editor.document.mask.sum() < mask.sum()
    editor.mask.invert()
    assert editor.document.mask[100, 100]
    editor.mask.show_or_hide()
    assert editor.scene.mask is None
    editor.mask.show_or_hide()
    assert editor.scene.mask is not None
    editor.mask.clear()
    assert editor.document.mask is None


def test_boxes_have_two_corners(editor):
    editor.at(100, 100)
    editor.mask.use_tool(Tool.FIXED_BOX)
    editor.pointer.use()
    assert editor.scene.rectangle == ((100, 100), (100, 100))
    editor.pointer.move_by(8, 8)
    assert editor.scene.rectangle == ((100, 100), (108, 108))
    editor.pointer.use()
    assert editor.scene.rectangle is None
    assert (~editor.document.mask).sum() == 81
    editor.mask.clear()
    editor.mask.use_tool(Tool.MOVABLE_BOX)
    editor.pointer.use()
    editor.pointer.move_by(-8, 0)
    editor.pointer.use()
    assert editor.document.mask.sum() == 9


def test_another_tool_forgets_a_corner(editor):
    editor.mask.use_tool(Tool.FIXED_BOX)
    editor.pointer.use()
    editor.points.use_tool()
    assert editor.scene.rectangle is None
    assert editor.state.tool is Tool.POINTS
    editor.pointer.release()
    assert editor.document.mask is None


def test_a_stroke_with_the_mouse_is_one_edit(editor):
    editor.mask.use_tool(Tool.MOVABLE)
    editor.pointer.press((30, 30))
    editor.pointer.drag((60, 30))
    assert editor.document.mask is None
    assert editor.scene.mask[30, 45]
    editor.pointer.drag((90, 30))
    editor.pointer.release()
    assert editor.document.mask[30, 75]
    editor.history.undo()
    assert editor.document.mask is None


def test_a_mask_that_says_nothing_is_none(editor):
    editor.mask.use_tool(Tool.FIXED_BOX)
    editor.pointer.press((0, 0))
    editor.pointer.drag((255, 255))
    editor.pointer.release()
    assert editor.document.mask is None
    assert "same as no mask" in editor.status


def test_the_brush_has_a_smallest_and_a_largest_radius(editor):
    for _ in range(40):
        editor.mask.smaller_brush()
    assert editor.state.radius == 0.5
    for _ in range(60):
        editor.mask.larger_brush()
    assert editor.state.radius == 128


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
