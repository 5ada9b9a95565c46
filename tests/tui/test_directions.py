"""Sliders along directions, beside the picture."""

from __future__ import annotations

import numpy as np
from editor.sliding_model import SlidingModel
from support.bundled import SEED
from support.terminal_editor import TerminalEditor, problem
from textual import events

from dragonnx.model.bundle import read_manifest
from dragonnx.model.generator import Generator
from dragonnx.model.library import find_bundle
from dragonnx.model.motion import Motion
from dragonnx.tui.screens.directions import DirectionsScreen
from dragonnx.tui.widgets.sliders import Sliders


def amounts(editor) -> dict[str, float]:
    return {each.name: each.amount for each in editor.document.start.directions}


async def test_sliders_move_by_keys_and_mouse_and_the_picture_follows():
    async with TerminalEditor() as editor:
        first = editor.state.picture
        await editor.press("E")
        directions = editor.app.editor.directions
        await editor.until(lambda: directions.sliders()[2].is_known)
        await editor.press("right", "right", "shift+right", "down", "left")
        assert amounts(editor) == {"pc0": 1.4, "pc1": -0.2}
        sliders = editor.app.screen.query_one(Sliders)
        click = [events.MouseDown, events.MouseUp, events.Click]
        await editor.pilot._post_mouse_events(click, sliders, (20, 2), button=1)
        await editor.pilot._post_mouse_events([events.MouseScrollDown], sliders, (3, 2), button=0)
        await editor.rest()
        assert amounts(editor)["pc2"] == 4.8, "pressed at the end of the bar, then the wheel"
        await editor.until(lambda: editor.state.shows_document)
        assert isinstance(editor.app.screen, DirectionsScreen), "it is beside the picture"
        assert not np.array_equal(editor.state.picture, first)
        np.testing.assert_array_equal(editor.screen.canvas.scene.picture, editor.state.picture)
        await editor.press("0")
        assert amounts(editor)["pc2"] == 0
        await editor.press("u", "u", "escape", "u")
        assert amounts(editor) == {}
        await editor.settled()
        np.testing.assert_array_equal(editor.state.picture, first)


async def test_a_file_is_named_in_the_line(tmp_path):
    model = read_manifest(find_bundle("critters"))
    np.save(tmp_path / "d.npy", np.ones((3, model.w_dim), np.float32))
    async with TerminalEditor() as editor:
        await editor.press("E", "tab")
        await editor.type(f"{tmp_path}/gone.npy")
        assert "There is no file" in problem(editor)
        await editor.type(f"{tmp_path}/d.npy#1")
        directions = editor.app.editor.directions
        await editor.until(lambda: directions.sliders()[0].is_known)
        assert directions.sliders()[0].name == "d.npy#1"
        await editor.press("right")
        assert amounts(editor) == {"d.npy#1": 0.2}
        assert editor.document.start.describe() == f"seed {SEED} + d.npy#1:0.2"
        await editor.press("escape")
        await editor.settled()


async def test_turning_goes_in_larger_steps(monkeypatch):
    model = SlidingModel("critters", turns=True)
    monkeypatch.setattr(Generator, "open", lambda *_, **__: model)
    async with TerminalEditor() as editor:
        await editor.press("E")
        sliders = editor.app.editor.directions.sliders()
        await editor.until(lambda: all(s.is_known for s in editor.app.editor.directions.sliders()))
        at = [each.name for each in sliders].index("turn deg")
        await editor.press(*["down"] * at, "right", "shift+right", "down", "left")
        assert editor.document.start.motion == Motion(12, (-1, 0))
        shown = editor.app.screen.query_one(Sliders)
        click = [events.MouseDown, events.MouseUp, events.Click]
        await editor.pilot._post_mouse_events(click, shown, (20, at), button=1)
        await editor.rest()
        assert editor.document.start.motion == Motion(50, (-1, 0)), "the end of the bar"
        await editor.press("0", "down", "0")
        assert editor.document.start.is_seed
