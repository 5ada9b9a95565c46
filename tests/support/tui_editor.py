"""An editor under test."""

from __future__ import annotations

import asyncio

from support.bundled import SEED

from dragonnx.tui.app import EditorApp
from dragonnx.tui.widgets.status_line import StatusLine

PATIENCE = 30.0
"""Seconds after which a message that does not come is a failure."""


class Editor:
    """An editor under test: presses keys, and waits for messages, never for time."""

    def __init__(self, *, size: tuple[int, int] = (100, 32), **settings) -> None:
        settings.setdefault("seed", SEED)
        self.app = EditorApp(**settings)
        self.size = size
        self.messages: list[object] = []
        self._arrived = asyncio.Event()

    def _hook(self, message) -> None:
        self.messages.append(message)
        self._arrived.set()

    async def __aenter__(self) -> Editor:
        self._context = self.app.run_test(size=self.size, message_hook=self._hook)
        self.pilot = await self._context.__aenter__()
        await self.settled()
        return self

    async def __aexit__(self, *error) -> None:
        await self._context.__aexit__(*error)

    @property
    def screen(self):
        return self.app.editor

    @property
    def document(self):
        return self.app.editor.document

    @property
    def status(self) -> str:
        return self.screen.query_one(StatusLine).message

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    def key(self, key: str) -> None:
        """Press a key without waiting for the processor to be idle, which a drag never is."""
        self.app.simulate_key(key)

    async def until(self, condition) -> None:
        """Wait until a condition holds, looking again whenever a message came."""

        async def look() -> None:
            while not condition():
                self._arrived.clear()
                try:
                    await asyncio.wait_for(self._arrived.wait(), 1.0)
                except TimeoutError:
                    continue

        await asyncio.wait_for(look(), PATIENCE)
        await self.pilot.pause()

    def count(self, kind: type) -> int:
        return sum(isinstance(message, kind) for message in self.messages)

    async def settled(self) -> None:
        """Wait until the picture is the document's."""
        await self.until(lambda: self.screen._same_picture(self.document))

    async def place(self, *pixels: tuple[int, int]) -> None:
        for pixel in pixels:
            self.screen.move_cursor(*pixel)
            await self.press("enter")

    async def type(self, text: str) -> None:
        """Replace the text of the focused line and press Enter."""
        self.app.focused.value = text
        await self.press("enter")

    def cell(self, pixel: tuple[int, int]) -> tuple[int, int]:
        """The canvas cell of an image pixel."""
        column, row = self.screen.canvas.view.cell_of(pixel)
        return int(column), int(row)
