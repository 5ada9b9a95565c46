"""Geometry, rasters, cells and terminal detection: pure functions, no app."""

from __future__ import annotations

import io
import re
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from dragonnx.document import Document, LatentStart, PointPair
from dragonnx.editor.scene import Scene
from dragonnx.tui.drawing.cell_scene import compose, point_at
from dragonnx.tui.drawing.cells import HALF_BLOCK, CanvasMode, StripMaker, cells_of
from dragonnx.tui.drawing.escapes import escape_rows
from dragonnx.tui.drawing.geometry import Viewport
from dragonnx.tui.drawing.palette import COLOURS, FIRST, dithered, numbers_of, oklab
from dragonnx.tui.drawing.raster import draw_path, draw_picture, tint_fixed
from dragonnx.tui.drawing.sparkline import columns_of, plot, sparkline
from dragonnx.tui.terminal import best_mode
from dragonnx.tui.widgets.side_panel import PanelState, facts_of, plot_of, rows_of

VIEWS = st.builds(
    Viewport,
    image=st.tuples(st.integers(1, 2000), st.integers(1, 2000)),
    cells=st.tuples(st.integers(1, 300), st.integers(1, 100)),
)


@given(VIEWS, st.floats(0, 1), st.floats(0, 1), st.floats(1, 20))
def test_cells_and_points_are_inverse(view, x, y, zoom):
    point = (x * (view.image[0] - 1), y * (view.image[1] - 1))
    view = view.zoomed(zoom, point)
    assert view.point_of(*view.cell_of(point)) == pytest.approx(point, abs=1e-6)


@given(VIEWS)
def test_the_whole_image_fits_with_its_aspect(view):
    left, top = view.cell_of((-0.5, -0.5))
    right, bottom = view.cell_of((view.image[0] - 0.5, view.image[1] - 0.5))
    assert left >= -1e-6
    assert top >= -1e-6
    assert right <= view.cells[0] + 1e-6
    assert bottom <= view.cells[1] + 1e-6
    assert (right - left) * view.aspect / (bottom - top) == pytest.approx(
        view.image[0] / view.image[1] * view.aspect / view.aspect, rel=1e-6
    ) or view.aspect == 0.5


@given(VIEWS, st.floats(-500, 500), st.floats(-500, 500), st.floats(1.5, 20))
def test_panning_never_loses_the_image(view, dx, dy, zoom):
    view = view.zoomed(zoom).panned(dx, dy)
    x, y = view.middle
    assert -0.5 <= x <= view.image[0] - 0.5
    assert -0.5 <= y <= view.image[1] - 0.5


def test_zooming_keeps_the_place_under_the_mouse():
    view = Viewport((128, 128), (80, 30)).zoomed(4, (64, 64))
    before = view.cell_of((50, 60))
    assert view.zoomed(1.5, (50, 60)).cell_of((50, 60)) == pytest.approx(before)


def test_every_pixel_can_be_reached_when_zoomed_in():
    view = Viewport((128, 128), (52, 21)).zoomed(8, (40, 40))
    seen = {view.pixel_at(c, r) for c in range(52) for r in range(21)}
    assert {(x, y) for x in range(36, 44) for y in range(36, 44)} <= seen


def test_a_revealed_point_is_on_the_canvas():
    view = Viewport((128, 128), (52, 21)).zoomed(8, (40, 40)).showing((100, 5))
    column, row = view.cell_of((100, 5))
    assert 0 <= column < 52
    assert 0 <= row < 21


@pytest.mark.parametrize("zoom", [1, 3])
def test_a_raster_shows_the_picture_where_the_view_says(zoom):
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[20, 40] = 255
    view = Viewport((64, 64), (128, 64)).zoomed(zoom, (40, 20))
    raster = draw_picture(picture, view, 2, (9, 9, 9))
    column, row = view.cell_of((40, 20))
    assert (raster[int(row * 2), int(column)] == 255).all()
    assert raster.shape == (128, 128, 3)


def test_the_tint_lies_on_what_is_fixed():
    mask = np.ones((64, 64), bool)
    mask[:, :32] = False
    view = Viewport((64, 64), (128, 64))
    raster = np.zeros((128, 128, 3), np.uint8)
    tint_fixed(raster, mask, view, 2)
    assert raster[:, :60].any(axis=2).all()
    assert not raster[:, 68:].any()


def test_a_trail_that_jumps_about_takes_bounded_memory():
    """As only a document that was made to do harm has it: every step crosses the whole image."""
    places = np.array([(0, 0), (16384, 16384)] * 1000, float)
    view = Viewport((128, 128), (80, 30)).zoomed(8, (64, 64))
    raster = np.zeros((30, 80, 3), np.uint8)
    tracemalloc.start()
    draw_path(raster, places, view, 1, (255, 255, 255))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150e6, "some arrays of a million places; without a bound eight times that"


def test_paths_outside_the_canvas_are_clipped():
    raster = np.zeros((20, 20, 3), np.uint8)
    view = Viewport((20, 20), (20, 10)).zoomed(4)
    draw_path(raster, np.array([(-1e6, 3), (1e6, 3)]), view, 2, (1, 2, 3))
    draw_path(raster, np.array([(3.0, 3.0)]), view, 2, (1, 2, 3))


def random_raster(rows, columns):
    return np.random.default_rng(3).integers(0, 256, (rows, columns, 3), dtype=np.uint8)


@pytest.mark.parametrize("mode", CanvasMode)
def test_strips_fill_every_row(mode):
    cells = cells_of(random_raster(10 * mode.rows_per_cell, 17), mode)
    maker = StripMaker()
    assert maker.update(cells) == list(range(10))
    assert [strip.cell_length for strip in maker.strips] == [17] * 10
    assert all(sum(len(s.text) for s in strip) == 17 for strip in maker.strips)


def test_half_blocks_show_two_pixels_in_a_cell():
    raster = np.zeros((2, 1, 3), np.uint8)
    raster[0], raster[1] = (252, 0, 0), (0, 0, 252)
    maker = StripMaker()
    maker.update(cells_of(raster, CanvasMode.HALF_BLOCKS))
    segment = next(iter(maker.strips[0]))
    assert segment.text == HALF_BLOCK
    assert segment.style.color.triplet == (255, 0, 0)
    assert segment.style.bgcolor.triplet == (0, 0, 255)


@pytest.mark.parametrize("mode", [CanvasMode.HALF_BLOCKS, CanvasMode.COLOURED_ASCII])
def test_escapes_and_segments_of_a_strip_say_the_same(mode):
    maker = StripMaker()
    raster = random_raster(2 * mode.rows_per_cell, 9)
    raster[0, 3:6] = raster[0, 2]  # above, then in all rows, then everywhere, colours do not change
    raster[:, 7:] = raster[:, 6:7]
    raster[-mode.rows_per_cell :] = 7
    cells = cells_of(raster, mode)
    for column, character in enumerate("z~\u00e9\u07ff\u0800\u2580\uff66"):  # of 1 to 3 bytes
        cells.characters[1, column] = ord(character)
    maker.update(cells)
    consoles = [Console(color_system=system, file=io.StringIO()) for system in ("truecolor", "256")]
    for strip in maker.strips:
        painted = Text.from_ansi(strip.render(consoles[0]))
        assert painted.plain == "".join(segment.text for segment in strip)
        styles = [segment.style for segment in strip for _ in segment.text]
        for column, style in enumerate(styles):
            shown = painted.get_style_at_offset(consoles[0], column)
            assert (shown.color, shown.bgcolor) == (style.color, style.bgcolor)
        part = strip.crop(3, 7)
        assert part.text == painted.plain[3:7]
        assert [segment.style for segment in part for _ in segment.text] == styles[3:7]
        assert "38;2" not in strip.render(consoles[1])


def test_only_rows_that_differ_are_made_again():
    raster = random_raster(20, 9)
    maker = StripMaker()
    maker.update(cells_of(raster, CanvasMode.HALF_BLOCKS))
    assert maker.update(cells_of(raster, CanvasMode.HALF_BLOCKS)) == []
    raster[7] = 255 - raster[7]
    assert maker.update(cells_of(raster, CanvasMode.HALF_BLOCKS)) == [3]


def test_the_256_colour_mode_uses_no_other_colours():
    cells = cells_of(random_raster(20, 30), CanvasMode.HALF_BLOCKS_256)
    colours = np.concatenate([cells.front, cells.back]).reshape(-1, 3)
    assert set(map(tuple, colours.tolist())) <= set(map(tuple, COLOURS.tolist()))


def test_ascii_is_ascii_and_brighter_is_denser():
    raster = np.repeat(np.linspace(0, 255, 60).astype(np.uint8)[None, :, None], 3, axis=2)
    maker = StripMaker()
    maker.update(cells_of(raster, CanvasMode.ASCII))
    text = maker.strips[0].text
    assert text.isascii()
    assert (text[0], text[-1]) == (" ", "@")


def test_markers_are_drawn_and_found():
    scene = Scene(
        picture=np.zeros((64, 64, 3), np.uint8), pairs=(PointPair((10, 10), (50, 40)),), selected=0
    )
    view = Viewport((64, 64), (64, 32))
    cells = compose(scene, view, CanvasMode.ASCII)
    column, row = (int(v) for v in view.cell_of((10, 10)))
    assert chr(cells.characters[row, column]) == "1"
    assert point_at(scene.pairs, view, column, row) == (0, "handle")
    column, row = (int(v) for v in view.cell_of((50, 40)))
    assert point_at(scene.pairs, view, column + 1, row) == (0, "target")
    assert point_at(scene.pairs, view, 2, 30) is None


APPLE = {"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"}
TRUECOLOR = {"COLORTERM": "truecolor"}


@pytest.mark.parametrize(
    ("environment", "mode"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, CanvasMode.HALF_BLOCKS),
        ({"TERM": "xterm-kitty"}, CanvasMode.HALF_BLOCKS),
        ({"TERM": "screen-256color"}, CanvasMode.HALF_BLOCKS_256),
        ({"TERM": "dumb", "COLORTERM": "truecolor"}, CanvasMode.ASCII),
        ({}, CanvasMode.ASCII),
        ({"TERM": "xterm", "NO_COLOR": "1"}, CanvasMode.ASCII),
        ({"TERM": "linux"}, CanvasMode.COLOURED_ASCII),
        # Windows sets no TERM; its console, Windows Terminal and VS Code show every colour.
        ({"OS": "Windows_NT"}, CanvasMode.HALF_BLOCKS),
        ({"OS": "Windows_NT", "WT_SESSION": "1"}, CanvasMode.HALF_BLOCKS),
        ({"OS": "Windows_NT", "NO_COLOR": "1"}, CanvasMode.ASCII),
        ({"OS": "Windows_NT", "ConEmuANSI": "ON"}, CanvasMode.HALF_BLOCKS),
        ({"OS": "Windows_NT", "ConEmuANSI": "OFF"}, CanvasMode.ASCII),
        ({"TERM_PROGRAM": "vscode", "COLORTERM": "truecolor"}, CanvasMode.HALF_BLOCKS),
        ({"TERM_PROGRAM": "vscode"}, CanvasMode.HALF_BLOCKS),
        ({"OS": "Windows_NT", "TERM": "cygwin"}, CanvasMode.COLOURED_ASCII),
        # Windows Terminal around WSL, where nothing says COLORTERM, and tmux between the two.
        ({"TERM": "xterm-256color", "WT_SESSION": "1"}, CanvasMode.HALF_BLOCKS),
        ({"TERM": "tmux-256color", "WT_SESSION": "1"}, CanvasMode.HALF_BLOCKS_256),
        # macOS: Terminal has 256 colours before macOS 26, and says nothing of it.
        (APPLE, CanvasMode.HALF_BLOCKS_256),
        ({**APPLE, "TERM_PROGRAM_VERSION": "455.1"}, CanvasMode.HALF_BLOCKS_256),
        ({**APPLE, "TERM_PROGRAM_VERSION": "455.1", **TRUECOLOR}, CanvasMode.HALF_BLOCKS_256),
        ({**APPLE, "TERM_PROGRAM_VERSION": "466"}, CanvasMode.HALF_BLOCKS),
        ({**APPLE, "TERM_PROGRAM": "iTerm.app"}, CanvasMode.HALF_BLOCKS),
    ],
)
def test_the_terminal_decides_how_pictures_are_shown(environment, mode):
    assert best_mode(environment) is mode


def test_sparklines():
    assert sparkline([0, 1], 5) == "▁█"
    assert sparkline([3, 3, 3], 2) == "▁▁"
    assert sparkline([], 5) == ""
    assert sparkline([0, 1], 5, plain=True).isascii()


@pytest.mark.parametrize(
    ("target", "row"),
    [
        ((74, 83), " 1 48,85 to 74,83     26.1"),
        ((1023, 1023), " 1 48,85 to 1023,1023 1353"),
        (None, " 1 48,85 to ? (Enter)"),
    ],
)
def test_rows_of_points_fit_the_panel(target, row):
    pairs = (PointPair((48, 85), target),)
    (shown,) = rows_of(PanelState(Document(pairs=pairs), pairs))
    assert shown.plain == row
    large = (PointPair((1023, 1000), (1001, 1022)),) * 12
    assert max(row.cell_len for row in rows_of(PanelState(Document(pairs=large), large))) <= 26


@pytest.mark.parametrize(
    ("start", "own", "row"),
    [
        (LatentStart(1), 0.7, "psi    0.7, the model's"),
        (LatentStart(1), None, "psi    the model's"),
        (LatentStart(1, truncation_psi=0.5), 0.7, "psi    0.5"),
        (LatentStart(w_plus=np.zeros((1, 2, 3), np.float32), name="a.npz"), 0.7, ""),
    ],
)
def test_the_panel_tells_the_truncation_as_a_number_where_there_is_one(start, own, row):
    rows = [line.plain for line in facts_of(PanelState(Document(start=start), psi=own))]
    assert [each for each in rows if each.startswith("psi")] == [row] * bool(row)


@pytest.mark.parametrize(("plain", "mark"), [(False, "bright_black"), (True, "reverse")])
def test_the_step_that_is_shown_is_no_bar_of_the_plot(plain, mark):
    distances = np.linspace(9, 1, 26)[:, None]
    pairs = (PointPair((1, 1), (9, 9)),)
    state = PanelState(Document(pairs=pairs), pairs, distances=distances, step=20, plain=plain)
    for line in plot_of(state, 4)[1:]:
        (span,) = line.spans
        assert (span.start, span.end) == (20, 21)
        assert mark in str(span.style)
        assert plain or "reverse" not in str(span.style), "it would look like a bar to the top"


def test_a_plot_falls_as_its_values_do():
    lines = plot([8, 6, 4, 2, 0], 5, 2)
    assert [len(line) for line in lines] == [5, 5]
    assert lines[0] == "█▄   "
    assert lines[1] == "███▄▁", "what is nothing is still there"
    assert plot([], 5, 2) == []
    assert all(line.isascii() for line in plot([3, 2, 1], 9, 3, plain=True))
    assert columns_of(101, 3) == [0, 50, 100]
    assert columns_of(1, 3) == [0, 0, 0]


def test_of_256_colours_the_one_that_looks_most_alike_is_chosen():
    rng = np.random.default_rng(8)
    wanted = rng.integers(0, 256, (500, 3), dtype=np.uint8)
    away = np.linalg.norm(oklab(wanted)[:, None] - oklab(COLOURS), axis=-1)
    chosen = away[np.arange(500), numbers_of(wanted) - FIRST]
    # 5 bits of each channel are looked at, half a step of which is 4 of 255: 0.03 in OKLab at most.
    assert (chosen - away.min(axis=1)).max() < 0.03


def test_an_even_part_stays_nearly_even_in_256_colours():
    even = np.full((16, 16, 3), (120, 130, 140), np.uint8)
    shown = dithered(even).astype(int)
    assert np.abs(shown - even).max() <= 45, "weak: no colour is far from the one that is shown"
    assert np.abs(shown.mean(axis=(0, 1)) - even[0, 0]).max() < 20


def test_rows_of_256_colours_name_them_by_number():
    cells = cells_of(random_raster(4, 30), CanvasMode.HALF_BLOCKS_256)
    cells.put(3, 1, "7", (255, 255, 255), (225, 25, 40))
    (text,) = escape_rows(cells, [1])
    assert "38;2;" not in text
    front = back = None
    seen = []
    for codes, character in re.findall(
        r"(?:\x1b\[([\d;]+)m)?([^\x1b])", text.removesuffix("\x1b[0m")
    ):
        for kind, number in re.findall(r"([34]8);5;(\d+)", codes):
            front, back = (int(number), back) if kind == "38" else (front, int(number))
        seen.append((character, front, back))
    numbers = [numbers_of(each[1]).tolist() for each in (cells.front, cells.back)]
    assert seen == list(zip(map(chr, cells.characters[1].tolist()), *numbers, strict=True))
    console = Console(color_system="256", file=io.StringIO(), force_terminal=True)
    maker = StripMaker()
    maker.update(cells)
    assert maker.strips[1].render(console) == text
