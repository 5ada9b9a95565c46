"""Autosave, and finding what a killed editor left behind.

Each editor writes its own file, holds a lock beside it, and removes both when it ends well. A file
that nobody holds is work that was lost on the way: a crash, a kill, a broken connection.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from dragonnx.document.archive import SUFFIX, open_document, save_document
from dragonnx.document.state import Document
from dragonnx.errors import InputError


@dataclass(frozen=True)
class LostWork:
    """A document that an editor left behind.

    Attributes:
        path: The autosaved document.
        saved_as: The file that the person had given it, if any.
    """

    path: Path
    saved_as: Path | None


class Recovery:
    """Autosaves one editor's document in a folder that all editors share.

    Args:
        folder: Where; by default the user's state folder, or DRAGONNX_STATE.
        process: The process that owns the file.
    """

    def __init__(self, folder: Path | None = None, process: int | None = None) -> None:
        self._folder = folder or state_folder() / "autosave"
        self._process = os.getpid() if process is None else process
        self._path = self._folder / f"{self._process}{SUFFIX}"
        self._lock: int | None = None

    def save(self, document: Document, saved_as: Path | None = None) -> None:
        """Write the document, all or nothing.

        Raises:
            InputError: The file cannot be written.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if self._lock is None:
                self._lock = os.open(self._note(self._path), os.O_RDWR | os.O_CREAT, 0o600)
                _locked(self._lock)
            note = json.dumps({"saved_as": str(saved_as.resolve()) if saved_as else None})
            os.ftruncate(self._lock, 0)
            os.pwrite(self._lock, note.encode(), 0)
        except OSError as error:
            raise InputError(
                f"autosave in {self._folder} failed ({error.strerror or error})"
            ) from error
        save_document(document, self._path)

    def clear(self) -> None:
        """Remove the file: the editor ended as its person wanted."""
        self.discard(LostWork(self._path, None))
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def lost(self) -> list[LostWork]:
        """What editors that no longer run left behind, the newest first."""
        found: list[tuple[float, LostWork]] = []
        try:
            paths = list(self._folder.glob(f"*{SUFFIX}"))
        except OSError:
            return []
        for path in paths:
            if path == self._path or self._is_held(path):
                continue
            try:
                found.append((path.stat().st_mtime, LostWork(path, self._saved_as(path))))
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
        """Remove an autosaved file."""
        for path in (work.path, self._note(work.path)):
            try:
                path.unlink(missing_ok=True)
            except OSError:  # a read-only folder: nothing can be done and nothing is lost
                continue

    def _is_held(self, path: Path) -> bool:
        """Whether the editor that wrote a file still runs."""
        try:
            handle = os.open(self._note(path), os.O_RDWR)
        except OSError:
            return False
        try:
            return not _locked(handle)
        finally:
            os.close(handle)

    def _saved_as(self, path: Path) -> Path | None:
        try:
            name = json.loads(self._note(path).read_text("utf-8"))["saved_as"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return Path(name) if isinstance(name, str) else None

    @staticmethod
    def _note(path: Path) -> Path:
        return path.with_suffix(".json")


def state_folder() -> Path:
    """Where the editor keeps what it remembers; DRAGONNX_STATE names another place."""
    if chosen := os.environ.get("DRAGONNX_STATE"):
        return Path(chosen).expanduser()
    import platformdirs

    return platformdirs.user_state_path("dragonnx")


def _locked(handle: int) -> bool:
    """Lock an open file until its process ends, however it ends; False where another has it."""
    try:
        import fcntl
    except ImportError:  # a system without such locks: nobody else is taken to run
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
