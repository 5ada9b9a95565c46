"""Makes the screenshots of the editor's page, by pressing keys in an editor without a terminal.

python scripts/screenshots.py
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from pictures import shown_drags

from dragonnx.tui.app import EditorApp
from dragonnx.tui.drawing.cells import CanvasMode

FOLDER = Path(__file__).parents[1] / "docs" / "screenshots"
SIZE = (80, 24)
_STEPS = 5


class Shot:
    """An editor whose keys are pressed one after another."""

    def __init__(self, app: EditorApp) -> None:
        self.app = app

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for the worker."""
        while not condition():
            await asyncio.sleep(0.02)

    async def place_drag(self) -> None:
        """Put the first drag that the bundled model's page shows on the canvas."""
        drag = shown_drags()[0]
        for point in (drag.handle, drag.target):
            self.app.editor.pointer.hover(point)
            self.app.simulate_key("enter")
            await asyncio.sleep(0.1)

    async def save(self, name: str) -> None:
        """Write what the screen shows."""
        await asyncio.sleep(0.3)
        (FOLDER / name).write_text(
            self.app.export_screenshot(title="dragonnx"), "utf-8", newline="\n"
        )


async def plain(shot: Shot) -> None:
    await shot.save("editor.svg")


async def drag(shot: Shot) -> None:
    await shot.place_drag()
    for step in range(1, _STEPS + 1):
        shot.app.simulate_key("full_stop")

        def done(step: int = step) -> bool:
            result = shot.app.editor.document.result
            return result is not None and result.steps == step

        await shot.until(done)
    await shot.save("drag.svg")


async def ascii_mode(shot: Shot) -> None:
    while shot.app.editor_screen.canvas.mode is not CanvasMode.COLOURED_ASCII:
        shot.app.simulate_key("a")
        await asyncio.sleep(0.1)
    await shot.save("ascii.svg")


async def main() -> None:
    seed = shown_drags()[0].seed
    for act in (plain, drag, ascii_mode):
        app = EditorApp(seed=seed)
        async with app.run_test(size=SIZE):
            shot = Shot(app)
            await shot.until(lambda app=app: app.editor.state.picture is not None)  # type: ignore[misc]
            await act(shot)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        # A first start: with the hint, and with nobody's lost work and keys.
        os.environ |= {
            "DRAGONNX_STATE": folder,
            "DRAGONNX_CONFIG": folder,
            "COLORTERM": "truecolor",
        }
        asyncio.run(main())
