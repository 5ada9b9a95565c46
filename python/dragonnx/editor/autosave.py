"""Writes the document after every edit, on a thread of its own, the newest one only.

Each copy is on the disk, not only on its way there, before it replaces the one before: otherwise a
power cut could leave neither. That takes less than a millisecond to some tens of them, and on a slow
disk versions in between are left out; no key waits for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from dragonnx.document import Document, Recovery
from dragonnx.editor.events import AutosaveFailed, Event, reason_of

_LOOK_EVERY = 60.0
"""Seconds between two looks at whether the copy is still there."""


class Autosave:
    """Keeps a copy of the document that survives a kill.

    Args:
        recovery: Where to.
        post: Told on the thread, once, when writing fails.
    """

    def __init__(self, recovery: Recovery, post: Callable[[Event], object]) -> None:
        self._recovery = recovery
        self._post = post
        self._newest: tuple[Document, Path | None] | None = None
        self._written: tuple[Document, Path | None] | None = None
        self._wake = threading.Condition()
        self._closed = False
        self._busy = False
        self._complained = False
        self._thread = threading.Thread(target=self._run, name="autosave", daemon=True)
        self._thread.start()

    def note(self, document: Document, saved_as: Path | None) -> None:
        """Write this document soon."""
        with self._wake:
            self._newest = (document, saved_as)
            self._wake.notify_all()

    def flush(self, seconds: float = 5.0) -> bool:
        """Wait until everything is written; whether it is."""
        with self._wake:
            done = self._wake.wait_for(lambda: self._newest is None and not self._busy, seconds)
            return done and not self._complained

    def close(self) -> None:
        """End the thread after what waits."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        self._thread.join(5.0)

    def leave(self, *, keep: bool) -> None:
        """After `close`, remove the copy.

        Args:
            keep: Leave it for the next editor to recover.
        """
        if keep:
            self._recovery.close()
        else:
            self._recovery.clear()

    def _run(self) -> None:
        while (newest := self._next()) is not None:
            try:
                self._recovery.save(*newest)
                self._complained = False
                self._written = newest
            except Exception as error:  # whatever it is, later edits are worth another try
                if not self._complained:
                    self._complained = True
                    self._post(AutosaveFailed(reason_of(error)))

    def _next(self) -> tuple[Document, Path | None] | None:
        """What to write next, once there is something; None at the end.

        A copy that somebody removed (a cleaning program, another editor where files cannot be
        locked) is written again.
        """
        with self._wake:
            self._busy = False
            self._wake.notify_all()
            while not self._wake.wait_for(
                lambda: self._newest is not None or self._closed, _LOOK_EVERY
            ):
                if self._written is not None and not self._recovery.is_there():
                    self._newest = self._written
            newest, self._newest = self._newest, None
            self._busy = newest is not None
            return newest
