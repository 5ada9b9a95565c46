"""Undo and redo: the documents that were, and the one that is."""

from __future__ import annotations

from dataclasses import dataclass

from dragonnx.document.state import Document

MOST_EDITS = 500
"""Edits that can be undone."""
MOST_BYTES = 512 * 2**20
"""Bytes of masks and drags that are kept for undo."""


@dataclass(frozen=True)
class _Edit:
    """A document, what led to it, and the key by which further edits merge with it."""

    document: Document
    label: str
    merge_key: str | None


class History:
    """The documents from the oldest that can be undone to, to the newest.

    Args:
        document: The first one.
        most_edits: Edits that are kept.
        most_bytes: Bytes of arrays that are kept.
    """

    def __init__(
        self, document: Document, most_edits: int = MOST_EDITS, most_bytes: int = MOST_BYTES
    ) -> None:
        self._edits = [_Edit(document, "", None)]
        self._at = 0
        self._most_edits = most_edits
        self._most_bytes = most_bytes

    @property
    def document(self) -> Document:
        """The document as it is now."""
        return self._edits[self._at].document

    @property
    def undo_label(self) -> str | None:
        """What undo would take back; None where there is nothing."""
        return self._edits[self._at].label if self._at else None

    @property
    def redo_label(self) -> str | None:
        """What redo would bring back; None where there is nothing."""
        edits = self._edits
        return edits[self._at + 1].label if self._at + 1 < len(edits) else None

    def apply(self, label: str, document: Document, merge_key: str | None = None) -> bool:
        """Make `document` the current one.

        Args:
            label: What was done, for users: "move point 1".
            document: The result; the very same document is no edit.
            merge_key: Consecutive edits of one key are one step of undo.

        Returns:
            Whether it was an edit.
        """
        if document is self.document:
            return False
        current = self._edits[self._at]
        del self._edits[self._at + 1 :]
        if merge_key is not None and merge_key == current.merge_key:
            self._edits[self._at] = _Edit(document, label, merge_key)
        else:
            self._edits.append(_Edit(document, label, merge_key))
        self._forget()
        self._at = len(self._edits) - 1
        return True

    def finish_merging(self) -> None:
        """Let the next edit be its own step of undo, whatever its key."""
        edit = self._edits[self._at]
        self._edits[self._at] = _Edit(edit.document, edit.label, None)

    def undo(self) -> str | None:
        """Go back one edit and return its label; None where there is none."""
        label = self.undo_label
        if label is not None:
            self._at -= 1
        return label

    def redo(self) -> str | None:
        """Go forward one edit and return its label; None where there is none."""
        label = self.redo_label
        if label is not None:
            self._at += 1
        return label

    def _forget(self) -> None:
        """Drop the oldest documents beyond the limits; the newest two always stay."""
        counted: set[int] = set()
        total = 0
        keep = 0
        for edit in reversed(self._edits):
            total += edit.document.nbytes(counted)
            if keep >= 2 and (keep > self._most_edits or total > self._most_bytes):
                break
            keep += 1
        del self._edits[: len(self._edits) - keep]
