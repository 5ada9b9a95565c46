"""Brushes, boxes and polygons against plain arithmetic, what tools say, and what becomes of what they hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragonnx.editor.tools import Tool, box, brush, canvas_mask, painted, polygon

HEIGHT, WIDTH = 24, 40
INSIDE = st.tuples(st.integers(0, WIDTH - 1), st.integers(0, HEIGHT - 1))
ANYWHERE = st.tuples(st.integers(-60, 90), st.integers(-60, 90))


TRIED = 101
"""Places of a brush's way that are looked at."""


@given(start=ANYWHERE, end=ANYWHERE, radius=st.floats(0.5, 20), movable=st.booleans())
def test_a_brush_paints_what_is_near_its_way_and_nothing_else(start, end, radius, movable):
    mask = np.full((HEIGHT, WIDTH), not movable)
    brush(mask, start, end, radius, movable=movable)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    away = np.min([np.hypot(x - at_x, y - at_y) for at_x, at_y in
                   np.linspace(start, end, TRIED)], axis=0)  # fmt: skip
    # Between two places that are looked at, the way is nearer by half their distance at most.
    between = np.hypot(end[0] - start[0], end[1] - start[1]) / (TRIED - 1) / 2
    is_painted = mask == movable
    assert is_painted[away <= radius - 1e-9].all()
    assert not is_painted[away > radius + between + 1e-9].any()


@given(start=INSIDE, end=INSIDE, movable=st.booleans())
def test_a_box_paints_its_corners_and_all_between(start, end, movable):
    mask = np.full((HEIGHT, WIDTH), not movable)
    box(mask, start, end, movable=movable)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    inside = (
        (min(start[0], end[0]) <= x) & (x <= max(start[0], end[0]))
        & (min(start[1], end[1]) <= y) & (y <= max(start[1], end[1]))
    )  # fmt: skip
    np.testing.assert_array_equal(mask == movable, inside)


def test_a_polygon_fills_its_edges_and_nothing_outside():
    mask = np.zeros((20, 30), bool)
    polygon(mask, ((-5, 3), (12, 3), (12, 40)), movable=True)
    assert mask[3, :13].all()
    assert not mask[:3].any()
    assert not mask[:, 13:].any()
    assert mask[19, 12]


def test_a_canvas_is_a_copy():
    mask = np.zeros((2, 3), bool)
    canvas = canvas_mask(mask, (9, 9), paints=True)
    canvas[0, 0] = True
    assert not mask.any()


def test_masks_that_say_nothing_are_none():
    assert painted(np.ones((2, 2), bool)) is None
    assert painted(np.zeros((2, 2), bool)) is None
    assert not canvas_mask(None, (2, 3), paints=True).any()
    assert canvas_mask(None, (2, 3), paints=False).all()


def test_a_mask_that_says_something_stays():
    mask = np.eye(3, dtype=bool)
    assert painted(mask) is mask


@pytest.mark.parametrize("tool", list(Tool))
def test_every_tool_says_what_it_does(tool):
    assert tool.help.endswith(".")
    kinds = tool.is_box + tool.is_brush + tool.is_polygon
    assert kinds == (tool is not Tool.POINTS)


def test_what_tools_paint():
    assert [tool.paints for tool in Tool] == [None, True, False, True, False, True, False, None]


@pytest.mark.parametrize(
    ("last", "erases_to"),
    [
        (Tool.MOVABLE, False),
        (Tool.MOVABLE_BOX, False),
        (Tool.FIXED, True),
        (Tool.FIXED_BOX, True),
    ],
)
def test_the_eraser_takes_back_what_was_painted_last(run, last, erases_to):
    mask, pointer = run.editor.mask, run.editor.pointer
    for tool, corners in ((Tool.MOVABLE_BOX, ((0, 0), (31, 47))), (last, ((20, 20), (44, 28)))):
        mask.use_tool(tool)
        pointer.press(corners[0])
        pointer.drag(corners[1])
        pointer.release()
    before = run.document.mask
    mask.use_tool(Tool.ERASER)
    for pixel in ((10, 10), (55, 40)):  # one is movable, the other fixed
        pointer.hover(pixel)
        mask.stamp()
    changed = run.document.mask != before
    assert changed.any()
    assert (run.document.mask[changed] == erases_to).all()


@pytest.mark.parametrize("change", ["another seed", "undo", "clear"])
def test_a_corner_of_a_mask_that_is_gone_is_forgotten(run, change):
    mask = run.editor.mask
    mask.use_tool(Tool.FIXED)
    mask.stamp()
    mask.use_tool(Tool.MOVABLE_BOX)
    mask.stamp()
    assert run.scene.outline
    if change == "another seed":
        run.editor.latent.next_seed()
    elif change == "undo":
        run.editor.history.undo()
    else:
        mask.clear()
    assert run.document.mask is None
    assert run.scene.outline == ()
    run.editor.pointer.hover((3, 3))
    mask.stamp()
    assert run.document.mask is None, "that was the first corner of another rectangle"


def test_a_corner_stays_while_a_drag_is_made(run):
    mask = run.editor.mask
    run.place((20, 20), (24, 20))
    mask.use_tool(Tool.FIXED_BOX)
    run.editor.pointer.hover((2, 3))
    mask.stamp()
    run.editor.drag.step()
    run.until(lambda: run.state.running is None)
    run.editor.pointer.hover((5, 5))
    assert run.scene.outline[0] == (2, 3)
    assert run.scene.outline[2] == (5, 5)
    mask.stamp()
    assert (~run.document.mask).sum() == 12


def test_a_hidden_mask_is_shown_while_it_is_painted_and_works(run):
    mask = run.editor.mask
    mask.use_tool(Tool.FIXED_BOX)
    run.editor.pointer.press((0, 0))
    run.editor.pointer.drag((9, 9))
    run.editor.pointer.release()
    mask.show_or_hide()
    assert "works" in run.notice
    assert run.scene.mask is None
    assert not run.document.mask[5, 5]
    run.editor.pointer.press((20, 20))
    assert run.scene.mask is not None
    run.editor.pointer.release()
    assert run.scene.mask is None
