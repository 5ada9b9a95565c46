"""Lost work as it is offered: all of it, with what it is recognised by, and nothing goes by mistake."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys

import numpy as np
import pytest
from support.bundled import NOSE, NOSE_NEAR, SEED
from support.editor_runs import EditorRun
from support.terminal_editor import TerminalEditor, problem
from textual.widgets import OptionList

from dragonnx.document import Document, LatentStart, Recovery
from dragonnx.tui.screens.confirm import ConfirmScreen
from dragonnx.tui.screens.lost_work import LostWorkScreen
from dragonnx.tui.widgets.thumbnail import Thumbnail


def lose(*names: str, seed: int = 0) -> None:
    """Have editors killed that had documents of these names open; an empty one has none."""
    for name in names:
        path = f"Path('{name}.dragonnx')" if name else "None"
        killed = (
            "import os; from pathlib import Path; from dragonnx.document import *; "
            f"Recovery().save(Document(start=LatentStart({seed})).with_point({NOSE})"
            f".with_point({NOSE_NEAR}), {path}); os.kill(os.getpid(), 9)"
        )
        subprocess.run([sys.executable, "-c", killed], check=False)


def is_left(editor) -> bool:
    return editor.app.screen is editor.screen


async def offered(editor) -> list[str]:
    """The lines of the list, once it is there."""
    await editor.until(lambda: isinstance(editor.app.screen, LostWorkScreen))
    choices = editor.app.screen.query_one(OptionList)
    return [str(choices.get_option_at_index(k).prompt) for k in range(choices.option_count)]


@pytest.mark.parametrize("answer", ["enter", "y"])
async def test_enter_recovers(answer):
    lose("")
    async with TerminalEditor() as editor:
        assert "a document that was never saved" in (await offered(editor))[0]
        await editor.press(answer)
        assert is_left(editor)
        assert editor.document.pairs[0].target == NOSE_NEAR
        assert editor.app.editor.lost_work.newest() is None


@pytest.mark.parametrize("keys", [("escape",), ("n",), ("n", "y"), ("q",), ("space", "escape")])
async def test_no_key_but_the_one_for_it_discards(keys):
    """Keys that a user presses before the dialog is seen are those of the editor."""
    lose("a", "b")
    async with TerminalEditor() as editor:
        await offered(editor)
        await editor.press(*keys)
    assert len(Recovery().lost()) == 2 - (keys == ("n", "y"))


async def test_discarding_asks():
    lose("a", "b")
    async with TerminalEditor() as editor:
        await offered(editor)
        lost_work = editor.app.editor.lost_work
        await editor.press("d")
        assert isinstance(editor.app.screen, ConfirmScreen)
        assert editor.app.focused.name == "n"
        await editor.press("enter")
        assert len(lost_work.all()) == 2
        await editor.press("d", "y")
        assert [line.rpartition(" ")[2] for line in await offered(editor)] == ["a.dragonnx"]
        assert len(lost_work.all()) == 1
        await editor.press("d", "y")
        assert is_left(editor)
        assert lost_work.all() == []


async def test_all_are_listed_with_what_they_are_recognised_by():
    lose("a", "b")
    with EditorRun(Document(start=LatentStart(SEED))) as run:
        run.settled()
        run.place(NOSE)
        run.state.autosave.flush(60)
        looked = run.state.picture
        run.editor.close(keep=True)
        run.editor.join()
    lose("c", seed=7)
    async with TerminalEditor(size=(100, 30)) as editor:
        lines = await offered(editor)
        names = ["c.dragonnx", "a document that was never saved", "b.dragonnx", "a.dragonnx"]
        assert [re.sub(r"^\d{4}-\d\d-\d\d \d\d:\d\d  ", "", line) for line in lines] == names
        screen = editor.app.screen
        facts, picture = screen.query_one("#lost-facts"), screen.query_one(Thumbnail)
        assert str(facts.content) == "critters, seed 7, 1 point, 0 steps"
        await editor.press("down")
        assert str(facts.content) == f"critters, seed {SEED}, 1 point, 0 steps"
        shown = picture.picture
        assert max(shown.shape) <= 96
        assert abs(shown.mean() - looked.mean()) < 3, "the same picture, smaller"
        assert np.ptp(shown) > 50
        await editor.press("down", "enter")
        assert editor.state.path.stem == "b"
        assert "3 other lost documents are kept for the next start" in editor.status
    assert len(Recovery().lost()) == 3


async def test_what_cannot_be_read_is_said_and_stays():
    lose("a")
    recovery = Recovery()
    (work,) = recovery.lost()
    work.path.write_bytes(b"nonsense")
    recovery.close()
    async with TerminalEditor() as editor:
        await offered(editor)
        assert "is no dragonnx document" in str(editor.app.screen.query_one("#lost-facts").content)
        await editor.press("enter")
        assert "cannot be recovered" in problem(editor)
        assert work.path.exists()


async def test_a_mistake_of_ours_that_ends_the_editor_keeps_the_copy():
    def mistake():
        raise RuntimeError("a mistake of ours")

    async def run():
        async with TerminalEditor() as editor:
            await editor.place(NOSE, NOSE_NEAR)
            editor.app.call_later(mistake)
            while editor.app.return_code is None:
                await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="a mistake of ours"):
        await run()
    async with TerminalEditor() as editor:
        await offered(editor)
        await editor.press("y")
        assert editor.document.pairs[0].target == NOSE_NEAR
