"""Autosave, and finding what a killed editor left behind.

Each editor writes a file of its own, holds a lock on the note beside it, and removes both when it
ends well. A file that nobody holds is work that was lost on the way: a crash, a kill, a broken
connection.
"""

from __future__ import annotations

import json
import os
import uuid
from dataclasses import dataclass
from pathlib import Path

from dragonnx.document.archive import SUFFIX, open_document, save_document
from dragonnx.document.state import Document
from dragonnx.errors import InputError
from dragonnx.files import lock, typed_path


@dataclass(frozen=True)
class LostWork:
    """A document that an editor left behind.

    Attributes:
        path: The autosaved document.
        saved_as: The file that the user had given it, if any.
    """

    path: Path
    saved_as: Path | None


class Recovery:
    """Autosaves one editor's document in a folder that all editors share.

    Args:
        folder: Where; by default the user's state folder, or DRAGONNX_STATE.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or state_folder() / "autosave"
        # Not the number of the process: in containers every editor may have the same.
        self._path = self._folder / f"{uuid.uuid4().hex}{SUFFIX}"
        self._held_note: int | None = None

    def save(self, document: Document, saved_as: Path | None = None) -> None:
        """Write the document, all or nothing.

        Raises:
            InputError: The file cannot be written.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._write_note(saved_as)
        except OSError as error:
            raise InputError(
                f"autosave in {self._folder} failed ({error.strerror or error})"
            ) from error
        save_document(document, self._path)

    def clear(self) -> None:
        """Remove the file: the editor ended as its user wanted."""
        if self._held_note is not None:
            # Before the file is removed, since Windows removes no file that is open.
            os.close(self._held_note)
            self._held_note = None
        self.discard(LostWork(self._path, None))

    def lost(self) -> list[LostWork]:
        """What editors that no longer run left behind, the newest first."""
        found: list[tuple[float, LostWork]] = []
        try:
            paths = list(self._folder.glob(f"[!.]*{SUFFIX}"))  # hidden: only being written
        except OSError:
            return []
        for path in paths:
            if path == self._path or _is_held(_note(path)):
                continue
            try:
                found.append((path.stat().st_mtime, LostWork(path, _saved_as(path))))
            except OSError:
                continue
        return [work for _, work in sorted(found, key=lambda pair: pair[0], reverse=True)]

    def recover(self, work: LostWork) -> Document:
        """The lost document. Its file stays until it is discarded.

        Raises:
            InputError: It cannot be read.
        """
        return open_document(work.path)

    def discard(self, work: LostWork) -> None:
        """Remove an autosaved file, and what a kill left of the next one half written."""
        unfinished = work.path.parent.glob(f".{work.path.stem}-*{SUFFIX}")
        for path in (work.path, _note(work.path), *unfinished):
            try:
                path.unlink(missing_ok=True)
            except OSError:  # a read-only folder: nothing can be done and nothing is lost
                continue

    def _write_note(self, saved_as: Path | None) -> None:
        """Say which file the document belongs to, in the note that is locked while we run."""
        if self._held_note is None:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
            self._held_note = os.open(_note(self._path), flags, 0o600)
            lock(self._held_note)  # nobody else knows the name
        note = json.dumps({"saved_as": str(saved_as.resolve()) if saved_as else None}).encode()
        os.lseek(self._held_note, 0, os.SEEK_SET)
        os.write(self._held_note, note)
        os.ftruncate(self._held_note, len(note))


def state_folder() -> Path:
    """Where the editor keeps what it remembers; DRAGONNX_STATE names another place."""
    if chosen := os.environ.get("DRAGONNX_STATE"):
        return typed_path(chosen)
    import platformdirs

    return platformdirs.user_state_path("dragonnx")


def _note(path: Path) -> Path:
    return path.with_suffix(".json")


def _is_held(note: Path) -> bool:
    """Whether the editor that wrote a note still runs."""
    try:
        handle = os.open(note, os.O_RDWR)
    except OSError:
        return False
    try:
        return not lock(handle)
    finally:
        os.close(handle)


def _saved_as(path: Path) -> Path | None:
    try:
        name = json.loads(_note(path).read_text("utf-8"))["saved_as"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Path(name) if isinstance(name, str) else None
