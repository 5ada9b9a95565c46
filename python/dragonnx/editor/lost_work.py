"""Offering what another editor left behind: a crash, a kill, a broken connection."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from dragonnx.document import Recovery
from dragonnx.document.archive import read_preview
from dragonnx.document.recovery import LostWork
from dragonnx.editor.document_file import DocumentFile
from dragonnx.editor.phase import Idle
from dragonnx.editor.state import EditorState
from dragonnx.errors import InputError
from dragonnx.reading.pictures import read_picture
from dragonnx.types import Picture


@dataclass(frozen=True, eq=False)
class LostDocument:
    """What a user recognises lost work by.

    Attributes:
        facts: Its model, start, points and steps, in a line; or why it cannot be read.
        picture: How it looks; None where that is not known.
        is_readable: Whether it can be recovered.
    """

    facts: str
    picture: Picture | None = None
    is_readable: bool = True


class LostWorkCommands:
    """What can be done with lost work.

    Args:
        state: The editor's.
        recovery: Knows what was lost.
    """

    def __init__(self, state: EditorState, recovery: Recovery) -> None:
        self._state = state
        self._recovery = recovery

    def all(self) -> list[LostWork]:
        """What was lost and is not yet recovered or discarded, the newest first.

        It is kept from other editors until `keep`, or until this one ends.
        """
        return self._recovery.lost()

    def newest(self) -> LostWork | None:
        """The first of `all`."""
        return next(iter(self.all()), None)

    @staticmethod
    def name(work: LostWork) -> str:
        """What it is called."""
        return work.saved_as.name if work.saved_as else "a document that was never saved"

    @staticmethod
    def when(work: LostWork) -> datetime:
        """When it was autosaved, in the user's time zone."""
        return datetime.fromtimestamp(work.written).astimezone()

    def look(self, work: LostWork) -> LostDocument:
        """Read what a user recognises it by; what cannot be read is said, and stays."""
        try:
            document = self._recovery.recover(work)
        except InputError as error:
            return LostDocument(str(error), is_readable=False)
        steps = 0 if document.result is None else document.result.steps
        facts = (
            f"{document.model}, {document.start.describe()}, "
            f"{_count(len(document.pairs), 'point')}, {_count(steps, 'step')}"
        )
        return LostDocument(facts, _picture(work))

    def recover(self, work: LostWork) -> None:
        """Go on with it. Its file goes only when the work is autosaved here.

        What else was lost is kept for another start: this editor keeps a copy of one document.
        """
        state = self._state
        try:
            document = self._recovery.recover(work)
        except InputError as error:
            state.say(str(error), "bad", "Could not recover")
            return

        def use() -> None:
            state.enter(Idle.on(document))
            state.apply("recover", document, file=DocumentFile(work.saved_as, digest=work.digest))
            state.document_changed()
            if state.autosave.flush():
                self._recovery.discard(work)
            others = [other for other in self.all() if other != work]
            for other in others:
                self._recovery.release(other)
            also = f" {_left(len(others))}" if others else ""
            state.say(f"Recovered. Save it with Ctrl+S; u brings back what was here.{also}", "good")

        state.when_idle(use)

    def discard(self, work: LostWork) -> None:
        """Remove it."""
        self._recovery.discard(work)

    def keep(self, work: LostWork | None = None) -> None:
        """Leave it for another time; without a name all that was lost."""
        kept = self.all() if work is None else [work]
        for each in kept:
            self._recovery.release(each)
        if kept:
            self._state.say(_left(len(kept), first=True))


def _left(count: int, *, first: bool = False) -> str:
    """How many lost documents are kept for the next start."""
    if first:
        what = "The lost document is" if count == 1 else f"{count} lost documents are"
        return f"{what} kept; offered again at the next start."
    what = "Another lost document is" if count == 1 else f"{count} other lost documents are"
    return f"{what} kept for the next start."


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _picture(work: LostWork) -> Picture | None:
    """The small picture in its file; the work counts, not how it looks."""
    try:
        preview = read_preview(work.path)
        return None if preview is None else np.asarray(read_picture(preview, "").convert("RGB"))
    except InputError:
        return None
