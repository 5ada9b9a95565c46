"""The crop box on a photo, by keys and mouse, feeds the inversion."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.terminal_editor import TerminalEditor, problem
from textual import events

from dragonnx.editor.inversion_job import PhotoRequest
from dragonnx.inversion.config import InversionConfig
from dragonnx.tui.screens.crop import CropScreen
from dragonnx.tui.screens.photo import PhotoScreen
from dragonnx.tui.widgets.crop_view import CropView


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 255, (300, 600, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


async def test_a_part_of_a_photo_is_chosen_and_inverted(photo: Path, monkeypatch):
    asked: list[PhotoRequest] = []
    async with TerminalEditor() as editor:
        monkeypatch.setattr(editor.app.editor.photo, "invert", asked.append)
        await editor.press("P", "f2")
        assert isinstance(editor.app.screen, PhotoScreen), "no photo is named yet"
        assert problem(editor)
        editor.app.screen.query_one("#path").value = str(photo)
        await editor.press("f2")
        screen = editor.app.screen
        assert isinstance(screen, CropScreen)
        await editor.until(lambda: screen._crop is not None)
        assert screen._crop.box == (150, 0, 450, 300)
        await editor.press("left", "shift+right")
        assert screen._crop.box == (198, 0, 498, 300)
        await editor.press("minus", "minus", "minus", "plus")
        left, top, right, bottom = screen._crop.box
        assert right - left == bottom - top == round(300 / 1.1**2)
        view = screen.query_one(CropView)
        middle = (view.size.width // 2, view.size.height // 2)
        for kind in (events.MouseDown, events.MouseMove, events.MouseUp):
            await editor.pilot._post_mouse_events([kind], view, middle, button=1)
        await editor.pilot._post_mouse_events([events.MouseScrollDown], view, middle, button=0)
        await editor.rest()
        left, top, right, bottom = screen._crop.box
        assert abs((left + right) / 2 - 300) < 8
        assert right - left == round(300 / 1.1**3)
        await editor.press("0", "shift+left", "enter")
        shown = str(editor.app.screen.query_one("#box").content)
        assert shown == "Crop box 300 x 300 px at 90,0"
        await editor.press("enter")
        assert asked[0].box == (90, 0, 390, 300)


async def test_the_box_that_was_chosen_before_is_told_for_its_photo(photo: Path):
    async with TerminalEditor() as editor:
        last = PhotoRequest(photo, InversionConfig(), box=(90, 0, 390, 300))
        editor.app.editor.photo.last_request = last

        def told() -> str:
            return str(editor.app.screen.query_one("#box").content)

        await editor.press("P")
        assert told() == "Crop box 300 x 300 px at 90,0"
        editor.app.screen.query_one("#path").value = str(photo.with_name("other.png"))
        await editor.rest()
        assert told() == "", "it is of another photo"
        editor.app.screen.query_one("#path").value = str(photo)
        await editor.rest()
        assert told() == "Crop box 300 x 300 px at 90,0"


async def test_a_photo_that_cannot_be_read_is_told(tmp_path: Path):
    (tmp_path / "photo.png").write_bytes(b"no picture")
    async with TerminalEditor() as editor:
        await editor.press("P")
        editor.app.screen.query_one("#path").value = str(tmp_path / "photo.png")
        await editor.press("f2")
        await editor.until(lambda: problem(editor))
        await editor.press("enter", "left", "escape")
        assert isinstance(editor.app.screen, PhotoScreen)
