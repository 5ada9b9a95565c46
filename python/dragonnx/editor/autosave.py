"""Writes the document after every edit, on a thread of its own, the newest one only.

Each copy is on the disk, not only on its way there, before it replaces the one before: otherwise a
power cut could leave neither. That takes less than a millisecond to some tens of them, and on a slow
disk versions in between are left out; no key waits for it.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from dragonnx.document import Document, Recovery
from dragonnx.editor.events import AutosaveFailed, Event, reason_of
from dragonnx.types import Picture

_LOOK_EVERY = 60.0
"""Seconds between two looks at whether the copy is still there."""
_PREVIEW_SIZE = (96, 96)
"""Pixels at most: the picture in the copy is there to recognise it, and edits do not wait for it."""


@dataclass(frozen=True, eq=False)
class _Copy:
    """What is written: a document, the file that it belongs to, and how it looks."""

    document: Document
    saved_as: Path | None
    digest: str | None
    picture: Picture | None

    def preview(self) -> bytes | None:
        """The picture as a small PNG."""
        if self.picture is None:
            return None
        small, content = Image.fromarray(self.picture), io.BytesIO()
        small.thumbnail(_PREVIEW_SIZE)
        small.save(content, "PNG", compress_level=1)
        return content.getvalue()


class Autosave:
    """Keeps a copy of the document that survives a kill.

    Args:
        recovery: Where to.
        post: Told on the thread, once, when writing fails.
    """

    def __init__(self, recovery: Recovery, post: Callable[[Event], object]) -> None:
        self._recovery = recovery
        self._post = post
        self._noted: _Copy | None = None
        self._newest: _Copy | None = None
        self._written: _Copy | None = None
        self._wake = threading.Condition()
        self._closed = False
        self._busy = False
        self._complained = False
        self._thread = threading.Thread(target=self._run, name="autosave", daemon=True)
        self._thread.start()

    def note(
        self,
        document: Document,
        saved_as: Path | None,
        digest: str | None = None,
        picture: Picture | None = None,
    ) -> None:
        """Write this document soon.

        Args:
            document: It.
            saved_as: Its file, where it has one.
            digest: Of what that file held when it was read or written last.
            picture: How the document looks, where that is known yet.
        """
        with self._wake:
            self._newest = self._noted = _Copy(document, saved_as, digest, picture)
            self._wake.notify_all()

    def add_picture(self, document: Document, picture: Picture) -> None:
        """Have the copy show a document's picture, which came after it."""
        with self._wake:
            copy = self._noted
            if copy is not None and copy.document is document and copy.picture is None:
                self._newest = self._noted = replace(copy, picture=picture)
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
                self._recovery.save(
                    newest.document,
                    newest.saved_as,
                    digest=newest.digest,
                    preview=newest.preview(),
                )
                self._complained = False
                self._written = newest
            except Exception as error:  # whatever it is, later edits are worth another try
                if not self._complained:
                    self._complained = True
                    self._post(AutosaveFailed(reason_of(error)))

    def _next(self) -> _Copy | None:
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
