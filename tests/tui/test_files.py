"""Opening, saving, exporting, recovering: what touches the disk."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.bundled import NOSE, NOSE_NEAR, NUM_WS, SEED, SIZE, W_DIM
from support.tui_editor import Editor

from dragonnx.document import open_document
from dragonnx.media import read_recipe
from dragonnx.tui.messages import AutosaveFailed, DragEnded, FileOpened, WorkDone, WorkFailed
from dragonnx.tui.preferences import Preferences
from dragonnx.tui.screens.confirm import ConfirmScreen
from dragonnx.tui.screens.export import ExportScreen


async def drag(editor) -> None:
    await editor.place(NOSE, NOSE_NEAR)
    editor.key("space")
    await editor.until(lambda: editor.count(DragEnded) == 1)
    await editor.settled()  # on a slow machine a coarse picture comes first


async def export(editor, kind: int, name: str) -> None:
    await editor.press("e", *["down"] * kind, "enter")
    assert isinstance(editor.app.screen, ExportScreen)
    await editor.type(name)


async def wrote(editor, count: int) -> None:
    await editor.until(lambda: editor.count(WorkDone) >= count)


async def test_every_output_of_a_drag():
    async with Editor() as editor:
        await drag(editor)
        await export(editor, 0, "picture")
        await wrote(editor, 1)
        await export(editor, 1, "pair.png")
        await wrote(editor, 2)
        await export(editor, 2, "drag.webp")
        await wrote(editor, 3)
        await export(editor, 3, "report.json")
        await wrote(editor, 4)
        await export(editor, 4, "latent.npz")
        await wrote(editor, 5)
        assert "Wrote latent.npz" in editor.status
    with Image.open("picture.png") as picture:
        assert picture.size == (SIZE, SIZE)
    with Image.open("pair.png") as pair:
        assert pair.width > 2 * pair.height
    with Image.open("drag.webp") as animation:
        assert animation.n_frames > 2
    assert json.loads(Path("report.json").read_text())["outcome"] == "reached"
    assert np.load("latent.npz")["w_plus"].shape == (1, NUM_WS, W_DIM)
    assert read_recipe(Path("picture.png"))["result"]["outcome"] == "reached"


async def test_nothing_is_replaced_without_asking():
    Path("mine.png").write_text("precious")
    async with Editor() as editor:
        await export(editor, 0, "mine.png")
        await editor.until(lambda: isinstance(editor.app.screen, ConfirmScreen))
        await editor.press("enter")
        assert Path("mine.png").read_text() == "precious"
        assert "Nothing was written" in editor.status
        await export(editor, 0, "mine.png")
        await editor.until(lambda: isinstance(editor.app.screen, ConfirmScreen))
        await editor.press("y")
        await wrote(editor, 1)
        assert Path("mine.png").read_bytes().startswith(b"\x89PNG")


async def test_what_cannot_be_written_is_said(monkeypatch):
    async with Editor() as editor:
        await export(editor, 0, "nowhere/a.png")
        assert "no folder" in str(editor.app.screen.query_one(".problem").content)
        await editor.type("a.gif")
        assert "must end in .png" in str(editor.app.screen.query_one(".problem").content)

        def full(*_arguments, **_settings):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("PIL.Image.Image.save", full)
        await editor.type("a.png")
        await editor.until(lambda: editor.count(WorkFailed) == 1)
        assert "No space left" in editor.status
        assert list(Path().iterdir()) == []
        await editor.press("n")
        await editor.settled()


async def test_save_and_open_a_session():
    async with Editor() as editor:
        await drag(editor)
        await editor.press("ctrl+s")
        await editor.type("cat")
        await wrote(editor, 1)
        assert not editor.screen.changed
        await editor.press("u")
        assert editor.screen.changed
        await editor.press("U", "ctrl+s")
        await wrote(editor, 2)
        drawn = editor.screen.picture
        assert "preview.png" in zipfile.ZipFile("cat.dragonnx").namelist()
        await editor.press("S")
        await editor.type("other.dragonnx")
        await wrote(editor, 3)
    async with Editor(file=Path("cat.dragonnx")) as editor:
        await editor.until(lambda: editor.count(FileOpened) == 1)
        await editor.settled()
        assert np.array_equal(editor.screen.picture, drawn)
        assert editor.document.pairs[0].origin == NOSE
        assert editor.screen.path == Path("cat.dragonnx")


async def test_open_a_picture_a_latent_a_mask_and_nonsense():
    async with Editor() as editor:
        await drag(editor)
        drawn = editor.screen.picture
        await export(editor, 0, "a.png")
        await export(editor, 4, "a.npz")
        await wrote(editor, 2)
        await editor.press("2", "enter")
        await export(editor, 5, "mask.png")
        await wrote(editor, 3)
        mask = editor.document.mask
        await editor.press("n")
        await editor.settled()
        for name in ("a.png", "a.npz", "mask.png"):
            count = editor.count(FileOpened) + 1
            await editor.press("o")
            await editor.type(name)
            await editor.until(lambda count=count: editor.count(FileOpened) >= count)
            await editor.settled()
            assert np.array_equal(editor.screen.picture, drawn)
        assert np.array_equal(editor.document.mask, mask)
        assert editor.document.start.name == "a.npz"
        Path("notes.txt").write_text("no picture")
        await editor.press("ctrl+o")
        await editor.type("missing.png")
        assert "no file" in str(editor.app.screen.query_one(".problem").content)
        await editor.type("notes.txt")
        await editor.until(lambda: editor.count(WorkFailed) == 1)
        assert "cannot be opened" in editor.status


@pytest.mark.parametrize(("answer", "points"), [("y", 1), ("n", 0)])
async def test_lost_work_is_offered(answer, points):
    killed = (
        "import os; from dragonnx.document import *; "
        f"Recovery().save(Document().with_point({NOSE}).with_point({NOSE_NEAR})); "
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", killed], check=False)
    async with Editor() as editor:
        await editor.until(lambda: isinstance(editor.app.screen, ConfirmScreen))
        await editor.press(answer)
        assert len(editor.document.pairs) == points
        assert editor.app.recovery.lost() == []


async def test_every_edit_is_autosaved_and_a_good_end_leaves_nothing():
    async with Editor() as editor:
        await editor.place(NOSE, NOSE_NEAR)
        editor.app.autosave.flush()
        recovery = editor.app.recovery
        assert open_document(recovery._path).pairs[0].target == NOSE_NEAR
    assert not recovery._path.exists()


async def test_keys_can_be_remapped(tmp_path):
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "editor.json").write_text('{"keys": {"next_seed": "z", "nothing": "q"}}')
    async with Editor() as editor:
        await editor.press("n")
        assert editor.document.start.seed == SEED
        await editor.press("z")
        assert editor.document.start.seed == SEED + 1
        titles = [command.title for command in editor.app.get_system_commands(editor.screen)]
        assert "Next seed (z)" in titles


def test_preferences_survive_nonsense(tmp_path):
    path = tmp_path / "editor.json"
    for text in ("[", "[]", '{"keys": 3}'):
        path.write_text(text)
        preferences, _ = Preferences.load(path)
        assert preferences.keys == {}
    Preferences(theme="nord", hint_seen=True).save(path)
    assert Preferences.load(path) == (Preferences(theme="nord", hint_seen=True), "")
    path.write_text('{"keys": {"nothing": "q"}}')
    assert "no action nothing" in Preferences.load(path)[1]


async def test_an_autosave_that_fails_is_said_once_and_the_editor_works(monkeypatch):
    def full(*_arguments, **_settings):
        raise OSError(28, "No space left on device")

    async with Editor() as editor:
        with monkeypatch.context() as patch:
            patch.setattr("zipfile.ZipFile.writestr", full)
            await editor.place(NOSE)
            await editor.until(lambda: editor.count(AutosaveFailed) == 1)
            await editor.place(NOSE_NEAR)
            editor.app.autosave.flush()
        assert editor.count(AutosaveFailed) == 1
        (notice,) = editor.app._notifications
        assert "No space left" in notice.message
        await editor.press("u")
        editor.app.autosave.flush()
        assert len(open_document(editor.app.recovery._path).pairs) == 1


async def test_a_video_of_a_drag(monkeypatch):
    async with Editor() as editor:
        await drag(editor)
        with monkeypatch.context() as patch:
            patch.setattr("importlib.util.find_spec", lambda _name: None)
            await export(editor, 2, "drag.mp4")
            problem = str(editor.app.screen.query_one(".problem").content)
            assert "pip install 'dragonnx[video]'" in problem
        pytest.importorskip("av")
        await editor.press("enter")
        await wrote(editor, 1)
    assert b"ftyp" in Path("drag.mp4").read_bytes()[:16]
    assert list(Path().iterdir()) == [Path("drag.mp4")]
