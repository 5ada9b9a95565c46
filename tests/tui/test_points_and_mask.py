"""Points and mask, by keys and by mouse."""

from __future__ import annotations

import numpy as np
from support.bundled import NOSE, NOSE_TARGET
from support.tui_editor import Editor

from dragonnx.tui.editing.tools import Tool
from dragonnx.tui.drawing.raster import FIXED_TINT
from dragonnx.tui.widgets.side_panel import SidePanel


async def test_points_by_keys():
    async with Editor() as editor:
        await editor.press("space")
        assert "First place" in editor.status
        await editor.place((10, 10), (20, 20), (30, 30), (40, 40))
        assert [pair.target for pair in editor.document.pairs] == [(20, 20), (40, 40)]
        await editor.press("tab")
        assert editor.screen.selected == 0
        await editor.press("shift+tab")
        assert editor.screen.selected == 1
        assert editor.screen.cursor == (30, 30)
        await editor.press("right", "shift+down", "left", "up", "h")
        assert editor.document.pairs[1].handle == (30, 37)
        await editor.press("shift+right", "shift+left", "shift+up", "down", "t")
        assert editor.document.pairs[1].target == (30, 30)
        await editor.press("d")
        assert len(editor.document.pairs) == 1
        await editor.press("u")
        assert len(editor.document.pairs) == 2
        await editor.press("D")
        assert editor.document.pairs == ()
        await editor.press("d", "tab")
        assert "no point" in editor.status


async def test_points_by_mouse():
    async with Editor() as editor:
        canvas = editor.screen.canvas
        cell = 1 / editor.screen.canvas.view.rows_per_pixel  # the taller side, in pixels
        for pixel in (NOSE, NOSE_TARGET):
            await editor.pilot.click(canvas, offset=editor.cell(pixel))
        pair = editor.document.pairs[0]
        assert np.abs(np.subtract(pair.handle, NOSE)).max() <= cell
        assert np.abs(np.subtract(pair.target, NOSE_TARGET)).max() <= cell
        await editor.pilot.mouse_down(canvas, offset=editor.cell(pair.target))
        await editor.pilot.hover(canvas, offset=editor.cell((90, 60)))
        await editor.pilot.hover(canvas, offset=editor.cell((100, 40)))
        await editor.pilot.mouse_up(canvas, offset=editor.cell((100, 40)))
        await editor.pilot.pause()
        assert np.abs(np.subtract(editor.document.pairs[0].target, (100, 40))).max() <= cell
        await editor.press("u")
        assert editor.document.pairs[0].target == pair.target
        panel = editor.screen.query_one(SidePanel)
        editor.screen.selected = None
        await editor.pilot.click(panel, offset=(3, panel._first_row))
        assert editor.screen.selected == 0


async def test_the_mask_by_keys():
    async with Editor() as editor:
        await editor.press("i")
        assert "no mask" in editor.status
        editor.screen.move_cursor(40, 40)
        await editor.press("2", "enter")
        mask = editor.document.mask
        assert mask[40, 40]
        assert not mask[100, 100]
        radius = editor.screen.radius
        await editor.press("right_square_bracket")
        assert editor.screen.radius > radius
        await editor.press("left_square_bracket", "left_square_bracket")
        assert editor.screen.radius < radius
        await editor.press("6", "enter")
        assert editor.document.mask.sum() < mask.sum()
        await editor.press("i")
        assert editor.document.mask[100, 100]
        await editor.press("v")
        assert editor.screen.canvas.scene.mask is None
        await editor.press("v", "I")
        assert editor.document.mask is None
        await editor.press("5", "enter", "shift+right", "shift+down", "enter")
        assert (~editor.document.mask).sum() == 81
        await editor.press("I", "4", "enter", "shift+left", "enter")
        assert editor.document.mask.sum() == 9
        await editor.press("I", "3", "enter")
        assert not editor.document.mask[editor.screen.cursor[1], editor.screen.cursor[0]]
        await editor.press("1")
        assert editor.screen.tool is Tool.POINTS


async def test_the_mask_by_mouse_is_one_edit_a_stroke():
    async with Editor() as editor:
        canvas = editor.screen.canvas
        await editor.press("2")
        await editor.pilot.mouse_down(canvas, offset=editor.cell((30, 30)))
        await editor.pilot.hover(canvas, offset=editor.cell((60, 30)))
        await editor.pilot.mouse_up(canvas, offset=editor.cell((90, 30)))
        await editor.pilot.pause()
        assert editor.document.mask[30, 45]
        await editor.press("u")
        assert editor.document.mask is None


def colours_at(editor, pixel: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Foreground and background that the canvas paints for an image pixel's cell."""
    column, row = editor.cell(pixel)
    (segment,) = editor.screen.canvas.render_line(row).crop(column, column + 1)
    return tuple(np.array(c.triplet) for c in (segment.style.color, segment.style.bgcolor))


async def test_handles_are_red_targets_blue_and_what_is_fixed_is_tinted():
    async with Editor() as editor:
        far = (20, 100)
        plain, _ = colours_at(editor, far)
        await editor.place(NOSE, NOSE_TARGET)
        editor.screen.move_cursor(64, 20)
        await editor.press("right")
        red, blue = (colours_at(editor, pixel)[1] for pixel in (NOSE, NOSE_TARGET))
        assert red[0] > 200
        assert red[1:].max() < 60
        assert blue[2] > 200
        assert blue[0] < 60
        yellow, _ = colours_at(editor, NOSE)
        await editor.press("tab")
        assert not np.array_equal(yellow, (255, 255, 255))
        await editor.press("2", "enter", "1")
        tinted, _ = colours_at(editor, far)
        assert np.abs(tinted - (plain + (FIXED_TINT - plain) * 0.45)).max() < 6
        await editor.press("v")
        assert np.array_equal(colours_at(editor, far)[0], plain)


async def test_of_many_points_those_around_the_selected_one_are_listed():
    async with Editor(size=(80, 24)) as editor:
        for x in range(5, 125, 4):
            await editor.place((x, 10), (x, 60))
        panel = editor.screen.query_one(SidePanel)
        assert "Points (30, 23 to 30 shown)" in str(panel.content)
        await editor.press("tab")
        assert "Points (30, 1 to 8 shown)" in str(panel.content)
        await editor.pilot.click(panel, offset=(3, panel._first_row + 7))
        assert editor.screen.selected == 7
        assert "4 to 11 shown" in str(panel.content)
