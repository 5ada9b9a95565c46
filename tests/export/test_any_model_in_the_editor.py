"""The editor on a model whose image is half as wide as high, and on one with classes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
from support.random_checkpoints import LABELLED, TALL, random_checkpoint
from support.random_stylegan3 import random_stylegan3, stylegan3
from support.terminal_editor import TerminalEditor
from textual.widgets import OptionList

from dragonnx.document import open_document
from dragonnx.editor.events import DocumentSaved, DragEnded
from dragonnx.tui.screens.contact_sheet import ContactSheetScreen
from dragonnx.tui.widgets.sheet import Sheet
from dragonnx_export.bundle_writer import ExportOptions, write_bundle

HANDLE, TARGET = (5, 20), (9, 12)
"""Inside an image 16 px wide and 32 px high."""


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of models with one of each kind; the editor keeps to folders of the test's own."""
    for name, architecture in {"tall": TALL, "classes": LABELLED}.items():
        options = ExportOptions(name=name)
        write_bundle(random_checkpoint(architecture), tmp_path / "models" / name, options)
    for variable in ("state", "config", "models"):
        monkeypatch.setenv(f"DRAGONNX_{variable.upper()}", str(tmp_path / variable))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.chdir(tmp_path)


def test_an_image_half_as_wide_as_high() -> None:
    async def edit() -> None:
        async with TerminalEditor() as editor:
            await editor.press("m")
            choices = editor.app.screen.query_one(OptionList)
            shown = [
                str(choices.get_option_at_index(k).prompt) for k in range(choices.option_count)
            ]
            at = next(k for k, text in enumerate(shown) if text.startswith("tall"))
            assert "16 x 32 px" in shown[at]
            await editor.press(*["down"] * (at - (choices.highlighted or 0)), "enter")
            await editor.until(lambda: editor.document.model == "tall")
            await editor.settled()
            view = editor.screen.canvas.view
            assert editor.state.image_size == (16, 32)
            assert editor.state.picture.shape == (32, 16, 3)
            # A cell is twice as high as wide: a pixel takes as many rows as half its columns.
            assert view.image == (16, 32)
            assert view.rows_per_pixel == pytest.approx(view.columns_per_pixel * view.aspect)
            assert view.rows_per_pixel * 32 <= view.cells[1]
            editor.state.put_cursor(40, 40)
            assert editor.state.cursor == (15, 31)
            await editor.place(HANDLE, TARGET)
            await editor.press("4")
            for corner in ((0, 4), (15, 27)):
                editor.state.put_cursor(*corner)
                await editor.press("enter")
            expected = np.zeros((32, 16), bool)
            expected[4:28] = True
            np.testing.assert_array_equal(editor.document.mask, expected)
            await editor.press("full_stop")
            await editor.came(DragEnded)
            assert editor.document.result.steps == 1
            editor.app.editor.files.save(Path("tall.dragonnx"))
            await editor.came(DocumentSaved)
            again = open_document(Path("tall.dragonnx"))
            assert again.mask.shape == (32, 16)
            await editor.press("k")
            assert isinstance(editor.app.screen, ContactSheetScreen)
            sheet = editor.app.screen.query_one(Sheet)
            await editor.until(lambda: len(editor.app.editor.sheet.pictures) == sheet.count)
            await editor.press("escape", "u", "u", "u", "u")

    asyncio.run(edit())


def test_a_model_of_stylegan3(tmp_path: Path) -> None:
    """Its feature map reaches beyond the image, and it has no preview."""
    options = ExportOptions(name="waves", feature_layer=1)
    checkpoint = random_stylegan3(stylegan3(num_layers=3))
    write_bundle(checkpoint, tmp_path / "models" / "waves", options)

    async def edit() -> None:
        async with TerminalEditor(model="waves") as editor:
            assert editor.state.image_size == (16, 16)
            await editor.place((4, 4), (8, 8))
            await editor.press("full_stop")
            await editor.came(DragEnded)
            assert editor.document.result.steps == 1

    asyncio.run(edit())


def test_a_model_with_classes() -> None:
    async def edit() -> None:
        async with TerminalEditor(model="classes") as editor:
            first = editor.state.picture
            await editor.press("l")
            await editor.type("4")
            await editor.until(lambda: editor.document.start.label == 4)
            await editor.settled()
            assert not np.array_equal(editor.state.picture, first)
            await editor.place((4, 4), (8, 8))
            await editor.press("full_stop")
            await editor.came(DragEnded)
            assert editor.document.result.steps == 1

    asyncio.run(edit())
