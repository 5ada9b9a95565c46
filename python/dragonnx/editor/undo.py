"""Undo and redo."""

from __future__ import annotations

from dragonnx.editor.state import EditorState


class UndoCommands:
    """Going back and forth among the documents that were.

    Args:
        state: The editor's.
    """

    def __init__(self, state: EditorState) -> None:
        self._state = state

    def undo(self) -> None:
        """Take back the last edit; a whole drag is one."""
        state = self._state
        state.when_idle(lambda: self._follow(state.history.undo(), "Undid", "Nothing to undo."))

    def redo(self) -> None:
        """Bring back what was undone."""
        state = self._state
        state.when_idle(lambda: self._follow(state.history.redo(), "Did again", "Nothing to redo."))

    def _follow(self, label: str | None, verb: str, nothing: str) -> None:
        state = self._state
        if label is None:
            state.say(nothing)
            return
        state.document_changed()
        state.say(f"{verb}: {label}.")
