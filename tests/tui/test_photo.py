"""Photos by keys: asked for, compared, ended."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.terminal_editor import TerminalEditor, problem

from dragonnx import align_face, read_landmarks
from dragonnx.editor.events import (
    InversionEnded,
    InversionProgressed,
    PhotoFound,
)
from dragonnx.tui.screens.photo import PhotoScreen
from dragonnx.tui.screens.settings import SettingsScreen


@pytest.fixture
def quick_start(monkeypatch):
    """The start is the average picture, found at once."""
    monkeypatch.setattr("dragonnx.inversion.start._distance", lambda *_: 0.0)
    monkeypatch.setattr("dragonnx.inversion.session._SPACE_SAMPLES", 300)


@pytest.fixture
def photo(critters, quick_start):
    """A photo wider than the model's pictures."""
    path = Path("cat.jpg")
    picture = critters.image(critters.w_plus(77)).convert("RGB")
    picture.resize((180, 140), Image.Resampling.LANCZOS).save(path, quality=90)
    return path


async def ask(editor, path, **fields) -> None:
    """Ask for a photo by its key, and start."""
    await editor.press("P")
    screen = editor.app.screen
    assert isinstance(screen, PhotoScreen)
    for name, value in fields.items():
        screen.query_one(f"#{name}").value = value
    await editor.type(str(path))


async def test_a_photo_is_asked_for_and_compared(photo):
    async with TerminalEditor() as editor:
        await ask(editor, photo, steps="2", fit="pad", space="w")
        await editor.came(InversionEnded)
        assert "2 steps, " in editor.status
        scene = editor.screen.canvas.scene
        await editor.press("c")
        assert editor.screen.canvas.scene.picture is editor.state.comparison.photo
        await editor.press("c")
        assert editor.screen.canvas.scene.picture is scene.picture
        await editor.press("P")
        assert editor.app.screen.query_one("#fit").value == "pad"
        assert editor.app.screen.query_one("#path").value == "cat.jpg"


@pytest.mark.parametrize("key", ["x", "space"])
async def test_an_inversion_is_ended_by_a_key(photo, key):
    async with TerminalEditor() as editor:
        await ask(editor, photo)
        await editor.came(InversionProgressed)
        await editor.press(key)
        await editor.came(InversionEnded)
        assert editor.document.start.name == "cat.jpg"


async def test_a_photo_is_opened_like_any_file(photo):
    async with TerminalEditor(file=photo) as editor:
        await editor.until(lambda: isinstance(editor.app.screen, PhotoScreen))
        await editor.press("escape", "o")
        await editor.type(str(photo))
        await editor.came(PhotoFound, 2)
        screen = editor.app.screen
        assert isinstance(screen, PhotoScreen)
        screen.query_one("#steps").value = "2"
        await editor.press("enter")
        await editor.came(InversionEnded)
        assert editor.document.start.name == photo.name


async def test_the_choices_are_checked_while_typed(photo):
    async with TerminalEditor() as editor:
        await editor.press("P")
        screen = editor.app.screen
        await editor.press("enter")
        assert "Type a photo's path" in problem(editor)
        await editor.type("missing.jpg")
        assert "no file missing.jpg" in problem(editor)
        for name, value, words in (
            ("steps", "many", "whole number"),
            ("steps", "0", "a whole number from 1 to"),
            ("space", "z", "w+ or w"),
            ("fit", "stretch", "crop or pad"),
        ):
            line = screen.query_one(f"#{name}")
            good = line.value
            line.value = value
            await editor.rest()
            assert words in problem(editor)
            await editor.type(str(photo))
            assert editor.app.screen is screen
            line.value = good
        await editor.press("escape")
        assert editor.state.running is None


async def test_asking_while_it_runs_ends_it_first(photo):
    async with TerminalEditor() as editor:
        await ask(editor, photo)
        await editor.came(InversionProgressed)
        await editor.press("comma")
        await editor.until(lambda: isinstance(editor.app.screen, SettingsScreen))
        assert editor.count(InversionEnded) == 1
        assert np.array_equal(editor.document.start.w_plus, editor.events[-1].w_plus)


async def test_a_face_is_aligned_by_a_file_that_is_named(photo):
    Path("points.txt").write_text("70 40\n100 30\n90 50\n80 75\n105 68\n", "utf-8")
    async with TerminalEditor() as editor:
        await ask(editor, photo, steps="1", face="missing.txt")
        assert "no file missing.txt" in problem(editor)
        editor.app.screen.query_one("#face").value = "points.txt"
        await editor.press("enter")
        await editor.came(InversionEnded)
        five = read_landmarks("points.txt")
        expected = align_face(photo, five, editor.state.comparison.photo.shape[:2])
        assert np.array_equal(editor.state.comparison.photo, expected.picture)
        await editor.press("P")
        assert editor.app.screen.query_one("#face").value == "points.txt"
