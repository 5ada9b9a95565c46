"""What strangers wrote, on every screen of the editor: shown as it is, no markup, no commands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.cells import cell_len
from support.bundled import NOSE, NUM_WS, W_DIM
from support.hostile import MARKUP, NAME, SHOWN_ESCAPES, assert_harmless, hostile_bundle
from support.pseudo_terminal import PseudoTerminal
from support.terminal_editor import TerminalEditor
from textual.widgets import Input

from dragonnx.document import Document, LatentStart, save_document
from dragonnx.editor.events import FileOpened, PhotoFound, TaskFailed
from dragonnx.text import visible
from dragonnx.tui.screens.confirm import ConfirmScreen
from dragonnx.tui.screens.lost_work import LostWorkScreen
from dragonnx.tui.widgets.literal import Line

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no such names on Windows")

WIDE = (300, 40)
"""So that long names are shown whole."""
NAME_IN_A_LINE = re.sub(r"[^ -~|]", "\N{REPLACEMENT CHARACTER}", NAME)
DIALOG = ".dialog"
TOAST = "Toast"


def painted(editor: TerminalEditor, part: str = "") -> str:
    """What is on the screen, or in a part of it, without spaces and line breaks.

    All that goes to the terminal is looked at, whatever the part.
    """
    screen = editor.app.screen
    strips = screen._compositor.render_strips()
    for strip in strips:
        assert cell_len(strip.text) == editor.size[0], strip.text
        assert visible(strip.text) == strip.text, strip.text
    region = screen.query(part).last().content_region if part else screen.region
    rows = (strips[row].crop(*region.column_span).text for row in region.line_range)
    return "".join("".join(rows).split())


def shown(text: str) -> str:
    return "".join(visible(text).split())


async def test_the_documents_own_names_are_shown_as_they_are(tmp_path: Path) -> None:
    bundle = hostile_bundle(tmp_path)
    path = Path(f"{NAME}.dragonnx")
    start = LatentStart(w_plus=np.zeros((1, NUM_WS, W_DIM), np.float32), name=NAME)
    save_document(Document(model=str(bundle), start=start), path)
    async with TerminalEditor(size=WIDE, file=path) as editor:
        await editor.came(FileOpened)
        await editor.settled()
        screen = painted(editor)
        assert shown(f"dragonnx  {path.name}") in screen, "the title"
        assert f"Model{SHOWN_ESCAPES[:10]}" in screen
        assert f"Start{SHOWN_ESCAPES[:10]}" in screen
        await editor.press("u", "U")
        assert shown(f"Did again: open {path.name}.") in painted(editor)
        await editor.press("ctrl+s")
        await editor.until(lambda: "Saved" in editor.status)
        assert shown(f"Saved {path}.") in painted(editor)
        await editor.press("S")
        assert shown(NAME_IN_A_LINE)[-30:] in painted(editor, DIALOG)
        assert editor.app.screen.query_one(Line).value == str(path), (
            "what is typed stays the file's name"
        )
        await editor.press("enter")
        await editor.until(lambda: "Saved" in editor.status)
        await editor.press("e")
        assert shown(NAME_IN_A_LINE)[-30:] in painted(editor, DIALOG)
        await editor.press("enter", "enter")
        await editor.until(lambda: "Wrote" in editor.status)
        assert shown(f"Wrote {NAME}.png.") in painted(editor)
        await editor.press("e", "enter")
        editor.app.screen.query_one(Line).value = f"{NAME}.png"
        await editor.press("enter")
        assert isinstance(editor.app.screen, ConfirmScreen)
        assert shown(f"{NAME}.png exists.") in painted(editor, DIALOG)


async def test_models_are_listed_and_refused_as_they_are_called(tmp_path: Path) -> None:
    hostile_bundle(tmp_path / "models")
    broken = tmp_path / "models" / f"broken {NAME}"
    broken.mkdir()
    (broken / "manifest.json").write_text('{"\\u001b[2J": 1}', "utf-8")
    async with TerminalEditor(size=WIDE, toasts=True) as editor:
        await editor.press("m")
        screen = painted(editor, DIALOG)
        assert shown(f"{NAME}  256 x 256 px") in screen
        assert shown(f"broken {NAME}  damaged: the bundle {broken}") in screen
        await editor.press("tab")
        await editor.type(str(broken))
        await editor.came(TaskFailed)
        await editor.until(lambda: len(editor.app.screen.query(TOAST)) > 0)
        await editor.rest()
        refusal = painted(editor, TOAST)
        assert shown(f"Could not open the model {broken}") in refusal
        assert shown(f"the bundle {broken} cannot be used") in refusal
        editor.state.warn("Autosave does not work", f"{NAME} cannot be written")
        await editor.until(lambda: len(editor.app.screen.query(TOAST)) > 1)
        await editor.rest()
        assert shown(f"Autosave does not work {NAME} cannot be written") in painted(editor, TOAST)


async def test_files_are_asked_for_and_refused_as_they_are_called() -> None:
    Image.linear_gradient("L").convert("RGB").save(f"{NAME}.png")
    Path(f"{NAME}.npz").write_text("nothing")
    undecodable = Path(os.fsdecode(b"\xff\xfe.png"))
    async with TerminalEditor(size=WIDE) as editor:
        await editor.press("o")
        editor.app.screen.query_one(Line).value = NAME[:5]
        await editor.until(lambda: editor.app.screen.query_one(Line)._suggestion)
        painted(editor)
        await editor.type(f"{NAME}.npz")
        await editor.came(TaskFailed)
        assert shown(
            f"Could not open {NAME}.npz: {NAME}.npz cannot be opened: it is no picture that can be read"
        ) in painted(editor)
        await editor.press("o")
        await editor.type(f"{NAME}.nothing")
        assert shown(f"{NAME}.nothing") in painted(editor, DIALOG)
        await editor.press("escape", "o")
        await editor.type(str(undecodable))
        assert r"\udcff\udcfe.png" in painted(editor, DIALOG)
        await editor.press("escape", "o")
        await editor.type(f"{NAME}.png")
        await editor.came(PhotoFound)
        await editor.rest()
        assert shown(f"{NAME_IN_A_LINE}.png")[-30:] in painted(editor, DIALOG)


async def test_lost_work_is_called_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / f"{NAME}.dragonnx"
    killed = (
        "import os, sys; from pathlib import Path; from dragonnx.document import *; "
        f"Recovery().save(Document().with_point({NOSE}), Path(sys.argv[1])); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", killed, str(path)], check=False)
    async with TerminalEditor(size=WIDE) as editor:
        await editor.until(lambda: isinstance(editor.app.screen, LostWorkScreen))
        await editor.rest()
        assert shown(path.name)[:30] in painted(editor, DIALOG)


async def test_a_last_look_finds_what_was_forgotten() -> None:
    """Even what Textual shows itself, of which nothing was made visible, sends no control."""
    async with TerminalEditor(size=WIDE, toasts=True) as editor:
        editor.app.notify(NAME + "\udcff", title=NAME, markup=False)
        await editor.until(lambda: len(editor.app.screen.query(TOAST)) > 0)
        await editor.rest()
        assert shown(f"owned[2J31mgnp{MARKUP}").replace("/", "|") in painted(editor, TOAST)


async def test_keys_of_the_users_file_are_no_markup(tmp_path: Path) -> None:
    folder = tmp_path / "config"
    folder.mkdir()
    keys = '{"keys": {"next_seed": "z,[red]", "\\u001b[red]": "q"}, "mode": "[red]"}'
    (folder / "editor.json").write_text(keys, "utf-8")
    async with TerminalEditor(size=WIDE, toasts=True) as editor:
        assert r"\x1b[red]" in painted(editor)
        await editor.press("f1")
        assert "[red]" in painted(editor)
        await editor.press("escape", "ctrl+p")
        editor.app.screen.query_one(Input).value = "next seed"
        await editor.until(lambda: shown("Next seed (z [red]") in painted(editor))


def test_the_real_terminal_is_sent_nothing_of_theirs(tmp_path: Path) -> None:
    hostile_bundle(tmp_path / "models")
    work = tmp_path / "work"
    path = work / f"{NAME}.dragonnx"
    save_document(Document(), path)
    environment = os.environ | {"DRAGONNX_MODELS": str(tmp_path / "models"), "LANG": "C.UTF-8"}
    command = [sys.executable, "-m", "dragonnx.cli", "edit", path.name]
    with PseudoTerminal(command, environment, work, WIDE) as terminal:
        terminal.wait("Opened ")
        terminal.press("m")
        terminal.wait("256 x 256 px")
        terminal.wait("Esc leaves")
    assert_harmless(terminal.written)
    assert rb"\x1b]0;owned\x07" in terminal.written


def test_screens_show_text_by_what_shows_it_as_it_is() -> None:
    """Textual's own widgets for text read markup, unless they are told at each place."""
    import dragonnx.tui

    for path in Path(dragonnx.tui.__file__).parent.rglob("*.py"):
        if path.name != "literal.py":
            made = re.findall(r"\b(?:Label|OptionList|Option|Input)\(", path.read_text("utf-8"))
            assert made == [], path.name
