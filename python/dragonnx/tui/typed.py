"""What is typed and clicked, one after the other: each is done with before the next is begun.

Textual hands a key to the widget that has the focus then, which may bubble it up to the application,
where an action may open a dialog: several queues, and keys that arrive together overtake each other
in them. A key typed ahead would go to the dialog that closes, or be lost by the one that opens.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable

from textual import events
from textual.message_pump import MessagePump

_ROUNDS = 4
"""Of the event loop without any message, after which all that a key has begun is done."""
_PATIENCE = 1.0
"""Seconds after which the next key is begun anyway: something keeps sending messages."""


class Typed:
    """A queue of what is typed and clicked.

    Args:
        handle: Begins to handle one.
        pumps: Everything that handles messages.
        failed: Told of a mistake in handling one.
    """

    def __init__(
        self,
        handle: Callable[[events.Event], Awaitable[None]],
        pumps: Callable[[], Iterable[MessagePump]],
        failed: Callable[[Exception], object],
    ) -> None:
        self._handle = handle
        self._pumps = pumps
        self._failed = failed
        self._waiting: deque[events.Event] = deque()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_done(self) -> bool:
        """Whether nothing waits."""
        return self._task is None or self._task.done()

    def put(self, event: events.Event) -> None:
        """Handle an event after those before it. Of moves of the mouse the newest is enough."""
        if self._waiting and _is_move(event) and _is_move(self._waiting[-1]):
            self._waiting.pop()
        self._waiting.append(event)
        if self.is_done:
            self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        try:
            while self._waiting:
                event = self._waiting.popleft()
                await self._handle(event)
                if not _is_move(event):
                    await self._settle()
        except Exception as error:  # as in Textual's own loop of messages
            self._failed(error)

    async def _settle(self) -> None:
        """Wait until nobody has a message left; what runs meanwhile sends some now and then."""
        ends, quiet = time.monotonic() + _PATIENCE, 0
        while quiet < _ROUNDS and time.monotonic() < ends:
            await asyncio.sleep(0)
            busy = any(pump.message_queue_size or pump._next_callbacks for pump in self._pumps())
            quiet = 0 if busy else quiet + 1


def _is_move(event: events.Event) -> bool:
    return isinstance(event, events.MouseMove)
