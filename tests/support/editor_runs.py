"""An editor without a screen under test: events are received where the test waits for them."""

from __future__ import annotations

import queue
import time
from collections import deque
from collections.abc import Callable

from support.bundled import SEED

from dragonnx.document import Document, LatentStart, Recovery
from dragonnx.drag.config import DragConfig
from dragonnx.editor import Editor
from dragonnx.editor.events import Event, ModelOpened
from dragonnx.editor.scene import Scene
from dragonnx.editor.state import EditorState, Part
from dragonnx.model.bundle import read_manifest
from dragonnx.model.library import find_bundle

BUNDLED_PICTURE = Document(start=LatentStart(SEED), config=DragConfig(preset="paper"))
"""Of the bundled model; what can be dragged on it is in `support.bundled`."""
HANG = 300.0
"""Seconds after which a condition that does not come to hold is a failure."""


def ended(editor: Editor) -> None:
    """Wait until an editor that was closed has ended."""
    began = time.monotonic()
    editor.join(HANG)
    assert time.monotonic() - began < HANG, f"its worker did not end within {HANG:g} s"


class EditorRun:
    """An editor and its events. As a context it starts the editor, and ends it.

    Args:
        document: What to begin with.
        works: Whether there is a worker. Without one the bundled model is as good as open, but what
            is asked of the worker stays undone.
        settings: Of the `Editor`.
    """

    def __init__(
        self, document: Document = BUNDLED_PICTURE, *, works: bool = True, **settings
    ) -> None:
        self._posted: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._waiting: deque[Event] = deque()
        self.events: list[Event] = []
        """That the editor received."""
        self.told: list[Part] = []
        """Of each change."""
        self.said: list[str] = []
        """Every notice, as one line."""
        self.recovery = settings.setdefault("recovery", Recovery())
        self.editor = Editor(document, self._posted.put, device="cpu", **settings)
        self._works = works
        self.state.subscribe(self._changed)

    def __enter__(self) -> EditorRun:
        if self._works:
            self.editor.start()
        else:
            manifest = read_manifest(find_bundle("critters"))
            self.editor.receive(ModelOpened("critters", manifest, "cpu"))
        return self

    def __exit__(self, *error) -> None:
        self.editor.close()
        ended(self.editor)

    @property
    def state(self) -> EditorState:
        return self.editor.state

    @property
    def document(self) -> Document:
        return self.editor.document

    @property
    def scene(self) -> Scene:
        return self.editor.scene

    @property
    def notice(self) -> str:
        return self.state.notice.line

    def count(self, kind: type[Event]) -> int:
        """How many events of a kind were received."""
        return len(self.all(kind))

    def all(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]

    def until(self, condition: Callable[[], bool]) -> None:
        """Receive events until a condition holds."""
        ends = time.monotonic() + HANG
        while not condition():
            self._receive(self._waiting.popleft() if self._waiting else self._next(ends))

    def received(self, kind: type[Event], count: int = 1) -> Event:
        """Receive events until there were so many of a kind; the last of them."""
        self.until(lambda: self.count(kind) >= count)
        return self.all(kind)[count - 1]

    def posted(self, kind: type[Event]) -> Event:
        """Wait until an event is on its way, which the editor does not know yet."""
        ends = time.monotonic() + HANG
        while True:
            event = self._next(ends)
            self._waiting.append(event)
            if isinstance(event, kind):
                return event

    def settled(self) -> None:
        """Receive events until nothing runs and the picture is the document's."""
        self.until(lambda: self.state.running is None and self.state.shows_document)

    def place(self, *pixels: tuple[int, int]) -> None:
        for pixel in pixels:
            self.editor.points.place(pixel)

    def drag_to_the_end(self) -> None:
        """Drag, until the picture is what the drag reached."""
        self.editor.drag.start_or_pause()
        self.settled()

    def _next(self, ends: float) -> Event:
        try:
            return self._posted.get(timeout=max(ends - time.monotonic(), 0))
        except queue.Empty:
            came = [type(event).__name__ for event in self.events[-5:]]
            raise AssertionError(
                f"it did not come within {HANG:g} s. Last events: {came}; notice: {self.notice!r}; "
                f"phase: {self.state.phase}"
            ) from None

    def _receive(self, event: Event) -> None:
        self.events.append(event)
        self.editor.receive(event)

    def _changed(self, parts: Part) -> None:
        self.told.append(parts)
        if Part.NOTICE in parts:
            self.said.append(self.notice)
