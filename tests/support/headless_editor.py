"""The editor without a screen, under test."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from pathlib import Path

from support.bundled import SEED

from dragonnx.document import Document, LatentStart, Recovery
from dragonnx.editor import Editor
from dragonnx.editor.events import Event, ModelOpened
from dragonnx.editor.state import Part
from dragonnx.model.bundle import read_manifest
from dragonnx.model.library import find_bundle

HANG = 300.0
"""Seconds after which an event that does not come is a failure; a busy machine takes long."""
MANIFEST = read_manifest(find_bundle("critters"))


class HeadlessEditor(Editor):
    """An editor whose events are taken from a queue: in a test's thread, when the test says so.

    Args:
        document: What to begin with; by default the bundled model's picture that tests know.
        recovery: Where to autosave.
        works: Whether there is a worker. Without one, the model is as good as open, but what is
            asked of the worker stays undone: all commands then take no time.
    """

    def __init__(
        self,
        document: Document | None = None,
        *,
        recovery: Recovery | None = None,
        works: bool = True,
    ) -> None:
        self._queue: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.events: list[Event] = []
        self.parts = Part(0)
        """All that was told to have changed."""
        document = document or Document(start=LatentStart(SEED))
        super().__init__(document, self._queue.put, device="cpu", recovery=recovery)
        self.state.subscribe(self._note)
        self._works = works

    def __enter__(self) -> HeadlessEditor:
        if self._works:
            self.start()
            self.settle()
        else:
            self.receive(ModelOpened("critters", MANIFEST, "cpu"))
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
        if self._works:
            self.join()

    def _note(self, parts: Part) -> None:
        self.parts |= parts

    # --- looking ------------------------------------------------------------------------------

    @property
    def status(self) -> str:
        return self.state.notice.line

    def count(self, kind: type[Event]) -> int:
        return sum(isinstance(event, kind) for event in self.events)

    def newest(self, kind: type[Event]) -> Event:
        return next(event for event in reversed(self.events) if isinstance(event, kind))

    # --- going on -----------------------------------------------------------------------------

    def until(self, condition: Callable[[], bool]) -> None:
        """Take events until a condition holds."""
        end = time.monotonic() + HANG
        while not condition():
            self._take(max(end - time.monotonic(), 0.001))

    def came(self, kind: type[Event], count: int = 1) -> None:
        """Take events until there were so many of a kind."""
        self.until(lambda: self.count(kind) >= count)

    def settle(self) -> None:
        """Take events until nothing runs and the picture is the document's."""
        self.until(lambda: self.state.running is None and self.state.shows_document)

    def _take(self, seconds: float) -> None:
        event = self._queue.get(timeout=seconds)
        self.events.append(event)
        self.receive(event)

    # --- short ways ---------------------------------------------------------------------------

    def at(self, x: int, y: int) -> HeadlessEditor:
        """Put the cross-hair on a pixel."""
        self.pointer.hover((x, y))
        return self

    def place(self, *pixels: tuple[int, int]) -> None:
        """Place points."""
        for pixel in pixels:
            self.at(*pixel).pointer.use()

    def drag_to_the_end(self) -> None:
        """Drag, and wait for the end and the picture."""
        self.drag.start_or_pause()
        self.settle()

    def open(self, path: Path | str) -> None:
        self.files.open(Path(path))
