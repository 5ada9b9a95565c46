"""Pictures of the screen, compared with stored ones that one version of Textual made.

DRAGONNX_UPDATE_SNAPSHOTS=1 makes them anew; look at them before keeping them.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import textual
from support.terminal_editor import TerminalEditor

FOLDER = Path(__file__).parent / "snapshots"
PINNED = "8.2.8"

pytestmark = pytest.mark.skipif(
    textual.__version__ != PINNED, reason=f"the pictures were made with Textual {PINNED}"
)


def texts(svg: str) -> list[str]:
    """The texts of an SVG in their places and colours, without the picture's cells."""
    fills = dict(re.findall(r"\.([\w-]+-r\d+) { fill: (#\w+)", svg))
    found = re.findall(r'<text class="([\w-]+)" x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>', svg)
    return [f"{x} {y} {fills[name]} {text}" for name, x, y, text in found if "▀" not in text]


def compare(name: str, svg: str) -> None:
    path = FOLDER / f"{name}.txt"
    shown = "\n".join(texts(svg)) + "\n"
    if os.environ.get("DRAGONNX_UPDATE_SNAPSHOTS"):
        FOLDER.mkdir(exist_ok=True)
        path.write_text(shown, "utf-8")
    assert shown == path.read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "keys", "size"),
    [
        ("editor", (), (80, 24)),
        ("points", ("enter", "shift+right", "enter"), (80, 24)),
        ("help", ("f1",), (100, 32)),
        ("settings", ("comma",), (80, 24)),
        ("export", ("e",), (80, 24)),
        ("leave", ("enter", "q"), (80, 24)),
    ],
)
async def test_the_screen_looks_as_stored(name, keys, size):
    async with TerminalEditor(size=size) as editor:
        for key in keys:
            await editor.press(key)
        if editor.app.focused is not None and hasattr(editor.app.focused, "cursor_blink"):
            editor.app.focused.cursor_blink = False
        await editor.rest()
        compare(name, editor.app.export_screenshot())
