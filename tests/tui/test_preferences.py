"""What a user chooses and the editor remembers: keys, theme, canvas mode, hint seen."""

from __future__ import annotations

from support.bundled import NOSE, NOSE_NEAR, SEED
from support.terminal_editor import TerminalEditor

from dragonnx.model.generator import Generator
from dragonnx.tui.drawing.cells import CanvasMode
from dragonnx.tui.preferences import Preferences


async def test_keys_can_be_remapped(tmp_path):
    folder = tmp_path / "config"
    folder.mkdir()
    text = '{"keys": {"next_seed": "z", "nothing": "q"}}'
    (folder / "editor.json").write_text(text, "utf-8")
    async with TerminalEditor() as editor:
        (toast,) = editor.app._notifications
        assert "no action nothing" in toast.message
        await editor.press("n")
        assert editor.document.start.seed == SEED
        await editor.press("z")
        assert editor.document.start.seed == SEED + 1
        titles = [command.title for command in editor.app.get_system_commands(editor.screen)]
        assert "Next seed (z)" in titles


async def test_mode_theme_and_the_first_hint_are_remembered():
    async with TerminalEditor() as editor:
        assert "Click what to move" in editor.status
        await editor.press("a", "f4")
        mode, theme = editor.screen.canvas.mode, editor.app.theme
        await editor.place(NOSE, NOSE_NEAR)
    async with TerminalEditor() as editor:
        assert "Click what to move" not in editor.status
        assert editor.screen.canvas.mode is mode is CanvasMode.HALF_BLOCKS_256
        assert editor.app.theme == theme


def test_preferences_survive_nonsense(tmp_path):
    path = tmp_path / "editor.json"
    for text in ("[", "[]", '{"keys": 3}'):
        path.write_text(text, "utf-8")
        preferences, _ = Preferences.load(path)
        assert preferences.keys == {}
    Preferences(theme="nord", hint_seen=True).save(path)
    assert Preferences.load(path) == (Preferences(theme="nord", hint_seen=True), "")
    path.write_text('{"keys": {"nothing": "q"}}', "utf-8")
    assert "no action nothing" in Preferences.load(path)[1]
    path.write_text('{"precision": "float16"}', "utf-8")
    preferences, told = Preferences.load(path)
    assert preferences.precision == "auto"
    assert "auto, float32 or tf32, not 'float16'" in told


async def test_the_file_says_what_precision_auto_is(tmp_path, monkeypatch, critters):
    asked = []

    def open_model(_model, *_arguments, precision):
        asked.append(precision)
        return critters

    monkeypatch.setattr(Generator, "open", open_model)
    Preferences(precision="float32").save(tmp_path / "config" / "editor.json")
    for precision in ("auto", "tf32"):
        async with TerminalEditor(precision=precision):
            pass
    assert asked == ["float32", "tf32"]
