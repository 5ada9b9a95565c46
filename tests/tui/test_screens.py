"""Views, help, the palette, leaving; and that every action can be reached."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from support.bundled import SEED
from support.terminal_editor import TerminalEditor
from textual import events
from textual.command import CommandPalette
from textual.widgets import Input, Label, OptionList
from textual.widgets._footer import FooterKey

from dragonnx.editor.events import Exported
from dragonnx.editor.tools import Tool
from dragonnx.errors import InputError
from dragonnx.tui.actions import ACTIONS
from dragonnx.tui.drawing.cells import CanvasMode
from dragonnx.tui.screens.help import HelpScreen
from dragonnx.tui.viewer import open_outside
from dragonnx.tui.widgets.side_panel import SidePanel
from dragonnx.tui.widgets.tool_strip import ToolStrip


async def test_view_and_modes():
    async with TerminalEditor() as editor:
        canvas = editor.screen.canvas
        await editor.press("plus")
        assert canvas.view.zoom > 1
        middle = canvas.view.middle
        await editor.press("ctrl+right")
        assert canvas.view.middle[0] > middle[0]
        await editor.press("ctrl+left", "ctrl+up", "ctrl+down", "minus", "0")
        assert canvas.view.zoom == 1
        modes = []
        for _ in range(4):
            await editor.press("a")
            modes.append(canvas.mode)
        assert set(modes) == set(CanvasMode) - {CanvasMode.PIXELS}
        await editor.press("f")
        assert not editor.screen.query_one(SidePanel).display
        theme = editor.app.theme
        await editor.press("f4")
        assert editor.app.theme != theme
        await editor.pilot._post_mouse_events([events.MouseScrollUp],
                                              canvas, (20, 10), button=0)  # fmt: skip
        await editor.rest()
        assert canvas.view.zoom > 1


async def test_the_palette_finds_and_runs_an_action():
    async with TerminalEditor() as editor:
        await editor.press("ctrl+p")
        palette = editor.app.screen
        assert isinstance(palette, CommandPalette)
        palette.query_one(Input).value = "next seed"
        commands = palette.query_one(OptionList)
        await editor.until(lambda: commands.option_count == 1)
        await editor.press("enter")
        await editor.until(lambda: editor.document.start.seed == SEED + 1)
        assert editor.app.screen is editor.screen


@pytest.mark.parametrize(
    ("query", "label"), [("stays fixed", "Fixed brush"), ("clipboard", "Copy command")]
)
async def test_the_palette_finds_an_action_by_words_of_its_description(query, label):
    async with TerminalEditor() as editor:
        await editor.press("ctrl+p")
        palette = editor.app.screen
        palette.query_one(Input).value = query
        commands = palette.query_one(OptionList)

        def labels() -> str:
            options = [commands.get_option_at_index(k).prompt for k in range(commands.option_count)]
            return " ".join(map(str, options))

        await editor.until(lambda: label in labels())


async def test_the_command_of_a_drag_goes_to_the_clipboard():
    async with TerminalEditor() as editor:
        await editor.press("Y")
        assert "no drag to write down" in editor.status
        await editor.place((20, 20), (30, 40))
        await editor.press("Y")
        assert editor.app.clipboard.startswith("dragonnx drag --model critters --seed 40 --point ")


async def test_what_was_exported_opens_in_the_systems_viewer(monkeypatch, tmp_path):
    opened = []
    monkeypatch.setattr("dragonnx.tui.screens.editor.open_outside", opened.append)
    async with TerminalEditor() as editor:
        await editor.press("V")
        assert "Nothing was exported" in editor.status
        editor.app.editor.files.exported(Exported(tmp_path / "a.png"))
        await editor.press("V")
        assert opened == [tmp_path / "a.png"]


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="they always have a viewer")
def test_without_a_screen_no_viewer_is_started(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InputError, match="no viewer"):
        open_outside(Path("a.png"))


def help_heading(editor) -> str:
    assert isinstance(editor.app.screen, HelpScreen)
    return str(editor.app.screen.query(Label).first().content)


async def test_the_mouse_reaches_every_action():
    async with TerminalEditor(size=(80, 24)) as editor:
        keys = {str(key.description): key for key in editor.screen.query(FooterKey)}
        assert max(key.region.right for key in keys.values()) <= 80
        await editor.pilot.click(keys["All"])
        commands = editor.app.screen.query_one(OptionList)
        await editor.until(lambda: commands.option_count > 40)
        at = next(
            k for k in range(commands.option_count)
            if "Fixed brush" in str(commands.get_option_at_index(k).prompt)
        )  # fmt: skip
        commands.highlighted = at
        await editor.rest()
        commands.action_select()
        await editor.until(lambda: editor.state.tool is Tool.FIXED)


async def test_the_mouse_uses_every_tool():
    async with TerminalEditor(size=(80, 24)) as editor:
        strip = editor.screen.query_one(ToolStrip)
        assert strip.region.right <= 80
        shown = str(strip.content)
        assert len(shown.split()) == len(Tool)
        assert strip.size.width >= len(shown.rstrip())
        used = set()
        for name in shown.split():
            await editor.pilot.click(strip, offset=(shown.index(name) + 1, 0))
            used.add(editor.state.tool)
            span = next(each for each in strip.content.spans if "reverse" in str(each.style))
            assert shown[span.start : span.end] == name, "it stands out"
        assert used == set(Tool)


async def test_help_tells_of_what_is_in_use():
    async with TerminalEditor() as editor:
        await editor.press("f1")
        assert help_heading(editor) == "dragonnx"
        await editor.press("escape", "2", "question_mark")
        assert help_heading(editor) == "Movable brush"
        await editor.press("escape", "1", "question_mark")
        assert help_heading(editor) == "Points"
        await editor.press("escape")
        for widget, heading in (("#panel", "Side panel"), ("#status", "Status line")):
            await editor.pilot.hover(widget)
            await editor.press("question_mark")
            assert help_heading(editor) == heading
            await editor.press("escape")


@pytest.mark.parametrize(
    ("key", "ask", "heading"),
    [
        ("m", "question_mark", "Model"),
        ("k", "question_mark", "Contact sheet"),
        ("comma", "f1", "Settings of the drag"),
        ("e", "question_mark", "Export"),
        ("s", "f1", "Seed"),
        ("o", "f1", "Open"),
    ],
)
async def test_every_dialog_has_help(key, ask, heading):
    async with TerminalEditor() as editor:
        await editor.press(key, ask)
        assert help_heading(editor) == heading
        await editor.press("escape")
        assert not isinstance(editor.app.screen, HelpScreen | type(editor.screen))
        await editor.press("escape")
        assert editor.app.screen is editor.screen


def test_every_action_is_done_by_somebody_and_ids_are_unique():
    from dragonnx.tui.actions import ASK, VIEW
    from dragonnx.tui.app import EditorApp
    from dragonnx.tui.questions import Questions
    from dragonnx.tui.screens.editor import EditorScreen

    ids = [action.id for action in ACTIONS]
    assert len(ids) == len(set(ids))
    for action in ACTIONS:
        if action.run == ASK:
            assert hasattr(Questions, action.id), action.id
        elif action.run == VIEW:
            name = f"action_{action.call.split('(')[0]}"
            assert hasattr(EditorScreen, name) or hasattr(EditorApp, name), action.id
        assert action.help.endswith(".")
    keys = [key for action in ACTIONS for key in action.keys.split(",")]
    assert len(keys) == len(set(keys))


async def test_every_command_of_the_table_can_be_called():
    async with TerminalEditor() as editor:
        for action in ACTIONS:
            if callable(action.run):
                editor.screen.action_command(action.id)
        await editor.settled()


async def test_what_does_not_fit_says_so():
    async with TerminalEditor(size=(80, 24)) as editor:
        editor.state.say("a sentence of many words, " * 10)
        await editor.rest()
        lines = [
            "".join(s.text for s in strip)
            for strip in editor.app.screen._compositor.render_strips()
        ]
        assert lines[22].rstrip().endswith("…")
        panel = editor.screen.query_one(SidePanel)
        path = "/a/folder/of/models/with-a-name-that-is-too-long"
        editor.state.history.apply("test", editor.document.with_model(path))
        editor.state.model = None
        for plain, end in ((False, "…"), (True, "...")):
            panel.show(editor.app.editor, plain=plain)
            first = str(panel.content).splitlines()[0]
            assert first.startswith("Model  with-a-name")
            assert first.endswith(end)
            assert len(first) == 26
