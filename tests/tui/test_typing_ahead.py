"""Keys that arrive together, and keys in dialogs while a drag runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.bundled import NOSE, SEED
from support.terminal_editor import TerminalEditor
from textual.widgets import Input

from dragonnx.document import open_document
from dragonnx.editor.events import DocumentSaved
from dragonnx.tui.screens.path import PathScreen
from dragonnx.tui.widgets.literal import Line


async def at_once(editor, *keys: str) -> None:
    """Keys that arrive in one piece."""
    for key in keys:
        editor.app.simulate_key(key)
    await editor.until(lambda: editor.app._typed.is_done)


async def test_keys_of_a_name_keep_their_order():
    async with TerminalEditor() as editor:
        await at_once(editor, "S", "a", "b", "x", "backspace", "c")
        assert isinstance(editor.app.screen, PathScreen)
        assert editor.app.screen.query_one(Line).value == "abc"
        await at_once(editor, "home", "z", "end", "left", "backspace", "d")
        assert editor.app.screen.query_one(Line).value == "zadc"


async def test_keys_go_to_what_the_keys_before_them_opened_and_closed():
    async with TerminalEditor() as editor:
        await at_once(editor, "s", "1", "2", "backspace", "3", "enter", "n", "n")
        await editor.settled()
        assert editor.document.start.seed == 15
        await at_once(editor, "s", "9", "escape", "p")
        await editor.settled()
        assert editor.document.start.seed == 14
        await at_once(editor, "comma", "tab", "w", "escape", "n")
        await editor.settled()
        assert editor.document.start.seed == 15
        assert editor.document.config.space == "w+"


async def test_a_whole_errand_may_be_typed_ahead():
    async with TerminalEditor() as editor:
        editor.state.put_cursor(*NOSE)
        await at_once(editor, "enter", "q", "s", *"cat", "enter")
        await editor.until(lambda: editor.app._exit)
    assert open_document(Path("cat.dragonnx")).pairs[0].handle == NOSE


async def test_the_palette_takes_what_is_typed_ahead():
    async with TerminalEditor() as editor:
        await at_once(editor, "ctrl+p", *"next", "backspace", "t")
        assert editor.app.screen.query_one(Input).value == "next"


async def test_what_is_saved_and_edited_in_one_piece():
    async with TerminalEditor() as editor:
        await at_once(editor, "ctrl+s", *"dog", "enter", "n", "ctrl+s")
        await editor.came(DocumentSaved, 2)
    assert open_document(Path("dog.dragonnx")).start.seed == SEED + 1


@pytest.mark.skipif(os.name == "nt", reason="there are no pseudo-terminals")
def test_a_drag_under_a_dialog_paints_nothing_that_a_key_would_wait_for(tmp_path):
    """Counted in bytes that a key brings, since a busy machine takes its time."""
    from support.endless_drag import edit, endless_drag, truecolor
    from support.pseudo_terminal import PseudoTerminal

    endless_drag(tmp_path / "a.dragonnx")
    with PseudoTerminal(edit("a.dragonnx"), truecolor(), tmp_path, (120, 40)) as terminal:
        terminal.wait("Opened a")
        terminal.press(" ")
        terminal.wait("steps/s")
        terminal.press("o")
        terminal.wait("Enter accepts")
        terminal.rest(1)
        for _ in range(3):
            terminal.press("Z")
            terminal.wait("Z")
            terminal.rest(0.5)
            assert terminal.read < 20_000, "the screen has 160,000"
        terminal.press("\x1b")
        terminal.wait("steps/s")
