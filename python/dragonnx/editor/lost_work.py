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

    def newest(self) -> LostWork | None:
        """What was lost last and is not yet recovered or discarded."""
        return next(iter(self._recovery.lost()), None)

    @staticmethod
    def name(work: LostWork) -> str:
        """What it is called."""
        return work.saved_as.name if work.saved_as else "a document that was never saved"

    def recover(self, work: LostWork) -> None:
        """Go on with it. Its file goes only when the work is autosaved here."""
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
            state.say("Recovered. Save it with Ctrl+S; u brings back an empty document.", "good")

        state.when_idle(use)

    def discard(self, work: LostWork) -> None:
        """Remove it."""
        self._recovery.discard(work)

    def keep(self) -> None:
        """Leave it for another time."""
        self._state.say("The lost document is kept; it is offered again at the next start.")
