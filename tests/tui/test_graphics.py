"""Real pixels: the escape sequences of both protocols, what is drawn, and finding them."""

from __future__ import annotations

import base64
import os
import re
import select
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image, ImageFilter
from support.bundled import FAR, NOSE
from support.terminal_editor import TerminalEditor

from dragonnx.document import PointPair
from dragonnx.editor.events import DragProgressed
from dragonnx.editor.scene import Scene
from dragonnx.tui.drawing.cell_scene import HANDLE, TARGET
from dragonnx.tui.drawing.cells import HALF_BLOCK, CanvasMode
from dragonnx.tui.drawing.geometry import Viewport
from dragonnx.tui.drawing.graphics import Graphics, PixelStripMaker, Protocol, kitty, sixel
from dragonnx.tui.drawing.pixel_scene import compose_pixels
from dragonnx.tui.terminal import QUESTIONS, find_graphics, protocol_of

CELL = (8, 16)


def smooth_raster(rows: int, columns: int) -> np.ndarray:
    noise = np.random.default_rng(5).integers(0, 256, (rows, columns, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(noise).filter(ImageFilter.GaussianBlur(3)))


def kitty_pixels(escapes: str, height: int, width: int) -> np.ndarray:
    chunks = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", escapes)
    assert all("m=1" in facts for facts, _ in chunks[:-1])
    assert "m=0" in chunks[-1][0]
    assert all(len(content) <= 4096 for _, content in chunks)
    assert f"s={width},v={height}," in chunks[0][0]
    content = base64.b64decode("".join(content for _, content in chunks))
    return np.frombuffer(zlib.decompress(content), np.uint8).reshape(height, width, 3)


def sixel_pixels(escapes: str) -> np.ndarray:
    """Reads sixels as a terminal does."""
    body = re.search(r"\x1bP[\d;]*q(.*)\x1b\\", escapes, re.DOTALL)[1]
    width, height = map(int, re.match(r'"1;1;(\d+);(\d+)', body).groups())
    pixels = np.zeros((-(-height // 6) * 6, width, 3))
    palette, colour, x, top = {}, 0, 0, 0
    words = r"#(\d+);2;(\d+);(\d+);(\d+)|#(\d+)|!(\d+)(.)|([$-])|([?-~])"
    for word in re.finditer(words, body[body.index("#") :]):
        number, r, g, b, chosen, times, repeated, move, single = word.groups()
        if number:
            palette[int(number)] = np.array([r, g, b], float) * 2.55
        elif chosen:
            colour = int(chosen)
        elif move:
            x, top = 0, top + 6 * (move == "-")
        else:
            for _ in range(int(times or 1)):
                bits = ord(repeated or single) - 63
                for k in range(6):
                    if bits >> k & 1:
                        pixels[top + k, x] = palette[colour]
                x += 1  # noqa: SIM113 other words move it too
    return pixels[:height]


@pytest.mark.parametrize(("height", "width"), [(16, 40), (20, 333), (7, 8)])
def test_both_protocols_carry_the_pixels(height, width):
    raster = smooth_raster(height, width)
    assert np.array_equal(kitty_pixels(kitty(raster, 5, 3), height, width), raster)
    shown = sixel_pixels(sixel(raster, 5, 3))
    assert shown.shape == raster.shape
    assert np.abs(shown - raster).mean() < 6
    for encode in (kitty, sixel):
        assert encode(raster, 5, 3).startswith(("\x1b[0m\x1b7", "\x1b7"))
        assert encode(raster, 5, 3).endswith("\x1b8\x1b[5C")


@pytest.mark.parametrize("protocol", Protocol)
def test_only_rows_that_differ_are_sent(protocol):
    maker = PixelStripMaker(protocol)
    raster = smooth_raster(64, 40).copy()
    assert maker.update(raster.copy(), 16, 5, dict) == [0, 1, 2, 3]
    assert maker.update(raster.copy(), 16, 5, dict) == []
    raster[40] += 9
    assert maker.update(raster.copy(), 16, 5, dict) == [2]
    assert maker.update(raster[:32].copy(), 16, 5, dict) == [0, 1]


def test_what_lies_over_the_picture_is_drawn_into_it():
    mask = np.ones((64, 64), bool)
    mask[40:] = False
    scene = Scene(
        np.full((64, 64, 3), 90, np.uint8),
        mask=mask,
        pairs=(PointPair((10, 10), (50, 30)),),
        cursor=(30, 55),
        trails=np.array([[[5.0, 20.0]], [[5.0, 35.0]]]),
    )
    view = Viewport((64, 64), (64, 32))
    raster = compose_pixels(scene, view, CELL).astype(int)
    assert raster.shape == (32 * 16, 64 * 8, 3)

    def at(x, y):
        column, row = view.cell_of((x, y))
        return raster[int(row * 16), int(column * 8)]

    assert np.abs(at(50 - 0.6, 30) - TARGET).max() < 3
    near = at(10 - 0.6, 10)  # beside the number
    assert np.abs(near - HANDLE).max() < 3
    assert at(30, 20).min() > 200
    assert at(20, 60)[0] > at(20, 60)[1]
    assert np.array_equal(at(20, 38), (90, 90, 90))
    assert at(5, 28)[0] > 200
    assert at(31, 55)[1] > 200


async def test_an_editor_in_pixels(monkeypatch):
    async with TerminalEditor(graphics=Graphics(Protocol.KITTY, CELL)) as editor:
        canvas, console = editor.screen.canvas, editor.app.console
        assert canvas.mode is CanvasMode.PIXELS
        assert all("\x1b_Ga=T" in canvas.render_line(y).render(console) for y in range(5))
        assert HALF_BLOCK in canvas.render_line(5).text  # for what Textual does with a strip
        before = [canvas.render_line(y) for y in range(canvas.size.height)]
        await editor.press("right")
        after = [canvas.render_line(y) for y in range(canvas.size.height)]
        assert 0 < sum(a is not b for a, b in zip(after, before, strict=True)) < 8
        await editor.press("m")
        assert HALF_BLOCK in editor.app.export_screenshot()
        assert "\x1b_Ga=T" not in canvas.render_line(5).render(console)
        await editor.press("escape")
        assert "\x1b_Ga=T" in canvas.render_line(5).render(console)
        await editor.place(NOSE, FAR)
        await editor.press("space")
        await editor.came(DragProgressed)
        assert "\x1b_Ga=T" in canvas.render_line(3).render(console)
        await editor.press("x")
        await editor.until(lambda: editor.state.running is None)
        written: list[str] = []
        monkeypatch.setattr(editor.app._driver, "write", written.append)
        await editor.press("a")
        assert canvas.mode is CanvasMode.HALF_BLOCKS
        assert "".join(written).count("\x1b_Ga=d") == canvas.size.height


async def test_sixels_give_way_to_half_blocks_while_a_drag_runs():
    async with TerminalEditor(graphics=Graphics(Protocol.SIXEL, CELL)) as editor:
        canvas, console = editor.screen.canvas, editor.app.console
        assert "\x1bP" in canvas.render_line(3).render(console)
        await editor.place(NOSE, FAR)
        await editor.press("space")
        await editor.came(DragProgressed)
        assert "\x1bP" not in canvas.render_line(3).render(console)
        await editor.press("x")
        await editor.until(lambda: editor.state.running is None)
        await editor.rest()
        assert "\x1bP" in canvas.render_line(3).render(console)


def test_large_canvases_cost_no_more_where_the_terminal_enlarges():
    assert Graphics(Protocol.KITTY, CELL).pixels(1000, moving=False) == CELL
    width, height = Graphics(Protocol.KITTY, (10, 20)).pixels(10_000, moving=True)
    assert width * height * 10_000 < 200_000
    assert Graphics(Protocol.SIXEL, (10, 20)).pixels(10_000, moving=True) == (10, 20)


@pytest.mark.parametrize(
    ("answer", "protocol"),
    [
        ("\x1b_Gi=31;OK\x1b\\\x1b[6;20;10t\x1b[?62;c", Protocol.KITTY),
        ("\x1b[6;20;10t\x1b[?62;4;22c", Protocol.SIXEL),
        ("\x1b[?64;1;2;4;6c", Protocol.SIXEL),
        ("\x1b_Gi=31;ENOENT\x1b\\\x1b[?1;2c", None),
        ("\x1b[?4c", None),
        ("", None),
    ],
)
def test_a_terminals_answer_tells_its_protocol(answer, protocol):
    assert protocol_of(answer) is protocol


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (b"\x1b_Gi=31;OK\x1b\\\x1b[6;20;10t\x1b[?62;c", "Graphics(protocol=<Protocol.KITTY"),
        (b"\x1b[6;18;9t\x1b[?62;4c", "cell=(9, 18)"),
        (b"\x1b[?62;4c", "None"),  # sixels, but of unknown size
        (b"\x1b[?1;2c", "None"),
    ],
)
def test_the_terminal_is_asked(answer, found):
    if not hasattr(os, "openpty"):
        pytest.skip("this system has no pseudo-terminals")
    terminal, inner = os.openpty()
    code = "from dragonnx.tui.terminal import find_graphics; print(find_graphics())"
    asked = subprocess.Popen([sys.executable, "-c", code], stdin=inner, stdout=inner)
    os.close(inner)
    seen = b""
    while select.select([terminal], [], [], 30)[0]:
        try:
            seen += os.read(terminal, 4096)
        except OSError:  # the program ended
            break
        if seen == QUESTIONS.encode():
            os.write(terminal, answer)
    assert asked.wait() == 0
    assert found in seen.decode()
    os.close(terminal)


def test_a_user_may_choose(monkeypatch):
    truecolor = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    forced = find_graphics({**truecolor, "DRAGONNX_GRAPHICS": "kitty"})
    assert forced is not None
    assert forced.protocol is Protocol.KITTY
    assert find_graphics({**truecolor, "DRAGONNX_GRAPHICS": "none"}) is None
    assert find_graphics({"TERM": "dumb", "DRAGONNX_GRAPHICS": "sixel"}) is None
    monkeypatch.setattr("sys.__stdin__", None)
    assert find_graphics(truecolor) is None


def test_what_is_no_terminal_is_not_asked(tmp_path, monkeypatch):
    """Nor is one that only one of the two libraries for it could set."""
    truecolor = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    with (tmp_path / "typed").open("w+") as file:
        monkeypatch.setattr("sys.__stdin__", file)
        monkeypatch.setattr("sys.__stdout__", file)
        assert find_graphics(truecolor) is None
        for name in ("tty", "termios", "fcntl"):
            monkeypatch.setitem(sys.modules, name, None)
            assert find_graphics(truecolor) is None
    assert (tmp_path / "typed").read_text() == ""
