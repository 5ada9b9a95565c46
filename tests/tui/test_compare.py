"""Before and after on the canvas: the keys, and how a wipe and a bare picture are drawn."""

from __future__ import annotations

import numpy as np
from support.bundled import NOSE, NOSE_NEAR
from support.terminal_editor import TerminalEditor

from dragonnx.document import PointPair
from dragonnx.editor.scene import Scene
from dragonnx.tui.drawing.cell_scene import compose
from dragonnx.tui.drawing.cells import HALF_BLOCK, CanvasMode
from dragonnx.tui.drawing.geometry import Viewport
from dragonnx.tui.drawing.pixel_scene import compose_pixels

GREY = np.full((32, 32, 3), 90, np.uint8)
VIEW = Viewport((32, 32), (32, 16))


async def test_the_keys_compare():
    async with TerminalEditor() as editor:
        await editor.place(NOSE, NOSE_NEAR)
        before = editor.state.picture
        await editor.press("full_stop")
        await editor.until(lambda: editor.document.result is not None)
        await editor.settled()
        scene = lambda: editor.screen.canvas.scene  # noqa: E731
        await editor.press("c")
        assert scene().picture is before
        assert editor.status.startswith("This is the picture before the drag")
        await editor.press("C")
        await editor.press("right")
        assert scene().divider == editor.state.cursor[0] - 0.5
        await editor.press("b")
        assert scene().cursor is None
        assert scene().pairs == ()
        await editor.press("b", "C")
        assert scene().picture is editor.state.picture


def test_a_wipe_has_a_line_where_it_is():
    cells = compose(Scene(GREY, cursor=None, divider=9.5), VIEW, CanvasMode.HALF_BLOCKS)
    bright = (cells.front.min(axis=2) > 200).all(axis=0) & (cells.back.min(axis=2) > 200).all(
        axis=0
    )
    assert np.flatnonzero(bright).tolist() == [10]
    raster = compose_pixels(Scene(GREY, cursor=None, divider=9.5), VIEW, (4, 8))
    assert np.flatnonzero((raster.min(axis=2) > 200).all(axis=0)).tolist() == [40]


def test_a_bare_picture_is_drawn_alone():
    for mode in CanvasMode:
        bare = compose(Scene(GREY, cursor=None), VIEW, mode)
        assert len(np.unique(bare.characters)) == 1
    assert (compose_pixels(Scene(GREY, cursor=None), VIEW, (4, 8)) == 90).all()
    pairs = (PointPair((3, 3), (20, 20)),)
    crowded = compose(Scene(GREY, pairs=pairs), VIEW, CanvasMode.HALF_BLOCKS)
    assert (crowded.characters != ord(HALF_BLOCK)).sum() > 2
