"""Leaving the editor: what is not saved is asked about, and can be saved on the way out."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.bundled import NOSE, NOSE_NEAR, NOSE_TARGET
from support.full_disk import full_disk
from support.terminal_editor import TerminalEditor

from dragonnx.document import Recovery, open_document, save_document
from dragonnx.editor.events import (
    DocumentSaved,
    DragProgressed,
    FileChanged,
    FileOpened,
    TaskFailed,
)
from dragonnx.tui.screens.confirm import ConfirmScreen
from dragonnx.tui.screens.path import PathScreen


async def test_leaving_asks_only_where_something_would_be_lost():
    async with TerminalEditor() as editor:
        await editor.place(NOSE)
        await editor.press("q")
        assert isinstance(editor.app.screen, ConfirmScreen)
        await editor.press("n")
        assert editor.app.screen is editor.screen
        await editor.press("u", "q")
        assert editor.app._exit


async def test_ctrl_c_says_how_to_leave():
    async with TerminalEditor() as editor:
        await editor.press("ctrl+c")
        assert not editor.app._exit
        assert "q leaves the editor" in editor.status


async def test_leaving_without_saving_is_an_answer():
    async with TerminalEditor() as editor:
        await editor.place(NOSE)
        await editor.press("q", "y")
        assert editor.app._exit
    assert Recovery().lost() == []


async def test_enter_saves_and_leaves():
    async with TerminalEditor() as editor:
        await editor.place(NOSE)
        await editor.press("ctrl+s")
        await editor.type("cat")
        await editor.came(DocumentSaved)
        await editor.place(NOSE_NEAR)
        await editor.press("q", "enter")
        await editor.until(lambda: editor.app._exit)
    assert open_document(Path("cat.dragonnx")).pairs[0].target == NOSE_NEAR


async def test_a_document_without_a_file_is_named_on_the_way_out():
    async with TerminalEditor() as editor:
        await editor.place(NOSE)
        await editor.press("q", "s")
        assert isinstance(editor.app.screen, PathScreen)
        await editor.press("escape")
        assert not editor.app._exit
        await editor.press("q", "s")
        await editor.type("cat")
        await editor.until(lambda: editor.app._exit)
    assert open_document(Path("cat.dragonnx")).pairs[0].handle == NOSE


async def test_what_cannot_be_saved_keeps_the_editor_open():
    async with TerminalEditor() as editor:
        await editor.place(NOSE)
        await editor.press("q", "s")
        with full_disk("cat.dragonnx"):
            await editor.type("cat")
            await editor.came(TaskFailed)
        assert not editor.app._exit
        await editor.press("S")
        await editor.type("cat")
        await editor.came(DocumentSaved)
        assert not editor.app._exit, "what was to come after the save that failed is forgotten"


async def test_leaving_pauses_a_drag_and_what_it_reached_is_not_lost():
    """The document was saved before the drag: only the drag would be lost."""
    async with TerminalEditor() as editor:
        await editor.place(NOSE, NOSE_TARGET)
        await editor.press("ctrl+s")
        await editor.type("cat")
        await editor.came(DocumentSaved)
        assert editor.state.is_saved
        await editor.press("space")
        await editor.came(DragProgressed)
        await editor.press("q")
        await editor.until(lambda: isinstance(editor.app.screen, ConfirmScreen))
        assert not editor.app._exit
        await editor.press("s")
        await editor.until(lambda: editor.app._exit)
    assert open_document(Path("cat.dragonnx")).result.steps > 0


@pytest.mark.parametrize("answer", ["w", "o", "s", "escape"])
async def test_saving_over_a_file_that_others_changed_asks(answer):
    async with TerminalEditor() as editor:
        await editor.place(NOSE)
        await editor.press("ctrl+s")
        await editor.type("cat")
        await editor.came(DocumentSaved)
        theirs = editor.document.without_pairs()
        save_document(theirs, Path("cat.dragonnx"))
        await editor.place(NOSE_NEAR)
        await editor.press("ctrl+s")
        await editor.came(FileChanged)
        assert isinstance(editor.app.screen, ConfirmScreen)
        assert editor.app.focused.name == "s"
        assert open_document(Path("cat.dragonnx")).pairs == (), "nothing was written yet"
        await editor.press(answer)
        if answer == "w":
            await editor.came(DocumentSaved, 2)
            assert open_document(Path("cat.dragonnx")).pairs[0].target == NOSE_NEAR
        elif answer == "o":
            await editor.came(FileOpened)
            assert editor.document.pairs == ()
            await editor.press("u")
            assert editor.document.pairs[0].target == NOSE_NEAR
        elif answer == "s":
            await editor.type("mine")
            await editor.came(DocumentSaved, 2)
            assert open_document(Path("mine.dragonnx")).pairs[0].target == NOSE_NEAR
        if answer != "w":
            assert open_document(Path("cat.dragonnx")).pairs == ()
