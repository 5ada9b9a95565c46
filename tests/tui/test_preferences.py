"""What a user chooses and the editor remembers: keys, theme, canvas mode, hint seen."""

from __future__ import annotations

import os

import pytest
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
        assert "no action 'nothing'" in toast.message
        await editor.press("n")
        assert editor.document.start.seed == SEED
        await editor.press("z")
        assert editor.document.start.seed == SEED + 1
        titles = [command.title for command in editor.app.get_system_commands(editor.screen)]
        assert "Next seed (z)" in titles


@pytest.mark.parametrize(
    "text",
    [
        '{"keys": {"drag": "g"},}',
        '{"keys": {"drag": "g", "stp": "h"}}',
        '{"keys": {}, "themes": "nord"}',
    ],
)
async def test_a_file_that_is_not_understood_whole_is_left_as_it_is(tmp_path, text):
    path = tmp_path / "config" / "editor.json"
    path.parent.mkdir()
    path.write_text(text, "utf-8")
    async with TerminalEditor() as editor:
        (toast,) = editor.app._notifications
        assert "the file is left as it is" in toast.message
        await editor.press("f4")
    assert path.read_text("utf-8") == text


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
    assert "no action 'nothing'" in Preferences.load(path)[1]
    path.write_text('{"precision": "float16"}', "utf-8")
    preferences, told = Preferences.load(path)
    assert preferences.precision == "auto"
    assert "auto, float32 or tf32, not 'float16'" in told


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ('{"theme": 3, "mode": "x"}', "theme must be a text, not 3"),
        ('{"theme": "t\\u001b[2J"}', "theme must be a text that can be shown"),
        ('{"mode": null}', "mode must be a text, not None"),
        ('{"hint_seen": 1}', "hint_seen must be true or false, not 1"),
        ('{"keys": 3}', "keys must hold values by name, not 3"),
        ('{"keys": {"drag": 3}}', "keys.drag must be a text, not 3"),
        ('{"keys": {"drag": "\\ud83d"}}', "keys.drag"),  # half a character: Textual would hang
        ('{"theme": "nord", "theme": "nord"}', "the name 'theme' comes twice"),
        ("[" * 100_000, "more than 32 lists and objects"),
        (" " * 2**21, "too large"),
    ],
)
def test_what_cannot_be_used_is_told_and_the_rest_is_used(tmp_path, facts, sentence):
    path = tmp_path / "editor.json"
    path.write_text(facts, "utf-8")
    preferences, told = Preferences.load(path)
    assert sentence in told
    assert preferences == Preferences(mode="x" if '"x"' in facts else "")


def test_a_pipe_in_the_files_place_is_not_waited_for(tmp_path):
    if os.name == "nt":
        pytest.skip("there are no such files there")
    os.mkfifo(tmp_path / "editor.json")
    assert "it is no file but a pipe" in Preferences.load(tmp_path / "editor.json")[1]


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


def test_a_key_that_another_action_has_is_refused_with_both_names(tmp_path):
    path = tmp_path / "editor.json"
    for keys, sentence, used in (
        ('{"drag": "n"}', "'n' cannot be the key of drag: next_seed has it", {}),
        ('{"drag": "g", "step": "g"}', "drag", {"step": "g"}),
        ('{"drag": "space,ctrl+s"}', "save has it", {}),
        ('{"next_seed": "p", "previous_seed": "n"}', "", {"next_seed": "p", "previous_seed": "n"}),
        ('{"next_seed": "z", "drag": "n"}', "", {"next_seed": "z", "drag": "n"}),
    ):
        path.write_text(f'{{"keys": {keys}}}', "utf-8")
        preferences, told = Preferences.load(path)
        assert sentence in told
        assert bool(told) == bool(sentence)
        assert preferences.keys == used
