"""The menu on a point: by its key, and by the right button."""

from __future__ import annotations

from support.terminal_editor import TerminalEditor
from textual import events
from textual.widgets import OptionList

from dragonnx.tui.screens.choice import ChoiceScreen


def listed(editor: TerminalEditor) -> list[str]:
    choices = editor.app.screen.query_one(OptionList)
    return [str(choices.get_option_at_index(k).prompt) for k in range(choices.option_count)]


async def press_right(editor: TerminalEditor, cell: tuple[int, int]) -> None:
    mouse = [events.MouseDown, events.MouseUp]
    await editor.pilot._post_mouse_events(mouse, editor.screen.canvas, cell, button=3)
    await editor.rest()


async def test_the_menu_does_all_that_keys_do():
    async with TerminalEditor() as editor:
        await editor.press("M")
        assert editor.status == "Select a point first: Tab, or the right button on it."
        await editor.press("enter", *["right"] * 30, "enter")
        (pair,) = editor.document.pairs
        await press_right(editor, editor.cell((5, 5)))
        assert editor.app.screen is editor.screen, "there is no point"
        await press_right(editor, editor.cell((int(pair.target[0]), int(pair.target[1]))))
        assert isinstance(editor.app.screen, ChoiceScreen)
        assert [line.split()[0] for line in listed(editor)] == [
            "Pick",
            "Pick",
            "Switch",
            "Swap",
            "Delete",
        ]
        await editor.press("down", "down", "enter")
        assert not editor.document.pairs[0].is_on
        await editor.press("M")
        assert listed(editor)[2] == "Switch it on (O)"
        await editor.press("down", "down", "down", "enter")
        (swapped,) = editor.document.pairs
        assert (swapped.handle, swapped.target) == (pair.target, pair.handle)
        await editor.press("X")
        assert editor.document.pairs[0].handle == pair.handle
        await editor.press("M", "down", "enter", "right", "enter")
        assert editor.document.pairs[0].target == (pair.target[0] + 1, pair.target[1])
        await editor.press("M", "up", "enter")
        assert editor.document.pairs == ()
        await editor.press("u")
        assert len(editor.document.pairs) == 1


async def test_a_right_drag_still_pans():
    async with TerminalEditor() as editor:
        await editor.press("enter", "plus", "plus", "plus")
        at = editor.cell(editor.state.cursor)
        canvas = editor.screen.canvas
        before = canvas.view
        for kind, cell in ((events.MouseDown, at), (events.MouseMove, (at[0] + 3, at[1]))):
            await editor.pilot._post_mouse_events([kind], canvas, cell, button=3)
        await editor.pilot._post_mouse_events(
            [events.MouseUp], canvas, (at[0] + 3, at[1]), button=3
        )
        await editor.rest()
        assert canvas.view != before
        assert editor.app.screen is editor.screen


async def test_a_point_without_target_has_a_shorter_menu():
    async with TerminalEditor() as editor:
        await editor.press("enter", "M")
        assert [line.split()[0] for line in listed(editor)] == ["Pick", "Switch", "Delete"]
        await editor.press("escape", "X")
        assert editor.status == "Point 1 has no target yet."
