"""The terminal editor under test, in a terminal that is not there."""

from __future__ import annotations

import asyncio
import contextlib
import time

from support.bundled import SEED
from support.editor_runs import HANG, ended

from dragonnx.document import Document, LatentStart
from dragonnx.editor.events import Event
from dragonnx.model.manifest import DEFAULT_MODEL
from dragonnx.tui.app import EditorApp
from dragonnx.tui.messages import EditorEvent
from dragonnx.tui.widgets.status_line import StatusLine

_ROUNDS = 8
"""Of the event loop without any work, after which everything that was begun is done."""


class TerminalEditor:
    """Presses keys and waits for what comes of them, never for time.

    Args:
        size: Columns and rows of the terminal.
        toasts: Whether boxes and tips of keys are shown; Textual leaves them out of tests.
        model: The model to begin with.
        seed: The picture to begin with.
        settings: Of the application.
    """

    def __init__(
        self,
        *,
        size: tuple[int, int] = (80, 24),
        toasts: bool = False,
        model: str = DEFAULT_MODEL,
        seed: int = SEED,
        **settings,
    ) -> None:
        self.app = EditorApp(Document(model=model, start=LatentStart(seed=seed)), **settings)
        self.app.NOTIFICATION_TIMEOUT = (
            HANG  # on a busy machine it is long until a box is looked at
        )
        self.size = size
        self._toasts = toasts
        self.events: list[Event] = []
        self._arrived = asyncio.Event()

    def _hook(self, message) -> None:
        if isinstance(message, EditorEvent):
            self.events.append(message.event)
        self._arrived.set()

    async def __aenter__(self) -> TerminalEditor:
        self._context = self.app.run_test(
            size=self.size,
            message_hook=self._hook,
            notifications=self._toasts,
            tooltips=self._toasts,
        )
        self.pilot = await self._context.__aenter__()
        self.pilot.pause = lambda _delay=None: self.rest()
        await self.settled()
        return self

    async def __aexit__(self, *error) -> None:
        try:
            await self._context.__aexit__(*error)
        finally:
            await asyncio.to_thread(ended, self.app.editor)

    # --- looking ------------------------------------------------------------------------------

    @property
    def screen(self):
        return self.app.editor_screen

    @property
    def state(self):
        return self.app.editor.state

    @property
    def document(self):
        return self.app.editor.document

    @property
    def status(self) -> str:
        return self.screen.query_one(StatusLine).message

    def count(self, kind: type[Event]) -> int:
        return sum(isinstance(event, kind) for event in self.events)

    def cell(self, pixel: tuple[int, int]) -> tuple[int, int]:
        """The canvas cell of an image pixel."""
        column, row = self.screen.canvas.view.cell_of(pixel)
        return int(column), int(row)

    # --- waiting ------------------------------------------------------------------------------

    async def rest(self) -> None:
        """Wait until every message is handled, and what they led to is painted.

        Textual's own wait is for an idle processor, which a busy machine never has.
        """
        idle, ends = 0, time.monotonic() + HANG
        while idle < _ROUNDS:
            assert time.monotonic() < ends, self._late("there was no rest")
            await asyncio.sleep(0)
            idle = 0 if self._has_work() else idle + 1

    def _has_work(self) -> bool:
        """Whether a message, a callback or a paint waits; paints are done at once."""
        if self.app._exit:  # what is still in queues nobody handles
            return False
        if not self.app._typed.is_done:
            return True
        screen = self.app.screen
        pumps = [self.app, *self.app._registry]
        if any(pump.message_queue_size or pump._next_callbacks for pump in pumps):
            return True
        waits = screen._layout_required or screen._dirty_widgets or screen._callbacks
        if waits or screen._repaint_required or screen._scroll_required:
            screen._on_timer_update()
            return True
        return False

    async def until(self, condition) -> None:
        """Wait until a condition holds, looking again whenever a message came."""
        ends = time.monotonic() + HANG
        while not condition():
            assert time.monotonic() < ends, self._late("it did not come")
            self._arrived.clear()
            # What no message tells of is looked at again, too.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._arrived.wait(), 0.1)
        await self.rest()

    def _late(self, what: str) -> str:
        came = [type(event).__name__ for event in self.events[-5:]]
        return (
            f"{what} within {HANG:g} s. Last events: {came}; notice: {self.state.notice.line!r}; "
            f"phase: {self.state.phase}"
        )

    async def came(self, kind: type[Event], count: int = 1) -> None:
        """Wait until there were so many events of a kind."""
        await self.until(lambda: self.count(kind) >= count)

    async def settled(self) -> None:
        """Wait until nothing runs and the picture is the document's."""
        await self.until(lambda: self.state.running is None and self.state.shows_document)

    # --- doing --------------------------------------------------------------------------------

    async def press(self, *keys: str) -> None:
        for key in keys:
            self.app.simulate_key(key)
            await self.rest()

    async def place(self, *pixels: tuple[int, int]) -> None:
        for pixel in pixels:
            self.state.put_cursor(*pixel)
            await self.press("enter")

    async def type(self, text: str) -> None:
        """Replace the text of the focused line and press Enter."""
        self.app.focused.value = text
        await self.press("enter")


def problem(editor) -> str:
    return str(editor.app.screen.query_one(".problem").content)
