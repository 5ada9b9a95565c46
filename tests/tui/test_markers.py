"""Markers of points: the same number on handle, target and panel, on every kind of terminal."""

from __future__ import annotations

import numpy as np
import pytest
from support.bundled import NOSE, NOSE_NEAR
from support.terminal_editor import TerminalEditor

from dragonnx.document import PointPair
from dragonnx.editor.events import DragEnded
from dragonnx.editor.scene import Scene
from dragonnx.tui.drawing.cell_scene import HANDLE, OFF, SELECTED, TARGET, compose
from dragonnx.tui.drawing.cells import CanvasMode
from dragonnx.tui.drawing.geometry import Viewport
from dragonnx.tui.drawing.pixel_scene import compose_pixels
from dragonnx.tui.widgets.side_panel import SidePanel

GREY = np.full((64, 64, 3), 90, np.uint8)
VIEW = Viewport((64, 64), (128, 64))


def pairs(count: int, **facts) -> tuple[PointPair, ...]:
    return tuple(PointPair((4 * k + 4, 20), (4 * k + 4, 40), **facts) for k in range(count))


def row(cells, y: int) -> str:
    line = cells.characters[int(VIEW.cell_of((0, y))[1])].tolist()
    return "".join(map(chr, line)).replace("▀", " ")


@pytest.mark.parametrize("mode", [mode for mode in CanvasMode if mode.rows_per_cell == 2])
def test_handle_and_target_have_the_same_number_and_their_colours(mode):
    cells = compose(Scene(GREY, pairs=pairs(11), cursor=None), VIEW, mode)
    numbers = [f"{k + 1}" for k in range(11)]
    assert row(cells, 20).split() == row(cells, 40).split() == numbers
    for y, colour in ((20, HANDLE), (40, TARGET)):
        column, line = VIEW.cell_of((4, y))
        assert tuple(cells.back[int(line), int(column)]) == colour


@pytest.mark.parametrize("mode", [CanvasMode.ASCII, CanvasMode.COLOURED_ASCII])
def test_without_colours_brackets_tell_them_apart(mode):
    shown = compose(Scene(GREY, pairs=pairs(1), cursor=None), VIEW, mode)
    assert "[1]" in row(shown, 20)
    assert "(1)" in row(shown, 40)
    held = compose(Scene(GREY, pairs=pairs(1), cursor=None, held=(0, "target")), VIEW, mode)
    assert ">1<" in row(held, 40)
    off = compose(Scene(GREY, pairs=pairs(1, is_on=False), cursor=None), VIEW, mode)
    assert "-1-" in row(off, 20)


def test_what_is_off_is_grey_and_has_no_line():
    scene = Scene(GREY, pairs=pairs(1, is_on=False), cursor=None)
    cells = compose(scene, VIEW, CanvasMode.HALF_BLOCKS)
    column, line = map(int, VIEW.cell_of((4, 20)))
    assert tuple(cells.back[line, column]) == OFF
    between = int(VIEW.cell_of((4, 30))[1])
    assert cells.front[between].max() == cells.front[between].min()
    pixels = compose_pixels(scene, VIEW, (4, 8))
    assert (pixels == OFF).all(axis=2).any()
    assert not (pixels == HANDLE).all(axis=2).any()


def test_what_is_picked_up_stands_out_in_pixels():
    scene = Scene(GREY, pairs=pairs(12), cursor=None, held=(0, "handle"))
    pixels = compose_pixels(scene, VIEW, (8, 16))
    column, line = VIEW.cell_of((4, 20))
    disc = pixels[
        int(line * 16) - 4 : int(line * 16) + 4, int(column * 8) - 4 : int(column * 8) + 4
    ]
    assert (disc == SELECTED).all(axis=2).sum() > 20
    column, line = VIEW.cell_of((48, 40))  # the twelfth target: its number is white
    disc = pixels[
        int(line * 16) - 5 : int(line * 16) + 5, int(column * 8) - 6 : int(column * 8) + 6
    ]
    assert (disc.min(axis=2) > 180).any()


async def test_the_panel_and_the_keys_go_through_the_same_numbers():
    async with TerminalEditor() as editor:
        await editor.place((20, 20), (60, 20), (90, 90), (120, 90))
        panel = editor.screen.query_one(SidePanel)
        await editor.press("tab", "tab", "right")
        assert editor.document.pairs[0].target == (61, 20)
        assert editor.status.startswith("Point 1, its target") is False, "what held no longer holds"
        at = next(k for k, line in enumerate(str(panel.content).splitlines()) if " 2 90,90" in line)
        for end in ("handle", "target"):
            await editor.pilot.click("#panel", offset=(4, at))
            assert (editor.state.selected, editor.state.selected_end) == (1, end)
        await editor.press("O")
        assert any(line.endswith("off") for line in str(panel.content).splitlines())
        await editor.press("escape", "escape")
        assert editor.state.selected is None


async def test_a_press_on_the_plot_looks_at_that_step():
    async with TerminalEditor(size=(80, 24)) as editor:
        await editor.place(NOSE, NOSE_NEAR)
        panel = editor.screen.query_one(SidePanel)
        assert len(panel._plot_rows) == 0
        for count in (1, 2, 3):
            await editor.press("full_stop")
            await editor.came(DragEnded, count)
        assert panel._plot_rows.stop <= panel.size.height
        await editor.pilot.click("#panel", offset=(1, panel._plot_rows[0]))
        assert editor.document.result.steps == 0
        await editor.press("greater_than_sign")
        assert editor.document.result.steps == 1
        assert "Step 1 of 3" in editor.status
