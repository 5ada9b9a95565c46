"""Offering what another editor left behind: a crash, a kill, a broken connection."""

from __future__ import annotations

from dragonnx.document import Recovery
from dragonnx.document.recovery import LostWork
from dragonnx.editor.state import DocumentFile, EditorState
from dragonnx.errors import InputError


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
            state.apply("recover", document, file=DocumentFile(work.saved_as))
            state.document_changed()
            if state.autosave.flush():
                self._recovery.discard(work)
            others = [other for other in self.all() if other != work]
            for other in others:
                self._recovery.release(other)
            also = f" {_left(len(others))}" if others else ""
            state.say(
                f"Recovered. Save it with Ctrl+S; u brings back an empty document.{also}", "good"
            )

        state.when_idle(use)

    def discard(self, work: LostWork) -> None:
        """Remove it."""
        self._recovery.discard(work)

    def keep(self, work: LostWork | None = None) -> None:
        """Leave it for another time; without a name all that was lost."""
        for each in self.all() if work is None else [work]:
            self._recovery.release(each)
        self._state.say("The lost document is kept; it is offered again at the next start.")


def _left(count: int) -> str:
    what = "Another lost document is" if count == 1 else f"{count} other lost documents are"
    return f"{what} kept for the next start."
