"""Real pixels: the escape sequences of all protocols, what is drawn, and finding them."""

from __future__ import annotations

import base64
import io
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
from dragonnx.errors import InputError
from dragonnx.tui.asking import COLOURS, LAST, PICTURES, ask_terminal, protocol_of, tells_truecolor
from dragonnx.tui.drawing.cell_scene import HANDLE, TARGET
from dragonnx.tui.drawing.cells import HALF_BLOCK, CanvasMode
from dragonnx.tui.drawing.geometry import Viewport
from dragonnx.tui.drawing.graphics import Graphics, PixelStripMaker, Protocol
from dragonnx.tui.drawing.iterm import iterm
from dragonnx.tui.drawing.kitty import kitty, kitty_in_tmux
from dragonnx.tui.drawing.pixel_scene import compose_pixels
from dragonnx.tui.drawing.sixel import sixel

CELL = (8, 16)
TRUECOLOR = {"COLORTERM": "truecolor"}
NO_COLORTERM: dict[str, str] = {}


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


def iterm_pixels(escapes: str, columns: int) -> np.ndarray:
    """Reads a picture as iTerm2 does."""
    facts, content = re.search("\x1b\\]1337;File=([^:]*):([^\x07]*)\x07", escapes).groups()
    told = dict(each.split("=") for each in facts.split(";"))
    png = base64.b64decode(content, validate=True)
    assert int(told["size"]) == len(png)
    assert (told["inline"], told["width"], told["height"]) == ("1", f"{columns}", "1")
    assert told["preserveAspectRatio"] == "0", "it fills its cells"
    return np.asarray(Image.open(io.BytesIO(png)))


def tmux_parts(escapes: str) -> tuple[str, str]:
    """What tmux hands on to the terminal around it, and what it shows itself."""
    handed_on = ""

    def hand_on(found: re.Match[str]) -> str:
        nonlocal handed_on
        assert "\x1b" not in found[1].replace("\x1b\x1b", ""), "every escape is doubled"
        handed_on += found[1].replace("\x1b\x1b", "\x1b")
        return ""

    own = re.sub("\x1bPtmux;((?:[^\x1b]|\x1b\x1b)*)\x1b\\\\", hand_on, escapes)
    return handed_on, own


@pytest.mark.parametrize(("height", "width"), [(16, 40), (20, 333)])
def test_through_tmux_characters_stand_for_the_picture(height, width):
    raster = smooth_raster(height, width)
    handed_on, own = tmux_parts(kitty_in_tmux(raster, 5, 3))
    assert np.array_equal(kitty_pixels(handed_on, height, width), raster)
    facts = re.match(r"\x1b_G([^;]*);", handed_on)[1].split(",")
    number = next(int(fact[2:]) for fact in facts if fact.startswith("i="))
    assert {"U=1", "c=5", "r=1", "a=T", "q=2"} <= set(facts)
    r, g, b, cells = re.fullmatch(
        "\x1b\\[0;38;2;(\\d+);(\\d+);(\\d+)m(.*)\x1b\\[0m", own
    ).groups()  # fmt: skip
    assert (int(r) << 16 | int(g) << 8 | int(b)) == number
    assert cells.count("\U0010eeee") == 5
    assert cells.startswith("\U0010eeee\u0305\u0305"), "row 0, column 0; the others follow"


def test_larger_sixels_repeat_pixels():
    raster = np.zeros((2, 3, 3), np.uint8)
    raster[0, 1] = raster[1, 2] = 255
    shown = sixel_pixels(sixel(raster, 5, 3, (30, 20)))
    # Sixels tell colours in percent, and the palette rounds them.
    assert np.abs(shown - raster.repeat(10, axis=0).repeat(10, axis=1)).max() < 6
    smooth = smooth_raster(10, 33)
    shown = sixel_pixels(sixel(smooth, 5, 3, (100, 20)))
    rows, columns = (
        np.arange(20) // 2,
        np.searchsorted(np.arange(1, 34) * 100 // 33, np.arange(100), "right"),
    )
    assert np.abs(shown - smooth[rows][:, columns]).mean() < 9


@pytest.mark.parametrize(
    ("answer", "has_it"),
    [
        ("\x1bP1$r0;48:2::1:2:3m\x1b\\", True),  # xterm, foot
        ("\x1bP1$r48;2;1;2;3m\x1b\\", True),
        ("\x1bP1$r0;48:2:1:2:3m\x1b\\", True),
        ("\x1bP1$r0;48;5;16m\x1b\\", False),  # the nearest of 256
        ("\x1bP1+r524742=382F382F38\x1b\\", True),
        ("\x1bP1+r5463\x1b\\", True),
        ("\x1bP0+r524742\x1b\\", False),
        ("", False),
    ],
)
def test_a_terminals_answer_tells_its_colours(answer, has_it):
    assert tells_truecolor(answer) is has_it


def test_a_protocol_that_there_is_not_is_refused():
    with pytest.raises(InputError, match="must be kitty, tmux, iterm, sixel or none, not 'sixl'"):
        ask_terminal({"TERM": "xterm", "DRAGONNX_GRAPHICS": "sixl"})


@pytest.mark.parametrize(("height", "width"), [(16, 40), (20, 333), (7, 8)])
def test_every_protocol_carries_the_pixels(height, width):
    raster = smooth_raster(height, width)
    assert np.array_equal(kitty_pixels(kitty(raster, 5, 3), height, width), raster)
    shown = sixel_pixels(sixel(raster, 5, 3))
    assert shown.shape == raster.shape
    assert np.abs(shown - raster).mean() < 6
    assert np.array_equal(iterm_pixels(iterm(raster, 5, 3), 5), raster)
    for encode in (kitty, sixel, iterm):
        assert encode(raster, 5, 3).startswith(("\x1b[0m\x1b7", "\x1b7"))
        assert encode(raster, 5, 3).endswith("\x1b8\x1b[5C")


@pytest.mark.parametrize("protocol", Protocol)
def test_only_rows_that_differ_are_sent(protocol):
    maker = PixelStripMaker(Graphics(protocol, CELL))
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


@pytest.mark.parametrize("keeps_up", [True, False])
async def test_sixels_are_coarse_while_a_drag_runs_or_give_way(monkeypatch, keeps_up):
    monkeypatch.setattr("dragonnx.tui.widgets.canvas._LONGEST_FRAME", 600 if keeps_up else 0)
    async with TerminalEditor(graphics=Graphics(Protocol.SIXEL, CELL)) as editor:
        canvas, console = editor.screen.canvas, editor.app.console
        fine = canvas.render_line(9).render(console)
        assert sixel_pixels(fine).shape == (CELL[1], canvas.size.width * CELL[0], 3)
        await editor.place(NOSE, FAR)
        await editor.press("space")
        await editor.came(DragProgressed)
        await editor.press("right")
        coarse = canvas.render_line(9).render(console)
        assert ("\x1bP" in coarse) is keeps_up
        if keeps_up:
            assert sixel_pixels(coarse).shape == sixel_pixels(fine).shape
            assert len(coarse) < len(fine)
        await editor.press("x")
        await editor.until(lambda: editor.state.running is None)
        await editor.rest()
        assert "\x1bP" in canvas.render_line(3).render(console)


def test_large_canvases_cost_no_more_where_the_terminal_enlarges():
    assert Graphics(Protocol.KITTY, CELL).pixels(1000, moving=False) == CELL
    width, height = Graphics(Protocol.KITTY, (10, 20)).pixels(10_000, moving=True)
    assert width * height * 10_000 < 200_000
    assert Graphics(Protocol.SIXEL, (10, 20)).pixels(10_000, moving=False) == (10, 20)


@pytest.mark.parametrize(
    ("answer", "protocol"),
    [
        ("\x1b_Gi=31;OK\x1b\\\x1b[6;20;10t\x1b[?62;c", Protocol.KITTY),
        ("\x1b[6;20;10t\x1b[?62;4;22c", Protocol.SIXEL),
        ("\x1b[?64;1;2;4;6c", Protocol.SIXEL),
        ("\x1b_Gi=31;ENOENT\x1b\\\x1b[?1;2c", None),
        ("\x1b[?4c", None),
        ("\x1bP>|iTerm2 3.5.0\x1b\\\x1b[?62;4c", Protocol.ITERM),
        ("\x1bP>|WezTerm 20240203\x1b\\\x1b[?65;4;6c", Protocol.ITERM),
        ("\x1bP>|tmux 3.5a\x1b\\\x1b[?1;2;4c", Protocol.SIXEL),
        ("", None),
    ],
)
def test_a_terminals_answer_tells_its_protocol(answer, protocol):
    assert protocol_of(answer) is protocol


@pytest.mark.parametrize(
    ("truecolor", "answer", "found"),
    [
        (
            TRUECOLOR,
            b"\x1b_Gi=31;OK\x1b\\\x1b[6;20;10t\x1b[?62;c",
            "Graphics(protocol=<Protocol.KITTY",
        ),
        (TRUECOLOR, b"\x1b[6;18;9t\x1b[?62;4c", "cell=(9, 18)"),
        (TRUECOLOR, b"\x1b[?62;4c", "graphics=None"),  # sixels, but of unknown size
        (NO_COLORTERM, b"\x1bP1$r48:2::1:2:3m\x1b\\\x1b[?1;2c", "graphics=None, truecolor=True"),
        (NO_COLORTERM, b"\x1bP0$r\x1b\\\x1b[?1;2c", "truecolor=False"),
    ],
)
def test_the_terminal_is_asked(truecolor, answer, found):
    if not hasattr(os, "openpty"):
        pytest.skip("this system has no pseudo-terminals")
    terminal, inner = os.openpty()
    code = "from dragonnx.tui.asking import ask_terminal; print(ask_terminal())"
    environment = {
        **os.environ, "TERM": "xterm-256color", "COLORTERM": "", "TERM_PROGRAM": "", "TMUX": "",
        "NO_COLOR": "", "DRAGONNX_GRAPHICS": "", **truecolor,
    }  # fmt: skip
    questions = PICTURES + COLOURS * (not truecolor) + LAST
    asked = subprocess.Popen(
        [sys.executable, "-c", code], stdin=inner, stdout=inner, env=environment
    )
    os.close(inner)
    seen = b""
    while select.select([terminal], [], [], 30)[0]:
        try:
            seen += os.read(terminal, 4096)
        except OSError:  # the program ended
            break
        if seen == questions.encode():
            os.write(terminal, answer)
    assert asked.wait() == 0
    assert found in seen.decode()
    os.close(terminal)


SIXEL_OF_TMUX = "\x1bP>|tmux 3.5a\x1b\\\x1b[6;20;10t\x1b[?1;2;4c"


@pytest.mark.skipif(os.name == "nt", reason="tmux is not for Windows")
@pytest.mark.parametrize(
    ("answer", "told", "protocol"),
    [
        # foot, iTerm2 and WezTerm, which speak Sixel, around a tmux that knows it too.
        (SIXEL_OF_TMUX, "foot|off|256,RGB,sixel", Protocol.SIXEL),
        # Kitty around such a tmux, which would show words in place of its pictures.
        (SIXEL_OF_TMUX, "xterm-kitty|on|256,RGB", Protocol.TMUX),
        (SIXEL_OF_TMUX, "xterm-kitty|off|256,RGB", None),
        (SIXEL_OF_TMUX, "xterm-256color|all|256", None),
        ("\x1b[?1;2c", "xterm-ghostty|all|RGB", Protocol.TMUX),
        ("\x1b[?1;2c", "foot|on|sixel", None),  # this tmux does not know it
        ("\x1b[?1;2c", "", None),
        (SIXEL_OF_TMUX, None, Protocol.SIXEL),  # tmux cannot be asked
    ],
)
def test_tmux_and_the_terminal_around_it_are_both_asked(
    tmp_path, monkeypatch, answer, told, protocol
):
    monkeypatch.setattr("dragonnx.tui.asking._asked", lambda _: answer)
    monkeypatch.setattr("dragonnx.tui.asking.cell_size", lambda: None)
    if told is not None:
        program = tmp_path / "tmux"
        program.write_text(f"#!/bin/sh\necho '{told}'\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = ask_terminal(
        {"TERM": "tmux-256color", "TMUX": "/tmp/t", "PATH": str(tmp_path)}
    ).graphics
    assert (None if found is None else found.protocol) is protocol


def test_a_user_may_choose(monkeypatch):
    truecolor = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    forced = ask_terminal({**truecolor, "DRAGONNX_GRAPHICS": "kitty"}).graphics
    assert forced is not None
    assert forced.protocol is Protocol.KITTY
    assert ask_terminal({**truecolor, "DRAGONNX_GRAPHICS": "none"}).graphics is None
    assert ask_terminal({"TERM": "dumb", "DRAGONNX_GRAPHICS": "sixel"}).graphics is None
    monkeypatch.setattr("sys.__stdin__", None)
    assert ask_terminal(truecolor).graphics is None


def test_what_is_no_terminal_is_not_asked(tmp_path, monkeypatch):
    """Nor is one that only one of the two libraries for it could set."""
    truecolor = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    with (tmp_path / "typed").open("w+") as file:
        monkeypatch.setattr("sys.__stdin__", file)
        monkeypatch.setattr("sys.__stdout__", file)
        assert ask_terminal(truecolor).graphics is None
        for name in ("tty", "termios", "fcntl"):
            monkeypatch.setitem(sys.modules, name, None)
            assert ask_terminal(truecolor).graphics is None
    assert (tmp_path / "typed").read_text() == ""
