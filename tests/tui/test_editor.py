"""Every action of the editor, by keys: first the document and the messages, then the words."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from textual import events
from tui_editor import Editor

from dragonnx.errors import InputError
from dragonnx.tui.actions import ACTIONS
from dragonnx.tui.cells import CanvasMode
from dragonnx.tui.editing.tools import Tool
from dragonnx.tui.messages import DragEnded, DragProgressed, PictureMade, WorkFailed
from dragonnx.tui.screens.choice import ChoiceScreen
from dragonnx.tui.screens.confirm import ConfirmScreen
from dragonnx.tui.screens.contact_sheet import ContactSheetScreen
from dragonnx.tui.screens.help import HelpScreen
from dragonnx.tui.screens.settings import SettingsScreen
from dragonnx.tui.widgets.sheet import Sheet
from dragonnx.tui.widgets.side_panel import SidePanel

HANDLE, TARGET = (48, 85), (74, 83)


async def test_a_drag_from_start_to_end_and_undone_as_one():
    async with Editor() as editor:
        before = editor.screen.picture
        await editor.place(HANDLE, TARGET)
        await editor.press("space")
        await editor.until(lambda: editor.count(DragEnded) == 1)
        assert editor.document.result.outcome == "reached"
        assert editor.document.pairs[0].distance <= 1
        assert editor.count(DragProgressed) >= 1
        assert "Every handle point reached" in editor.status
        assert not np.array_equal(before, editor.screen.picture)
        await editor.press("u")
        await editor.settled()
        assert editor.document.pairs[0].handle == HANDLE
        assert np.array_equal(before, editor.screen.picture)
        await editor.press("U")
        await editor.settled()
        assert editor.document.result is not None
        await editor.press("backspace")
        await editor.settled()
        assert np.array_equal(before, editor.screen.picture)
        assert editor.document.pairs[0].handle == HANDLE


async def test_pause_resume_step_and_stop():
    async with Editor() as editor:
        await editor.place(HANDLE, TARGET)
        await editor.press("full_stop")
        await editor.until(lambda: editor.count(DragEnded) == 1)
        assert editor.document.result.steps == 1
        await editor.press("full_stop")
        await editor.until(lambda: editor.count(DragEnded) == 2)
        assert editor.document.result.steps == 2
        assert editor.document.result.outcome == "paused"
        editor.key("space")
        await editor.until(lambda: editor.screen.dragging)
        editor.key("space")
        await editor.until(lambda: editor.count(DragEnded) >= 3)
        assert editor.document.result.outcome in ("paused", "reached")
        assert editor.document.result.steps >= 2
        await editor.press("u")
        assert editor.document.result is None


async def test_stop_ends_the_drag_within_a_step():
    async with Editor() as editor:
        await editor.place(HANDLE, (120, 10))
        editor.key("space")
        await editor.until(lambda: editor.count(DragProgressed) >= 1)
        worker = editor.app.worker
        editor.screen.action_stop()
        steps = len(worker._steps)
        await editor.until(lambda: editor.count(DragEnded) == 1)
        assert editor.document.result.outcome == "cancelled"
        assert editor.document.result.steps <= steps + 1
        await editor.press("x")
        assert "No drag runs" in editor.status


async def test_an_edit_while_dragging_pauses_and_is_made_after():
    async with Editor() as editor:
        await editor.place(HANDLE, (120, 10))
        editor.key("space")
        await editor.until(lambda: editor.count(DragProgressed) >= 1)
        editor.screen.move_cursor(20, 20)
        editor.key("t")
        await editor.until(lambda: editor.document.pairs[0].target == (20, 20))
        assert editor.document.result.outcome == "paused"
        assert not editor.screen.dragging
        await editor.press("u")
        assert editor.document.pairs[0].target == (120, 10)
        assert editor.document.result is not None


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
        for pixel in (HANDLE, TARGET):
            await editor.pilot.click(canvas, offset=editor.cell(pixel))
        pair = editor.document.pairs[0]
        assert np.abs(np.subtract(pair.handle, HANDLE)).max() <= 2
        assert np.abs(np.subtract(pair.target, TARGET)).max() <= 2
        await editor.pilot.mouse_down(canvas, offset=editor.cell(pair.target))
        await editor.pilot.hover(canvas, offset=editor.cell((90, 60)))
        await editor.pilot.hover(canvas, offset=editor.cell((100, 40)))
        await editor.pilot.mouse_up(canvas, offset=editor.cell((100, 40)))
        await editor.pilot.pause()
        assert np.abs(np.subtract(editor.document.pairs[0].target, (100, 40))).max() <= 2
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


async def test_seeds_psi_and_space():
    async with Editor() as editor:
        await editor.press("n")
        assert editor.document.start.seed == 14
        await editor.press("p", "p")
        assert editor.document.start.seed == 12
        await editor.press("r")
        await editor.settled()
        await editor.press("s")
        await editor.type("nothing")
        assert editor.app.screen is not editor.screen
        await editor.type("99")
        await editor.until(lambda: editor.document.start.seed == 99)
        await editor.place(HANDLE, TARGET)
        await editor.press("y")
        await editor.type("0.4")
        await editor.until(lambda: editor.document.start.truncation_psi == 0.4)
        assert len(editor.document.pairs) == 1
        await editor.settled()
        await editor.press("w")
        assert editor.document.config.space == "w"
        assert editor.count(PictureMade) >= 3


async def test_the_contact_sheet_chooses_a_seed():
    async with Editor() as editor:
        await editor.press("k")
        sheet_screen = editor.app.screen
        assert isinstance(sheet_screen, ContactSheetScreen)
        sheet = sheet_screen.query_one(Sheet)
        await editor.until(lambda: sheet.filled == sheet.count)
        await editor.press("right", "down", "up", "left", "right", "enter")
        await editor.until(lambda: editor.app.screen is editor.screen)
        assert editor.document.start.seed == 14
        await editor.press("k", "pagedown")
        await editor.until(lambda: editor.app.screen.query_one(Sheet).filled > 0)
        await editor.press("escape")
        assert editor.document.start.seed == 14


async def test_settings_are_checked_while_typed():
    async with Editor() as editor:
        await editor.press("comma")
        screen = editor.app.screen
        assert isinstance(screen, SettingsScreen)
        assert screen.query_one("#step_size").placeholder == "0.01"
        screen.query_one("#step_size").value = "-1"
        await editor.press("enter")
        assert "step_size" in str(screen.query_one(".problem").content)
        screen.query_one("#step_size").value = "0.05"
        screen.query_one("#trainable_layers").value = "99"
        await editor.press("enter")
        assert "at most 6" in str(screen.query_one(".problem").content)
        screen.query_one("#trainable_layers").value = "4"
        await editor.press("down", "up", "enter")
        await editor.until(lambda: editor.app.screen is editor.screen)
        assert editor.document.config.step_size == 0.05
        assert editor.document.config.trainable_layers == 4
        await editor.press("u")
        assert editor.document.config.step_size is None


async def test_view_and_modes():
    async with Editor() as editor:
        canvas = editor.screen.canvas
        await editor.press("plus")
        assert canvas.view.zoom > 1
        middle = canvas.view.middle
        await editor.press("ctrl+right")
        assert canvas.view.middle[0] > middle[0]
        await editor.press("ctrl+left", "ctrl+up", "ctrl+down", "minus", "0")
        assert canvas.view.zoom == 1
        modes = []
        for _ in range(4):
            await editor.press("a")
            modes.append(canvas.mode)
        assert set(modes) == set(CanvasMode)
        await editor.press("f")
        assert not editor.screen.query_one(SidePanel).display
        theme = editor.app.theme
        await editor.press("f4")
        assert editor.app.theme != theme
        await editor.pilot._post_mouse_events([events.MouseScrollUp],
                                              canvas, (20, 10), button=0)  # fmt: skip
        await editor.pilot.pause()
        assert canvas.view.zoom > 1


async def test_help_palette_and_models():
    async with Editor() as editor:
        await editor.press("f1")
        assert isinstance(editor.app.screen, HelpScreen)
        await editor.press("escape", "question_mark")
        assert isinstance(editor.app.screen, HelpScreen)
        await editor.press("escape", "m")
        assert isinstance(editor.app.screen, ChoiceScreen)
        await editor.press("escape")
        titles = [command.title for command in editor.app.get_system_commands(editor.screen)]
        assert any(title.startswith("Contact sheet") for title in titles)


async def test_a_missing_model_is_one_sentence_and_the_editor_works():
    async with Editor() as editor:
        editor.screen.use_model("/nowhere/model")
        await editor.until(lambda: editor.count(WorkFailed) >= 1)
        assert "no bundle folder" in editor.status
        await editor.press("u")
        await editor.settled()
        assert editor.document.model == "critters"
        await editor.press("n")
        await editor.settled()


@pytest.mark.parametrize("error", [InputError("it broke"), MemoryError("no memory")])
async def test_an_exception_in_the_worker_is_a_message(monkeypatch, error):
    def fail(_self):
        raise error

    async with Editor() as editor:
        await editor.place(HANDLE, TARGET)
        with monkeypatch.context() as patch:
            patch.setattr("dragonnx.drag.session.DragSession.__next__", fail)
            await editor.press("space")
            await editor.until(lambda: editor.count(WorkFailed) == 1)
        assert "Could not drag" in editor.status
        assert not editor.screen.dragging
        await editor.press("space")
        await editor.until(lambda: editor.count(DragEnded) == 2)
        assert editor.document.result.outcome == "reached"


async def test_a_resize_while_dragging_and_a_terminal_too_small():
    async with Editor() as editor:
        await editor.place(HANDLE, (120, 10))
        editor.key("space")
        await editor.until(lambda: editor.count(DragProgressed) >= 1)
        resize = asyncio.ensure_future(editor.pilot.resize_terminal(60, 20))
        await editor.until(lambda: editor.screen.query_one("#too-small").display)
        editor.key("x")
        await resize
        await editor.pilot.resize_terminal(120, 40)
        await editor.until(lambda: not editor.screen.query_one("#too-small").display)
        await editor.until(lambda: editor.count(DragEnded) == 1)


async def test_leaving_asks_only_where_something_would_be_lost():
    async with Editor() as editor:
        await editor.place(HANDLE)
        await editor.press("q")
        assert isinstance(editor.app.screen, ConfirmScreen)
        await editor.press("n")
        assert editor.app.screen is editor.screen
        await editor.press("u", "q")
        assert editor.app._exit


def test_every_action_has_its_method_and_ids_are_unique():
    from dragonnx.tui.screens.editor import EditorScreen

    ids = [action.id for action in ACTIONS]
    assert len(ids) == len(set(ids))
    for action in ACTIONS:
        assert hasattr(EditorScreen, f"action_{action.call.split('(')[0]}"), action.id
        assert action.help.endswith(".")
    keys = [key for action in ACTIONS for key in action.keys.split(",")]
    assert len(keys) == len(set(keys))
