"""The dialog that asks where to walk."""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from support.bundled import SEED
from support.terminal_editor import TerminalEditor, problem

from dragonnx.editor.events import WalkEnded
from dragonnx.tui.screens.walk import WalkScreen


async def test_a_walk_is_asked_for_and_written():
    async with TerminalEditor() as editor:
        await editor.press("W")
        screen = editor.app.screen
        assert isinstance(screen, WalkScreen)
        assert screen.query_one("#to").value == f"{SEED + 1}"
        screen.query_one("#frames").value = "x"
        await editor.press("enter")
        assert problem(editor) == "Pictures: a whole number is expected."
        screen.query_one("#frames").value = "2"
        screen.query_one("#loop").value = "maybe"
        await editor.press("enter")
        assert problem(editor) == "yes or no is expected."
        screen.query_one("#loop").value = "yes"
        screen.query_one("#path").value = "w.webp"
        await editor.press("enter")
        await editor.until(lambda: editor.count(WalkEnded))
        with Image.open(Path("w.webp")) as animation:
            assert animation.n_frames == 2
        assert editor.status == "Wrote w.webp. V views it."
