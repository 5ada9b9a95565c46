"""The drag by keys: start, pause, step, stop, edits and failures in the middle."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from support.bundled import FAR, NOSE, NOSE_TARGET, STEP_SIZE
from support.tui_editor import Editor

from dragonnx.errors import InputError
from dragonnx.tui.messages import DragEnded, DragProgressed, WorkFailed
from dragonnx.tui.screens.settings import SettingsScreen


async def test_a_drag_from_start_to_end_and_undone_as_one():
    async with Editor() as editor:
        before = editor.screen.picture
        await editor.place(NOSE, NOSE_TARGET)
        await editor.press("space")
        await editor.until(lambda: editor.count(DragEnded) == 1)
        assert editor.document.result.outcome == "reached"
        assert editor.document.pairs[0].distance <= 1
        assert editor.count(DragProgressed) >= 1
        assert "Every handle point reached" in editor.status
        assert not np.array_equal(before, editor.screen.picture)
        await editor.press("u")
        await editor.settled()
        assert editor.document.pairs[0].handle == NOSE
        assert np.array_equal(before, editor.screen.picture)
        await editor.press("U")
        await editor.settled()
        assert editor.document.result is not None
        await editor.press("backspace")
        await editor.settled()
        assert np.array_equal(before, editor.screen.picture)
        assert editor.document.pairs[0].handle == NOSE


async def test_pause_resume_step_and_stop():
    async with Editor() as editor:
        await editor.place(NOSE, NOSE_TARGET)
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
        await editor.place(NOSE, FAR)
        editor.key("space")
        await editor.until(lambda: editor.count(DragProgressed) >= 1)
        worker = editor.app.worker
        editor.screen.action_stop()
        steps = len(worker._run.steps)
        await editor.until(lambda: editor.count(DragEnded) == 1)
        assert editor.document.result.outcome == "cancelled"
        assert editor.document.result.steps <= steps + 1
        await editor.press("x")
        assert "No drag runs" in editor.status


async def test_a_drag_waits_for_the_screen(monkeypatch):
    monkeypatch.setattr("dragonnx.tui.worker._LONGEST_WAY", 60.0)
    async with Editor() as editor:
        await editor.place(NOSE, NOSE_TARGET)
        worker = editor.app.worker
        worker.give_way()
        editor.key("full_stop")
        await editor.until(lambda: worker._run is not None)
        assert worker._run.steps == ()
        worker.go_on()
        await editor.until(lambda: editor.count(DragEnded) == 1)
        assert editor.document.result.steps == 1


async def test_an_edit_while_dragging_pauses_and_is_made_after():
    async with Editor() as editor:
        await editor.place(NOSE, FAR)
        editor.key("space")
        await editor.until(lambda: editor.count(DragProgressed) >= 1)
        editor.screen.move_cursor(20, 20)
        editor.key("t")
        await editor.until(lambda: editor.document.pairs[0].target == (20, 20))
        assert editor.document.result.outcome == "paused"
        assert not editor.screen.dragging
        await editor.press("u")
        assert editor.document.pairs[0].target == FAR
        assert editor.document.result is not None


async def test_settings_are_checked_while_typed():
    async with Editor() as editor:
        await editor.press("comma")
        screen = editor.app.screen
        assert isinstance(screen, SettingsScreen)
        assert screen.query_one("#step_size").placeholder == str(STEP_SIZE)
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


@pytest.mark.parametrize("error", [InputError("it broke"), MemoryError("no memory")])
async def test_an_exception_in_the_worker_is_a_message(monkeypatch, error):
    def fail(_self):
        raise error

    async with Editor() as editor:
        await editor.place(NOSE, NOSE_TARGET)
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
        await editor.place(NOSE, FAR)
        editor.key("space")
        await editor.until(lambda: editor.count(DragProgressed) >= 1)
        resize = asyncio.ensure_future(editor.pilot.resize_terminal(60, 20))
        await editor.until(lambda: editor.screen.query_one("#too-small").display)
        editor.key("x")
        await resize
        await editor.pilot.resize_terminal(120, 40)
        await editor.until(lambda: not editor.screen.query_one("#too-small").display)
        await editor.until(lambda: editor.count(DragEnded) == 1)
