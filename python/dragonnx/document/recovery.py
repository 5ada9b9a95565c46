"""Autosave, and finding what a killed editor left behind.

Each editor writes a file of its own, holds a lock on the note beside it, and removes both when it
ends well. A file whose note nobody holds is work that was lost on the way: a crash, a kill, a broken
connection. Who is offered it takes the note's lock, so that two editors never get the same.

Where a file system has no locks, what a living editor wrote is offered too; that editor writes it
again when it is gone. So work may be there twice, but is never lost.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path

from dragonnx.document.archive import SUFFIX, open_document, save_document
from dragonnx.document.state import LONGEST_PATH, Document
from dragonnx.errors import InputError
from dragonnx.files import remove_unfinished
from dragonnx.locks import is_at, lock, locked_file, remove_abandoned
from dragonnx.paths import user_folder
from dragonnx.reading.json_text import parse_json
from dragonnx.reading.regular_file import read_bytes
from dragonnx.reading.values import record, text

_LARGEST_NOTE = 2**16
"""Bytes of the note beside lost work: a path, and little else."""
_LONGEST_DIGEST = 64


@dataclass(frozen=True)
class LostWork:
    """A document that an editor left behind.

    Attributes:
        path: The autosaved document.
        saved_as: The file that the user had given it, if any.
        digest: What was in that file when the editor read or wrote it last, as `digest_of` tells
            it; None where that is not known.
        written: When the document was autosaved, in seconds since 1970.
    """

    path: Path
    saved_as: Path | None
    digest: str | None = None
    written: float = 0.0


class Recovery:
    """Autosaves one editor's document in a folder that all editors share.

    Args:
        folder: Where; by default in `state_folder`.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._chosen = folder
        # Not the number of the process: in containers every editor may have the same.
        self._name = f"{uuid.uuid4().hex}{SUFFIX}"
        self._note: int | None = None
        self._claims: dict[Path, int] = {}
        """Held notes of lost work, by its path."""

    def save(
        self,
        document: Document,
        saved_as: Path | None = None,
        *,
        digest: str | None = None,
        preview: bytes | None = None,
    ) -> None:
        """Write the document, all or nothing.

        Args:
            document: It.
            saved_as: The file that the user has given it, if any.
            digest: Of that file, as the editor knows it.
            preview: The document's picture as PNG, to be recognised by.

        Raises:
            InputError: The file cannot be written.
        """
        folder = self._folder()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._write_note(_note_of(folder / self._name), saved_as, digest)
        except OSError as error:
            raise InputError(f"autosave in {folder} failed ({error.strerror or error})") from error
        save_document(document, folder / self._name, preview)

    def leave(self, document: Document, preview: bytes | None = None) -> None:
        """Leave a document to the next editor, beside the one that is autosaved. From any thread.

        Args:
            document: It.
            preview: Its picture as PNG, to be recognised by.

        Raises:
            InputError: The file cannot be written.
        """
        folder = self._folder()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{folder} cannot be made ({error.strerror or error})") from error
        save_document(document, folder / f"{uuid.uuid4().hex}{SUFFIX}", preview)

    def is_there(self) -> bool:
        """Whether what was saved last is still there, and known to be a living editor's."""
        try:
            path = self._folder() / self._name
            return path.is_file() and self._holds(_note_of(path))
        except (InputError, OSError):
            return False

    def clear(self) -> None:
        """Remove the file and `close`: the editor ended as its user wanted."""
        if self._note is not None:
            self._remove(self._folder() / self._name, self._note)
            self._note = None
        self.close()

    def close(self) -> None:
        """Leave the file, and lost work that was claimed, to other editors."""
        if self._note is not None:
            os.close(self._note)
            self._note = None
        while self._claims:
            os.close(self._claims.popitem()[1])

    def lost(self) -> list[LostWork]:
        """What editors that no longer run left behind, the newest first.

        It is this one's until it is discarded, released, or this process ends.
        """
        try:
            folder = self._folder()
            paths = list(folder.glob(f"[!.]*{SUFFIX}"))
            notes = list(folder.glob("[!.]*.json"))
        except (InputError, OSError):  # where nothing can be kept, nothing was
            return []
        remove_unfinished(folder)
        for note in notes:
            if not note.with_suffix(SUFFIX).exists():
                remove_abandoned(note)
        found: list[LostWork] = []
        for path in paths:
            if path.name != self._name and self._claim(path):
                with contextlib.suppress(OSError):  # another one took it just now
                    found.append(LostWork(path, *_noted(path), path.stat().st_mtime))
        return sorted(found, key=lambda work: work.written, reverse=True)

    def recover(self, work: LostWork) -> Document:
        """The lost document. Its file stays until it is discarded.

        Raises:
            InputError: It cannot be read.
        """
        return open_document(work.path)

    def release(self, work: LostWork) -> None:
        """Leave lost work to the next editor that asks for it."""
        if work.path in self._claims:
            os.close(self._claims.pop(work.path))

    def discard(self, work: LostWork) -> None:
        """Remove lost work, and what a kill left of the next one half written."""
        self._remove(work.path, self._claims.pop(work.path, None))

    def _folder(self) -> Path:
        return self._chosen or state_folder() / "autosave"

    def _claim(self, path: Path) -> bool:
        """Hold the note of another's document; False where an editor holds it."""
        if path in self._claims:
            return True
        try:
            handle = os.open(_note_of(path), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:  # a folder that cannot be written: rather offered twice than never
            return True
        if not lock(handle) or not path.exists():
            os.close(handle)
            return False
        self._claims[path] = handle
        return True

    def _remove(self, path: Path, held: int | None) -> None:
        """Remove a document, then its note, which nobody else gets hold of meanwhile."""
        note = _note_of(path)
        # As 0.1.0 called what it had not finished.
        for each in (path, *path.parent.glob(f".{path.stem}-*{SUFFIX}")):
            _unlink(each)
        if sys.platform != "win32":
            _unlink(note)
        if held is not None:
            os.close(held)
        if sys.platform == "win32":  # it removes no file that is open
            _unlink(note)

    def _write_note(self, path: Path, saved_as: Path | None, digest: str | None) -> None:
        """Say which file the document belongs to, in the note that is locked while we run."""
        if self._note is None or not self._holds(path):
            if self._note is not None:  # somebody removed it
                os.close(self._note)
            self._note = locked_file(path, 0o600)
        # The folder that a relative path starts from may be gone.
        with contextlib.suppress(OSError, RuntimeError):
            saved_as = saved_as and saved_as.resolve()
        facts = {"saved_as": str(saved_as) if saved_as else None, "digest": digest}
        note = json.dumps(facts).encode()
        os.lseek(self._note, 0, os.SEEK_SET)
        os.write(self._note, note)
        os.ftruncate(self._note, len(note))

    def _holds(self, note: Path) -> bool:
        """Whether it is the one that we hold."""
        return self._note is not None and is_at(self._note, note)


def state_folder() -> Path:
    """Where the editor keeps what it remembers; DRAGONNX_STATE names another place.

    Raises:
        InputError: There is no home folder.
    """
    return user_folder("state", "DRAGONNX_STATE")


def _note_of(path: Path) -> Path:
    return path.with_suffix(".json")


def _noted(path: Path) -> tuple[Path | None, str | None]:
    """The file that a document belongs to, and the digest of what was in it."""
    note = _note_of(path)
    try:
        facts = record(parse_json(read_bytes(note, _LARGEST_NOTE), str(note)), str(note))
        name, digest = facts.get("saved_as"), facts.get("digest")
        return (
            None if name is None else Path(text(name, "saved_as", LONGEST_PATH)),
            None if digest is None else text(digest, "digest", _LONGEST_DIGEST),
        )
    except InputError:  # the work counts, not what its file was called
        return None, None


def _unlink(path: Path) -> None:
    # A read-only folder: nothing can be done and nothing is lost.
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
