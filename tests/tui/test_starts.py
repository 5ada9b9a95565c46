"""What a picture starts from: seeds, truncation, classes, models, the contact sheet."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.bundled import NOSE, NOSE_TARGET, SEED
from support.tui_editor import Editor
from textual.widgets import OptionList

from dragonnx.document import Document, open_document, save_document
from dragonnx.model.generator import Generator
from dragonnx.model.library import find_bundle
from dragonnx.tui.messages import DragEnded, PictureMade, WorkDone, WorkFailed
from dragonnx.tui.screens.contact_sheet import ContactSheetScreen
from dragonnx.tui.widgets.sheet import Sheet
from dragonnx.tui.widgets.side_panel import SidePanel


async def test_seeds_psi_and_space():
    async with Editor() as editor:
        await editor.press("n")
        assert editor.document.start.seed == SEED + 1
        await editor.press("p", "p")
        assert editor.document.start.seed == SEED - 1
        await editor.press("r")
        await editor.settled()
        await editor.press("s")
        await editor.type("nothing")
        assert editor.app.screen is not editor.screen
        await editor.type("99")
        await editor.until(lambda: editor.document.start.seed == 99)
        await editor.place(NOSE, NOSE_TARGET)
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
        assert editor.document.start.seed == SEED + 1
        await editor.press("k", "pagedown")
        await editor.until(lambda: editor.app.screen.query_one(Sheet).filled > 0)
        await editor.press("escape")
        assert editor.document.start.seed == SEED + 1


@pytest.fixture
def twin(tmp_path):
    """A second model of one's own, in the folder of models."""
    folder = tmp_path / "models" / "twin"
    shutil.copytree(find_bundle("critters"), folder)
    return folder


async def test_a_model_is_chosen_from_the_list_and_undone(twin):
    async with Editor() as editor:
        await editor.place(NOSE)
        await editor.press("m")
        choices = editor.app.screen.query_one(OptionList)
        shown = [str(choices.get_option_at_index(k).prompt) for k in range(choices.option_count)]
        at = next(k for k, text in enumerate(shown) if text.startswith("twin"))
        await editor.press(*["down"] * (at - (choices.highlighted or 0)), "enter")
        await editor.until(lambda: editor.document.model == "twin")
        await editor.settled()
        assert editor.document.start.seed == SEED
        assert editor.document.pairs == ()
        await editor.press("u")
        await editor.settled()
        assert editor.document.model == "critters"
        assert editor.document.pairs[0].handle == NOSE
        await editor.press("m", "tab")
        await editor.type(str(twin))
        await editor.until(lambda: editor.document.model == str(twin))


@pytest.mark.parametrize("damage", ["missing", "altered", "no picture"])
async def test_a_model_that_fails_changes_nothing(twin, monkeypatch, damage):
    async with Editor() as editor:
        await editor.place(NOSE, NOSE_TARGET)
        before, picture = editor.document, editor.screen.picture
        if damage == "missing":
            shutil.rmtree(twin)
        elif damage == "altered":
            (twin / "w_avg.npy").write_bytes(b"nonsense")
        with monkeypatch.context() as patch:
            if damage == "no picture":
                patch.setattr(Generator, "image", lambda *_: 1 / 0)
            editor.screen.use_model(str(twin))
            await editor.until(lambda: editor.count(WorkFailed) == 1)
        assert f"Could not open the model {twin}" in editor.status
        assert editor.document is before
        assert editor.screen.picture is picture
        await editor.press("n")
        await editor.settled()


async def test_a_session_whose_model_is_gone_is_not_opened(twin):
    save_document(Document(model=str(twin)), Path("old.dragonnx"))
    shutil.rmtree(twin)
    async with Editor() as editor:
        before = editor.document
        editor.screen.open_path(Path("old.dragonnx"))
        await editor.until(lambda: editor.count(WorkFailed) == 1)
        assert "Could not open old.dragonnx" in editor.status
        assert editor.document is before


@pytest.fixture
def labels(monkeypatch):
    """Gives the bundled model three classes; returns the labels that pictures were made with."""
    asked = []

    def mapped(self, *arguments, label=None, **settings):
        asked.append(label)
        assert self._label_input(label, 1)["label"].shape == (1, 3)
        return made(self, *arguments, label=label, **settings)

    made, manifest = Generator.w_plus, Generator.manifest.fget
    monkeypatch.setattr(Generator, "w_plus", mapped)
    monkeypatch.setattr(
        Generator, "manifest", property(lambda self: replace(manifest(self), label_dim=3))
    )
    return asked


async def test_a_class_is_chosen_saved_and_undone(labels):
    async with Editor() as editor:
        assert labels == [0]
        await editor.press("l")
        await editor.type("3")
        assert "from 0 to 2" in str(editor.app.screen.query_one(".problem").content)
        await editor.type("2")
        await editor.until(lambda: editor.document.start.label == 2)
        await editor.settled()
        assert labels == [0, 2]
        assert "Class  2 of 3" in str(editor.screen.query_one(SidePanel).content)
        editor.screen.save_session(Path("a.dragonnx"))
        await editor.until(lambda: editor.count(WorkDone) == 1)
        assert open_document(Path("a.dragonnx")).start.label == 2
        await editor.press("n", "u", "u")
        await editor.settled()
        assert editor.document.start.label is None
        assert labels[-1] == 0


async def test_a_model_without_classes_says_so():
    async with Editor() as editor:
        await editor.press("l")
        assert "no classes" in editor.status


async def test_slow_pictures_are_preceded_by_coarse_ones(monkeypatch):
    monkeypatch.setattr("dragonnx.tui.pictures.SLOW_SECONDS", 0.0)
    async with Editor() as editor:
        assert editor.count(PictureMade) == 1  # the first picture's time says nothing yet
        await editor.press("n")
        await editor.settled()
        await editor.press("n")
        await editor.settled()
        made = [message for message in editor.messages if isinstance(message, PictureMade)]
        assert [message.is_preview for message in made] == [False, False, True, False]
        coarse, full = (message.picture for message in made[2:])
        assert coarse.shape == full.shape
        assert 2 < np.abs(coarse.astype(int) - full).mean() < 40
        await editor.place(NOSE, NOSE_TARGET)
        await editor.press("full_stop")
        await editor.until(lambda: editor.count(DragEnded) == 1)
        await editor.settled()
        assert not np.array_equal(editor.screen.picture, full)
