"""What is asked: each dialog's keys and checks, and that its answer reaches the editor."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from support.bundled import BEST_STEP_SIZE, NOSE, NOSE_NEAR, NOSE_TARGET, SEED, STEP_SIZE
from support.full_disk import full_disk
from support.terminal_editor import TerminalEditor, problem
from textual import events
from textual.widgets import OptionList

from dragonnx import open_picture
from dragonnx.document import LatentStart, open_document
from dragonnx.editor.events import (
    DocumentSaved,
    DragEnded,
    Exported,
    FileOpened,
    TaskFailed,
)
from dragonnx.editor.state import Part
from dragonnx.model.bundle import read_manifest
from dragonnx.model.library import find_bundle
from dragonnx.tui.drawing.graphics import Graphics, Protocol
from dragonnx.tui.screens.confirm import ConfirmScreen
from dragonnx.tui.screens.contact_sheet import ContactSheetScreen
from dragonnx.tui.screens.export import ExportScreen
from dragonnx.tui.screens.settings import SettingsScreen
from dragonnx.tui.widgets.sheet import Grid, Sheet
from dragonnx.tui.widgets.side_panel import SidePanel


def is_left(editor) -> bool:
    return editor.app.screen is editor.screen


# --- what a picture starts from -------------------------------------------------------------------


async def test_seeds_and_psi():
    async with TerminalEditor() as editor:
        await editor.press("n", "p", "p", "r")
        await editor.settled()
        await editor.press("s")
        await editor.type("nothing")
        assert "whole number from 0" in problem(editor)
        await editor.type("99")
        assert editor.document.start.seed == 99
        await editor.place(NOSE, NOSE_TARGET)
        await editor.press("y")
        await editor.type("0.4")
        assert editor.document.start.truncation_psi == 0.4
        assert len(editor.document.pairs) == 1
        await editor.press("w")
        assert editor.document.config.space == "w"
        await editor.settled()


async def test_the_contact_sheet_chooses_a_seed():
    async with TerminalEditor() as editor:
        await editor.press("k")
        assert isinstance(editor.app.screen, ContactSheetScreen)
        sheet, page = editor.app.screen.query_one(Sheet), editor.app.editor.sheet
        await editor.until(lambda: len(page.pictures) == sheet.count)
        await editor.press("right", "down", "up", "left", "right", "enter")
        assert is_left(editor)
        assert editor.document.start.seed == SEED + 1
        await editor.press("k", "pagedown")
        await editor.until(lambda: len(page.pictures) > 0)
        first = page.seeds[0]
        sheet = editor.app.screen.query_one(Sheet)
        await editor.pilot._post_mouse_events([events.MouseScrollUp], sheet, (20, 10), button=0)
        await editor.rest()
        assert page.seeds[0] == first - sheet.count
        await editor.press("escape")
        assert editor.document.start.seed == SEED + 1
        assert page.pictures == {}


async def test_a_truncation_is_chosen_by_its_picture():
    async with TerminalEditor() as editor:
        await editor.press("T")
        page = editor.app.editor.sheet
        await editor.until(lambda: len(page.pictures) == 8)
        assert editor.app.screen.selected == 5, "what suits most models"
        await editor.press("left", "left", "enter")
        assert editor.document.start.truncation_psi == 0.5
        await editor.settled()
        await editor.press("T")
        assert editor.app.screen.selected == 3
        await editor.press("escape")
        assert page.pictures == {}


async def test_a_latent_has_no_truncations():
    async with TerminalEditor() as editor:
        model = read_manifest(find_bundle("critters"))
        start = LatentStart(w_plus=np.zeros((1, model.num_ws, model.w_dim), np.float32))
        editor.state.edit("open", lambda d: d.with_start(start))
        await editor.press("T")
        assert editor.status == "Truncation applies to seeds; this picture starts from a latent."


def test_few_tiles_are_large():
    few, many = Grid.filling(80, 19, 0.5, 3), Grid.filling(80, 19, 0.5)
    assert few.columns * few.rows == 3
    assert few.width > many.width
    assert few.height > many.height


@pytest.mark.parametrize("size", [(80, 19), (120, 35), (200, 55)])
def test_tiles_fill_the_sheet(size):
    width, height = size
    grid = Grid.filling(width, height, 0.5)
    assert grid.columns * grid.width <= width < grid.columns * (grid.width + 1)
    assert grid.rows * grid.height <= height < grid.rows * (grid.height + 1)
    side = min((grid.width - 1) / 2, grid.height - 1)  # of a picture, in rows
    assert 2 * side**2 * grid.columns * grid.rows > 0.5 * width * height


async def test_the_contact_sheet_is_in_pixels_where_the_terminal_takes_them():
    async with TerminalEditor(graphics=Graphics(Protocol.KITTY, (8, 16))) as editor:
        await editor.press("k")
        sheet, page = editor.app.screen.query_one(Sheet), editor.app.editor.sheet
        await editor.until(lambda: len(page.pictures) == sheet.count)
        lines = [sheet.render_line(y) for y in range(sheet.size.height)]
        assert all("\x1b_Ga=T" in line.render(editor.app.console) for line in lines)
        assert "> 40 <" in "".join(line.text for line in lines), "as Textual knows them"


async def test_a_picture_that_comes_while_the_contact_sheet_closes_is_none_too_many():
    async with TerminalEditor() as editor:
        await editor.press("k")
        dialog = editor.app.screen
        await dialog.query_one(Sheet).remove()
        editor.state.changed(Part.SHEET)
        assert editor.app.screen is dialog


async def test_a_model_is_chosen_from_the_list(tmp_path):
    twin = tmp_path / "models" / "twin"
    shutil.copytree(find_bundle("critters"), twin)
    async with TerminalEditor() as editor:
        await editor.press("m")
        choices = editor.app.screen.query_one(OptionList)
        shown = [str(choices.get_option_at_index(k).prompt) for k in range(choices.option_count)]
        at = next(k for k, text in enumerate(shown) if text.startswith("twin"))
        await editor.press(*["down"] * (at - (choices.highlighted or 0)), "enter")
        await editor.until(lambda: editor.document.model == "twin")
        await editor.settled()
        await editor.press("u")
        await editor.settled()
        await editor.press("m", "tab")
        await editor.type(str(twin))
        await editor.until(lambda: editor.document.model == str(twin))


async def test_a_class_is_asked_for(labels):
    async with TerminalEditor() as editor:
        await editor.press("l")
        await editor.type("3")
        assert "from 0 to 2" in problem(editor)
        await editor.type("2")
        await editor.settled()
        assert labels == [0, 2]
        assert "Class  2 of 3" in str(editor.screen.query_one(SidePanel).content)
        await editor.press("l")
        await editor.type("0:0.7,1:0.3")
        await editor.settled()
        assert labels[-1] == ((0, 0.7), (1, 0.3))
        assert "Class  0:0.7,1:0.3 of 3" in str(editor.screen.query_one(SidePanel).content)


async def test_a_model_without_classes_says_so():
    async with TerminalEditor() as editor:
        await editor.press("l")
        assert "no classes" in editor.status
        assert is_left(editor)


async def test_settings_are_checked_while_typed():
    async with TerminalEditor() as editor:
        await editor.press("comma")
        screen = editor.app.screen
        assert isinstance(screen, SettingsScreen)
        assert screen.query_one("#step_size").placeholder == str(BEST_STEP_SIZE)
        screen.query_one("#preset").value = "paper"
        await editor.rest()
        assert screen.query_one("#step_size").placeholder == str(STEP_SIZE)
        screen.query_one("#step_size").value = "-1"
        await editor.rest()
        assert "step_size" in problem(editor)
        assert screen.query_one("#step_size").has_class("-invalid")
        await editor.press("enter")
        assert editor.app.screen is screen
        screen.query_one("#step_size").value = "0.05"
        screen.query_one("#trainable_layers").value = "99"
        await editor.press("enter")
        assert "at most 6" in problem(editor)
        screen.query_one("#trainable_layers").value = "4"
        await editor.press("down", "up", "enter")
        assert is_left(editor)
        assert editor.document.config.step_size == 0.05
        assert editor.document.config.trainable_layers == 4
        await editor.press("u")
        assert editor.document.config.step_size is None


# --- files ----------------------------------------------------------------------------------------


async def export(editor, kind: int, name: str) -> None:
    await editor.press("e", *["down"] * kind, "enter")
    assert isinstance(editor.app.screen, ExportScreen)
    await editor.type(name)


async def test_outputs_are_chosen_and_named():
    async with TerminalEditor() as editor:
        await editor.press("e")
        choices = editor.app.screen.query_one(OptionList)
        usable = [not choices.get_option_at_index(k).disabled for k in range(6)]
        assert usable == [True, False, False, False, True, False]
        await editor.press("escape")
        await editor.place(NOSE, NOSE_NEAR)
        await editor.press("full_stop")
        await editor.came(DragEnded)
        await export(editor, 0, "picture")
        await export(editor, 4, "latent.npz")
        await editor.came(Exported, 2)
        assert "Wrote latent.npz" in editor.status
    assert open_picture(Path("picture.png")).result.steps == 1


async def test_a_picture_may_be_a_jpeg_of_a_chosen_quality():
    async with TerminalEditor() as editor:
        for name, quality in (("fine.jpg", "100"), ("coarse.jpg", "20")):
            await editor.press("e", "enter")
            editor.app.focused.value = name
            await editor.press("tab")
            await editor.type(quality)
        await editor.came(Exported, 2)
        await editor.press("e", "enter", "tab")
        await editor.type("20")
        assert "a PNG keeps every pixel" in problem(editor)
        await editor.type("200")
        assert "from 1 to 100" in problem(editor)
    assert open_picture(Path("coarse.jpg")).start.seed == SEED
    assert Path("coarse.jpg").stat().st_size < Path("fine.jpg").stat().st_size / 4


async def test_nothing_is_replaced_without_asking():
    Path("mine.png").write_text("precious", "utf-8")
    async with TerminalEditor() as editor:
        await export(editor, 0, "mine.png")
        assert isinstance(editor.app.screen, ConfirmScreen)
        await editor.press("enter")
        assert Path("mine.png").read_text("utf-8") == "precious"
        assert "Nothing was written" in editor.status
        await export(editor, 0, "mine.png")
        await editor.press("y")
        await editor.came(Exported)
        assert Path("mine.png").read_bytes().startswith(b"\x89PNG")


async def test_what_cannot_be_written_is_said():
    async with TerminalEditor() as editor:
        await export(editor, 0, "nowhere/a.png")
        assert "no folder" in problem(editor)
        await editor.type("a.gif")
        assert "must end in .png" in problem(editor)
        with full_disk():
            await editor.type("a.png")
            await editor.came(TaskFailed)
        assert "Could not write a.png: " in editor.status
        (toast,) = editor.app._notifications
        assert toast.title == "Could not write a.png"
        assert "No space left" in toast.message


async def test_an_animation_that_lacks_its_library_is_refused_in_the_dialog(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    async with TerminalEditor() as editor:
        await editor.place(NOSE, NOSE_NEAR)
        await editor.press("full_stop")
        await editor.came(DragEnded)
        await export(editor, 2, "drag.mp4")
        assert "pip install 'dragonnx[video]'" in problem(editor)


async def test_save_and_open_a_document():
    async with TerminalEditor() as editor:
        await editor.place(NOSE, NOSE_NEAR)
        await editor.press("ctrl+s")
        await editor.type("cat")
        await editor.came(DocumentSaved)
        assert "cat.dragonnx" in str(editor.screen.query_one("#title").content)
        await editor.press("u", "U", "ctrl+s")
        await editor.came(DocumentSaved, 2)
        await editor.press("S")
        await editor.type("other.dragonnx")
        await editor.came(DocumentSaved, 3)
        await editor.press("n", "o")
        await editor.type("cat.dragonnx")
        assert isinstance(editor.app.screen, ConfirmScreen)
        await editor.press("n")
        assert editor.document.start.seed == SEED + 1
        await editor.press("o")
        await editor.type("cat.dragonnx")
        await editor.press("y")
        await editor.came(FileOpened)
        assert editor.state.path == Path("cat.dragonnx")
        await editor.press("ctrl+o")
        await editor.type("missing.png")
        assert "no file" in problem(editor)
    assert open_document(Path("other.dragonnx")).pairs[0].target == NOSE_NEAR
    async with TerminalEditor(file=Path("cat.dragonnx")) as editor:
        await editor.came(FileOpened)
        assert editor.document.pairs[0].target == NOSE_NEAR
