"""Files at hand where a path is asked for: recent ones, the folder's, and those dropped on the terminal."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.terminal_editor import TerminalEditor
from textual import events
from textual.widgets import OptionList

from dragonnx.document import Document, LatentStart, save_document
from dragonnx.editor.events import FileOpened
from dragonnx.paths import pasted_path
from dragonnx.tui.screens.path import PathLine, PathScreen


def listed(editor: TerminalEditor) -> list[str]:
    choices = editor.app.screen.query_one(OptionList)
    return [str(choices.get_option_at_index(k).prompt) for k in range(choices.option_count)]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "files"
    (folder / "more").mkdir(parents=True)
    for seed, name in enumerate(("a.dragonnx", "b one.dragonnx", "more/c.dragonnx"), 5):
        save_document(Document(start=LatentStart(seed)), folder / name)
    monkeypatch.chdir(folder)
    return folder


async def test_the_folder_is_listed_and_looked_into(files: Path) -> None:
    async with TerminalEditor() as editor:
        await editor.press("o")
        assert listed(editor) == ["a.dragonnx", "b one.dragonnx", f"more{os.sep}"]
        await editor.press("m")
        assert listed(editor) == [f"more{os.sep}"]
        await editor.press("down", "enter")
        assert isinstance(editor.app.screen, PathScreen)
        assert editor.app.screen.query_one(PathLine).value == f"more{os.sep}"
        assert listed(editor) == [f"more{os.sep}c.dragonnx"]
        await editor.press("down", "enter")
        await editor.until(lambda: editor.document.start.seed == 7)
        await editor.settled()
        await editor.press("o")
        assert listed(editor)[0] == str(files / "more" / "c.dragonnx"), "it was opened last"
        await editor.press("down", "enter")
        await editor.until(lambda: editor.count(FileOpened) == 2)
        await editor.settled()


async def test_a_file_that_is_dropped_on_the_terminal_is_opened(files: Path) -> None:
    async with TerminalEditor() as editor:
        editor.app.post_message(events.Paste(f"'{files / 'b one.dragonnx'}' "))
        await editor.until(lambda: editor.document.start.seed == 6)
        await editor.settled()
        editor.app.post_message(events.Paste("no such file"))
        await editor.until(lambda: editor.status == "There is no file no such file")
        await editor.press("o")
        editor.app.post_message(events.Paste((files / "a.dragonnx").as_uri()))
        line = editor.app.screen.query_one(PathLine)
        await editor.until(lambda: line.value == str(files / "a.dragonnx"))
        await editor.press("enter")
        await editor.until(lambda: editor.document.start.seed == 5)
        await editor.settled()


@pytest.mark.skipif(os.name == "nt", reason="as terminals of Unix paste paths")
@pytest.mark.parametrize(
    ("pasted", "path"),
    [
        ("/a/b.png", "/a/b.png"),
        (" /a/b.png\n", "/a/b.png"),
        ("'/a/it is.png'", "/a/it is.png"),
        ('"/a/it is.png"', "/a/it is.png"),
        (r"/a/it\ is\'s.png", "/a/it is's.png"),
        ("file:///a/it%20is.png", "/a/it is.png"),
        ("FILE://host/a.png", "/a.png"),
        ("'/a/open.png", "'/a/open.png"),
        ("it's", "it's"),
        ("file://", "file://"),
        ("/a b.png", "/a b.png"),
        ("", ""),
    ],
)
def test_pasted_paths_are_as_typed(pasted: str, path: str) -> None:
    assert pasted_path(pasted) == path
