"""A photo of one's own: asking for it, watching it appear, stopping, undoing, dragging it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.bundled import NOSE, NOSE_NEAR, NUM_WS, SIZE, W_DIM
from support.tui_editor import Editor

from dragonnx.document import open_document
from dragonnx.errors import InputError
from dragonnx.inversion.config import InversionConfig
from dragonnx.inversion.session import InversionSession
from dragonnx.tui.inversion_job import PhotoWish
from dragonnx.tui.messages import (
    DragEnded,
    FileOpened,
    InversionEnded,
    InversionProgressed,
    InversionStarted,
    PhotoOpened,
    WorkDone,
    WorkFailed,
)
from dragonnx.tui.screens.photo import PhotoScreen
from dragonnx.tui.screens.settings import SettingsScreen


@pytest.fixture(autouse=True)
def quick_start(monkeypatch):
    """The start is the average picture, found at once."""
    monkeypatch.setattr(InversionSession, "_coarse_distance", lambda *_: 0.0)
    monkeypatch.setattr("dragonnx.inversion.session._SPACE_SAMPLES", 300)


@pytest.fixture
def photo(critters):
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


async def ended(editor, count: int = 1) -> None:
    await editor.until(lambda: editor.count(InversionEnded) == count)


async def test_a_photo_appears_is_undone_saved_and_dragged(photo):
    async with Editor() as editor:
        before = editor.screen.picture
        await editor.place(NOSE, NOSE_NEAR)
        await ask(editor, photo, steps="8")
        await ended(editor)
        assert editor.count(InversionStarted) == 1
        assert editor.count(InversionProgressed) >= 1
        assert "8 steps, " in editor.status
        start = editor.document.start
        assert start.name == "cat.jpg"
        assert start.w_plus.shape == (1, NUM_WS, W_DIM)
        assert editor.document.pairs == ()
        found = editor.screen.picture
        assert not np.array_equal(found, before)
        await editor.press("u")
        await editor.settled()
        assert editor.document.pairs[0].handle == NOSE
        assert np.array_equal(editor.screen.picture, before)
        await editor.press("U")
        await editor.settled()
        assert np.array_equal(editor.screen.picture, found)
        await editor.place(NOSE, NOSE_NEAR)
        await editor.press("full_stop")
        await editor.until(lambda: editor.count(DragEnded) == 1)
        assert editor.document.result.steps == 1
        assert np.array_equal(editor.document.result.latents[:1], start.w_plus)
        editor.screen.save_session(Path("cat.dragonnx"))
        await editor.until(lambda: editor.count(WorkDone) == 1)
    assert np.array_equal(open_document(Path("cat.dragonnx")).start.w_plus, start.w_plus)


@pytest.mark.parametrize("key", ["x", "space"])
async def test_stop_keeps_the_best_so_far(photo, key):
    async with Editor() as editor:
        await ask(editor, photo)
        await editor.until(lambda: editor.count(InversionProgressed) >= 1)
        assert "of 500" in editor.status
        editor.key(key)
        await ended(editor)
        (end,) = (each for each in editor.messages if isinstance(each, InversionEnded))
        assert 0 < end.steps < 500
        assert np.array_equal(editor.document.start.w_plus, end.w_plus)
        assert not editor.screen.busy
        await editor.settled()


async def test_a_stop_before_the_first_step_changes_nothing(photo):
    async with Editor() as editor:
        before = editor.document
        editor.screen.recreate(PhotoWish(photo, InversionConfig()))
        editor.screen.action_stop()
        await ended(editor)
        assert "all is as before" in editor.status
        assert editor.document is before
        assert not editor.screen.photo_shown
        await editor.settled()


async def test_an_edit_while_it_runs_ends_it_and_is_made_after(photo):
    async with Editor() as editor:
        await editor.place(NOSE_NEAR, NOSE)
        await ask(editor, photo)
        await editor.until(lambda: editor.count(InversionProgressed) >= 1)
        assert editor.screen.live_pairs() == ()
        for key in ("tab", "h", "delete", "D", "full_stop"):
            editor.key(key)
        editor.screen.move_cursor(*NOSE)
        editor.key("enter")
        await editor.until(lambda: editor.document.waits_for_target)
        assert editor.document.start.name == "cat.jpg"
        await editor.press("u")
        assert editor.document.start.name == "cat.jpg"
        await editor.press("u")
        assert editor.document.start.w_plus is None


async def test_the_photo_and_the_picture_are_compared(photo):
    async with Editor() as editor:
        await editor.press("c")
        assert "no photo" in editor.status
        await ask(editor, photo, steps="2", fit="pad", space="w")
        await ended(editor)
        assert editor.screen.last_wish.fit == "pad"
        w_plus = editor.document.start.w_plus
        assert np.array_equal(w_plus, np.repeat(w_plus[:, :1], NUM_WS, axis=1))
        shown = []
        editor.screen.canvas.show = lambda scene: shown.append(scene.picture)
        await editor.press("c")
        assert shown[-1] is editor.screen.photo
        await editor.press("c")
        assert shown[-1] is editor.screen.picture
        await editor.press("c", "enter")
        assert shown[-1] is editor.screen.picture
        await editor.press("P")
        assert editor.app.screen.query_one("#fit").value == "pad"
        assert editor.app.screen.query_one("#path").value == "cat.jpg"


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
async def test_a_photo_is_opened_like_any_file(photo, suffix):
    path = photo.with_suffix(suffix)
    Image.open(photo).save(path)
    async with Editor(file=path) as editor:
        await editor.until(lambda: isinstance(editor.app.screen, PhotoScreen))
        await editor.press("escape")
        await editor.press("o")
        await editor.type(str(path))
        await editor.until(lambda: editor.count(PhotoOpened) == 2)
        screen = editor.app.screen
        assert isinstance(screen, PhotoScreen)
        screen.query_one("#steps").value = "2"
        await editor.press("enter")
        await ended(editor)
        assert editor.document.start.name == path.name


async def test_a_coloured_picture_of_the_right_size_is_no_mask(critters):
    critters.image(critters.w_plus(5)).save("plain.png")
    drawn = np.zeros((SIZE, SIZE), np.uint8)
    drawn[30:90, 20:70] = 255
    Image.fromarray(drawn).save("mask.png")
    async with Editor() as editor:
        editor.screen.open_path(Path("plain.png"))
        await editor.until(lambda: editor.count(PhotoOpened) == 1)
        await editor.press("escape")
        editor.screen.open_path(Path("mask.png"))
        await editor.until(lambda: editor.count(FileOpened) == 1)
        assert np.array_equal(editor.document.mask, drawn == 255)


def nonsense(path: Path) -> None:
    path.write_bytes(b"no picture at all")


def cut_off(path: Path) -> None:
    Image.effect_noise((300, 300), 90).save(path)
    path.write_bytes(path.read_bytes()[:2000])


def tiny(path: Path) -> None:
    Image.new("RGB", (20, 20)).save(path)


def huge(path: Path) -> None:
    Image.new("RGB", (400, 400)).save(path)


@pytest.mark.parametrize("how", ["asked", "opened"])
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (nonsense, "no picture that can be read"),
        (cut_off, "cannot be read"),
        (tiny, "20 x 20 pixels"),
        (huge, "more pixels than any camera's"),
    ],
)
async def test_a_bad_photo_is_one_sentence_and_changes_nothing(monkeypatch, make, reason, how):
    path = Path("bad.jpg")
    make(path)
    if make is huge:
        monkeypatch.setattr("PIL.Image.MAX_IMAGE_PIXELS", 1000)
    async with Editor() as editor:
        await editor.place(NOSE, NOSE_NEAR)
        before, picture = editor.document, editor.screen.picture
        if how == "asked":
            await ask(editor, path)
        else:
            editor.screen.open_path(path)
        await editor.until(lambda: editor.count(WorkFailed) == 1)
        assert reason in editor.status
        assert editor.status.startswith("Could not ")
        assert editor.app.screen is editor.screen
        assert editor.document is before
        assert editor.screen.picture is picture
        assert not editor.screen.busy
        await editor.press("full_stop")
        await editor.until(lambda: editor.count(DragEnded) == 1)


@pytest.mark.parametrize("steps", [0, 2])
@pytest.mark.parametrize("error", [InputError("it broke"), MemoryError("no memory")])
async def test_an_exception_in_a_step_is_a_message(monkeypatch, photo, error, steps):
    made = InversionSession.__next__

    def fail(session):
        if session.steps == steps:
            raise error
        return made(session)

    async with Editor() as editor:
        before, picture = editor.document, editor.screen.picture
        with monkeypatch.context() as patch:
            patch.setattr(InversionSession, "__next__", fail)
            await ask(editor, photo)
            await editor.until(lambda: editor.count(WorkFailed) == 1)
        assert "Could not recreate the photo" in editor.status
        assert not editor.screen.busy
        assert (editor.document is before) == (steps == 0)
        if steps:
            await editor.press("u")
        await editor.settled()
        assert np.array_equal(editor.screen.picture, picture)
        await ask(editor, photo, steps="1")
        await editor.until(lambda: editor.document.start.name == "cat.jpg")


async def test_the_choices_are_checked_while_typed(photo):
    async with Editor() as editor:
        await editor.press("P")
        screen = editor.app.screen

        def problem() -> str:
            return str(screen.query_one(".problem").content)

        await editor.press("enter")
        assert "Type a photo's path" in problem()
        await editor.type("missing.jpg")
        assert "no file missing.jpg" in problem()
        for name, value, words in (
            ("steps", "many", "whole number"),
            ("steps", "0", "at least 1"),
            ("space", "z", "w+ or w"),
            ("fit", "stretch", "crop or pad"),
        ):
            line = screen.query_one(f"#{name}")
            good = line.value
            line.value = value
            await editor.pilot.pause()
            assert words in problem()
            await editor.type(str(photo))
            assert editor.app.screen is screen
            line.value = good
        await editor.press("escape")
        assert not editor.screen.busy


async def test_asking_while_it_runs_ends_it_first(photo):
    async with Editor() as editor:
        await ask(editor, photo)
        await editor.until(lambda: editor.count(InversionProgressed) >= 1)
        editor.key("comma")
        await editor.until(lambda: isinstance(editor.app.screen, SettingsScreen))
        assert editor.count(InversionEnded) == 1
        assert editor.document.start.name == "cat.jpg"
