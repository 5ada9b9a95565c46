"""The same edit on seeds that are marked in the contact sheet."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from support.bundled import SEED
from support.terminal_editor import TerminalEditor
from textual import events

from dragonnx import open_picture
from dragonnx.batch import JobResult
from dragonnx.document import Document, LatentStart, Recovery
from dragonnx.document.recipe import recipe_of
from dragonnx.media import save_image
from dragonnx.tui.screens.confirm import ConfirmScreen
from dragonnx.tui.screens.contact_sheet import ContactSheetScreen
from dragonnx.tui.screens.other_seeds import OtherSeedsScreen
from dragonnx.tui.widgets.sheet import Sheet
from dragonnx.tui.widgets.side_panel import SidePanel


@pytest.fixture
def batch(monkeypatch, tmp_path):
    """A batch that costs nothing."""

    def run(jobs, _output, **_):
        for job in jobs:
            path = Path(tmp_path / f"{job['seed']}.png")
            document = Document(start=LatentStart(job["seed"]))
            save_image(Image.new("RGB", (64, 64), (10, 200, 30)), path, recipe_of(document), None)
            report = {"outcome": "reached", "steps": 7, "points": [{"distance": 0.5}]}
            yield JobResult(job["id"], "done", "", path, {"drag": report})

    monkeypatch.setattr("dragonnx.batch.engine.run", run)


async def test_marked_seeds_get_the_same_edit_and_one_is_opened(batch):
    async with TerminalEditor() as editor:
        await editor.press("enter", "right", "enter", "k")
        await editor.press("e")
        assert isinstance(editor.app.screen, ContactSheetScreen), "nothing is marked yet"
        await editor.press("right", "space", "right")
        sheet = editor.app.screen.query_one(Sheet)
        left_of_it = (sheet.grid.width * ((SEED + 3) % sheet.columns) + 2, 2)
        await editor.pilot._post_mouse_events(
            [events.MouseDown, events.MouseUp, events.Click], sheet, left_of_it, button=3
        )
        await editor.rest()
        marked = list(editor.app.screen.marked())
        assert marked[0] == SEED + 1
        assert len(marked) == 2
        await editor.press("space", "space", "e")
        assert isinstance(editor.app.screen, OtherSeedsScreen)
        others = editor.app.editor.other_seeds
        await editor.until(lambda: not others.is_running)
        assert list(others.seeds) == marked
        title = str(editor.app.screen.query_one("#sheet-title").render())
        assert title == f"Seed {SEED + 1}: reached, 7 steps, 0.5 px left (2 of 2 done)"
        await editor.press("escape", "K", "right", "enter")
        await editor.until(lambda: editor.document.start.seed == marked[1])
        assert not editor.state.is_saved
        assert editor.screen.query_one(SidePanel).display


async def test_without_marks_the_key_says_how(batch):
    async with TerminalEditor() as editor:
        await editor.press("K")
        assert editor.status == "First mark seeds in the contact sheet, k, with Space; then e."


async def edited(editor: TerminalEditor) -> None:
    """Do an edit on two seeds."""
    others = editor.app.editor.other_seeds
    await editor.press("enter", "right", "enter", "k", "right", "space", "right", "space", "e")
    assert isinstance(editor.app.screen, OtherSeedsScreen)
    await editor.until(lambda: not others.is_running)
    await editor.press("escape")


async def test_leaving_asks_whether_to_save_results_that_were_not_opened(batch):
    async with TerminalEditor() as editor:
        await edited(editor)
        await editor.press("q", "y")
        assert isinstance(editor.app.screen, ConfirmScreen)
        assert not editor.app._exit
        await editor.press("n")
        assert editor.app.screen is editor.screen
        folder = editor.app.editor.other_seeds.suggested_folder()
        await editor.press("q", "y", "s")
        await editor.until(lambda: editor.app._exit)
    assert sorted(each.name for each in folder.iterdir()) == [
        f"{SEED + 1}.png", f"{SEED + 2}.png"
    ]  # fmt: skip
    assert open_picture(folder / f"{SEED + 1}.png").start.seed == SEED + 1


async def test_leaving_without_them_is_an_answer(batch):
    async with TerminalEditor() as editor:
        await edited(editor)
        await editor.press("q", "y", "y")
        assert editor.app._exit
    assert Recovery().lost() == []


async def test_another_edit_asks_before_it_lets_them_go(batch):
    async with TerminalEditor() as editor:
        await edited(editor)
        others = editor.app.editor.other_seeds
        first = others.seeds
        await editor.press("k", "right", "right", "right", "space", "e")
        assert isinstance(editor.app.screen, ConfirmScreen)
        await editor.press("escape")
        assert (others.seeds, others.unkept) == (first, 2)
        await editor.press("k", "e")
        folder = others.suggested_folder()
        await editor.press("s")
        await editor.until(lambda: isinstance(editor.app.screen, OtherSeedsScreen))
        assert others.seeds != first
        assert len(list(folder.iterdir())) == 2
