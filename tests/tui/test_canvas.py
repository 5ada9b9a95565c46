"""Points, mask and drag in the terminal: keys and mouse reach the commands, and the canvas shows them."""

from __future__ import annotations

import asyncio

import numpy as np
from support.bundled import FAR, NOSE, NOSE_TARGET
from support.terminal_editor import TerminalEditor

from dragonnx.editor.events import DragEnded, DragProgressed
from dragonnx.editor.tools import Tool
from dragonnx.tui.drawing.raster import FIXED_TINT
from dragonnx.tui.widgets.side_panel import SidePanel


async def test_points_by_keys():
    async with TerminalEditor() as editor:
        await editor.place((10, 10), (20, 20), (30, 30), (40, 40))
        assert [pair.target for pair in editor.document.pairs] == [(20, 20), (40, 40)]
        await editor.press("tab", "shift+tab")
        assert editor.state.selected == 1
        assert editor.state.cursor == (40, 40)
        await editor.press("right", "shift+down", "left", "up", "enter")
        assert editor.document.pairs[1].target == (40, 47)
        await editor.press("shift+right", "h")
        assert editor.document.pairs[1].handle == (48, 47)
        await editor.press("shift+left", "shift+up", "down", "t")
        assert editor.document.pairs[1].target == (40, 40)
        await editor.press("d")
        assert len(editor.document.pairs) == 1
        await editor.press("u", "D")
        assert editor.document.pairs == ()


async def test_points_by_mouse():
    async with TerminalEditor() as editor:
        canvas = editor.screen.canvas
        cell = 1 / canvas.view.rows_per_pixel  # the taller side, in pixels
        for pixel in (NOSE, NOSE_TARGET):
            await editor.pilot.click(canvas, offset=editor.cell(pixel))
        pair = editor.document.pairs[0]
        assert np.abs(np.subtract(pair.handle, NOSE)).max() <= cell
        assert np.abs(np.subtract(pair.target, NOSE_TARGET)).max() <= cell
        await editor.pilot.mouse_down(canvas, offset=editor.cell(pair.target))
        await editor.pilot.hover(canvas, offset=editor.cell((90, 60)))
        await editor.pilot.hover(canvas, offset=editor.cell((100, 40)))
        await editor.pilot.mouse_up(canvas, offset=editor.cell((100, 40)))
        await editor.rest()
        assert np.abs(np.subtract(editor.document.pairs[0].target, (100, 40))).max() <= cell
        await editor.press("u")
        assert editor.document.pairs[0].target == pair.target
        panel = editor.screen.query_one(SidePanel)
        editor.state.selected = None
        await editor.pilot.click(panel, offset=(3, panel._first_row))
        assert editor.state.selected == 0


async def test_the_mask_by_keys_and_by_mouse():
    async with TerminalEditor() as editor:
        canvas = editor.screen.canvas
        editor.state.put_cursor(40, 40)
        await editor.press("2", "enter")
        assert editor.document.mask[40, 40]
        await editor.press("v")
        assert canvas.scene.mask is None
        await editor.press("v", "I", "5", "enter", "shift+right", "shift+down", "enter")
        assert (~editor.document.mask).sum() == 81
        await editor.press("I", "2")
        await editor.pilot.mouse_down(canvas, offset=editor.cell((30, 30)))
        await editor.pilot.hover(canvas, offset=editor.cell((60, 30)))
        await editor.pilot.mouse_up(canvas, offset=editor.cell((90, 30)))
        await editor.rest()
        assert editor.document.mask[30, 45]
        await editor.press("u")
        assert editor.document.mask is None
        await editor.press("1")
        assert editor.state.tool is Tool.POINTS


def colours_at(editor, pixel: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Foreground and background that the canvas paints for an image pixel's cell."""
    column, row = editor.cell(pixel)
    (segment,) = editor.screen.canvas.render_line(row).crop(column, column + 1)
    return tuple(np.array(c.triplet) for c in (segment.style.color, segment.style.bgcolor))


async def test_handles_are_red_targets_blue_and_what_is_fixed_is_tinted():
    async with TerminalEditor() as editor:
        far = (20, 100)
        plain, _ = colours_at(editor, far)
        await editor.place(NOSE, NOSE_TARGET)
        editor.state.put_cursor(64, 20)
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
    async with TerminalEditor(size=(80, 24)) as editor:
        for x in range(5, 125, 4):
            await editor.place((x, 10), (x, 60))
        panel = editor.screen.query_one(SidePanel)
        assert "Points (30, 23 to 30 shown)" in str(panel.content)
        await editor.press("tab")
        assert "Points (30, 1 to 8 shown)" in str(panel.content)
        await editor.pilot.click(panel, offset=(3, panel._first_row + 7))
        assert editor.state.selected == 7
        assert "4 to 11 shown" in str(panel.content)


async def test_a_drag_by_keys_is_seen():
    async with TerminalEditor() as editor:
        canvas = editor.screen.canvas
        before = canvas.scene.picture
        await editor.place(NOSE, NOSE_TARGET)
        await editor.press("full_stop")
        await editor.came(DragEnded)
        assert editor.document.result.steps == 1
        await editor.press("space")
        await editor.settled()
        assert editor.document.result.outcome == "reached"
        assert editor.count(DragProgressed) >= 1
        assert editor.status.startswith("Reached in ")
        assert not np.array_equal(before, canvas.scene.picture)
        assert "Loss" in str(editor.screen.query_one(SidePanel).content)
        await editor.press("u")
        await editor.settled()
        assert np.array_equal(before, canvas.scene.picture)
        await editor.press("U", "backspace")
        await editor.settled()
        assert np.array_equal(before, canvas.scene.picture)


async def test_keys_reach_a_running_drag():
    async with TerminalEditor() as editor:
        await editor.place(NOSE, FAR)
        await editor.press("space")
        await editor.came(DragProgressed)
        assert editor.screen.canvas.scene.moving
        editor.state.put_cursor(20, 20)
        await editor.press("t")
        await editor.until(lambda: editor.document.pairs[0].target == (20, 20))
        assert editor.document.result.outcome == "paused"
        await editor.press("space")
        await editor.came(DragProgressed, editor.count(DragProgressed) + 1)
        await editor.press("x")
        await editor.until(lambda: editor.state.running is None)
        assert editor.document.result.outcome == "cancelled"


async def test_a_step_waits_for_the_paint_of_what_a_key_changed():
    async with TerminalEditor() as editor:
        await editor.place(NOSE, FAR)
        await editor.press("space")
        await editor.came(DragProgressed)
        pace, painted = editor.state.jobs.pace, []
        yields, goes_on = pace.yield_to_screen, pace.go_on
        pace.yield_to_screen = lambda: (yields(), painted.append("waits"))
        pace.go_on = lambda: (goes_on(), painted.append(editor.screen.canvas.scene.cursor))
        x, y = editor.state.cursor
        await editor.press("right")
        await editor.until(lambda: (x + 1, y) in painted)
        assert painted[0] == "waits"
        await editor.press("x")
        await editor.until(lambda: editor.state.running is None)


async def test_a_resize_while_dragging_and_a_terminal_too_small():
    async with TerminalEditor() as editor:
        await editor.place(NOSE, FAR)
        await editor.press("space")
        await editor.came(DragProgressed)
        resize = asyncio.ensure_future(editor.pilot.resize_terminal(60, 20))
        await editor.until(lambda: editor.screen.query_one("#too-small").display)
        await editor.press("x")
        await resize
        await editor.pilot.resize_terminal(120, 40)
        await editor.until(lambda: not editor.screen.query_one("#too-small").display)
        await editor.until(lambda: editor.state.running is None)
