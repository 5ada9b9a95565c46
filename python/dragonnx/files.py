"""Files alike on every system: replaced whole and kept, with the usual rights, locked."""

from __future__ import annotations

import contextlib
import errno
import functools
import io
import os
import re
import secrets
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from dragonnx.errors import InputError, OutputError
from dragonnx.locks import locked_file, remove_abandoned
from dragonnx.paths import as_path

_PATIENCE = 2.0
"""Seconds. A virus scanner or a search index lets go of a new file sooner; an editor never does."""
_PAUSE = 0.02
_REFUSED_WHILE_OPEN = (5, 32)
"""Windows' ERROR_ACCESS_DENIED and ERROR_SHARING_VIOLATION."""
_UNFINISHED = re.compile(r"\.dragonnx-[0-9a-f]{16}(\..*)?", re.DOTALL)
"""Names of temporary files."""
_LONGEST_SUFFIX = 50
"""Characters that a temporary name takes over: file systems bound the length of names."""
_CANNOT_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)
"""From file systems that write when they like, as some of networks do."""
_BINARY = getattr(os, "O_BINARY", 0)
"""Windows changes the ends of lines without it."""


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path that takes the place of `path` when the block ends well.

    Whenever the process or the machine stops, `path` holds the old content or the new one, whole;
    when this ends, the new one is on the disk. Where the block raises, `path` is as it was.

    A new file has the rights that any program's new files have; one that is replaced keeps its own
    (but for setuid and setgid), and its owner where we may give files away. A symbolic link stays,
    and what it points to is replaced. Of a file with several names (hard links) the others keep the
    old content. A device or a pipe is written into, and never replaced.

    Temporary files that killed processes left beside `path` are removed.

    Raises:
        OSError: The file cannot be made, written, or take its place.
    """
    facts = _facts(path)
    if facts is not None and not stat.S_ISREG(facts.st_mode):
        with _temporary(Path(tempfile.gettempdir()), path.suffix) as (temporary, _):
            yield temporary
            _pour(temporary, path, facts)
        return
    target = Path(os.path.realpath(path)) if path.is_symlink() else path
    # The system itself takes the umask's rights off.
    rights = 0o666 if facts is None else facts.st_mode & 0o777 | stat.S_IWUSR | stat.S_IRUSR
    # The suffix stays, since libraries choose a format by it.
    with _temporary(target.parent, path.suffix, rights) as (temporary, handle):
        yield temporary
        if facts is not None:
            _inherit(temporary, facts)
        sync(handle.fileno())
        if sys.platform == "win32":  # it moves no file that is open
            handle.close()
        move(temporary, target)
        sync_folder(target.parent)


@contextlib.contextmanager
def written_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """As `atomic_path`, for what a user saves.

    Raises:
        OutputError: The file cannot be written.
    """
    path = as_path(path)
    try:
        with atomic_path(path) as temporary:
            yield temporary
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror or error})") from error


def save_bytes(content: bytes, path: str | os.PathLike[str]) -> None:
    """Write a file's content, as `written_whole` does.

    Raises:
        OutputError: The file cannot be written.
    """
    with written_whole(path) as temporary:
        temporary.write_bytes(content)


def check_writable(path: Path) -> None:
    """Refuse a place that `atomic_path` could not write to, as far as that can be known before.

    Raises:
        InputError: It is a folder, its folder is missing or takes no new files, or the name cannot
            be used.
    """
    try:
        facts = _facts(path)
        if facts is None or stat.S_ISREG(facts.st_mode):
            target = Path(os.path.realpath(path))
            with _temporary(target.parent, path.suffix):
                return
        _check_device(path, facts)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror or error})") from error


def move(source: Path, target: Path) -> None:
    """Rename within a folder, over a file that is there too.

    Windows refuses while another program has either open, so this waits a little for it.

    Raises:
        OSError: It cannot be renamed; the reason is a sentence where a program holds it open.
    """
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            source.replace(target)
        except PermissionError as error:
            if getattr(error, "winerror", None) not in _REFUSED_WHILE_OPEN or _is_read_only(target):
                raise
            if time.monotonic() >= end:
                reason = "another program has it open: close it there and try again"
                raise PermissionError(error.errno, reason, str(target)) from error
        else:
            return
        time.sleep(_PAUSE)


def remove_unfinished(folder: Path) -> None:
    """Remove the temporary files of `atomic_path` in a folder whose processes are gone."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if _UNFINISHED.fullmatch(entry.name):
                remove_abandoned(Path(entry.path))


def sync(handle: int) -> None:
    """Have what was written to an open file or folder on the disk, where it can be told so.

    Raises:
        OSError: The disk refuses it.
    """
    try:
        if sys.platform == "darwin":
            import fcntl

            # Its fsync leaves what was written in the disk's own memory.
            fcntl.fcntl(handle, fcntl.F_FULLFSYNC)
        else:
            os.fsync(handle)
    except OSError as error:
        if error.errno not in _CANNOT_SYNC:
            raise


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk, where the system can be told so.

    Raises:
        OSError: The disk refuses it.
    """
    if sys.platform != "win32":  # it opens no folder
        handle = os.open(folder, os.O_RDONLY)
        try:
            sync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def _temporary(folder: Path, suffix: str, rights: int = 0o666) -> Iterator[tuple[Path, io.FileIO]]:
    """A file of a name that `remove_unfinished` knows, locked; it is gone when the block ends."""
    _remove_unfinished_once(folder.absolute())
    if len(suffix) > _LONGEST_SUFFIX:
        suffix = ""
    path = folder / f".dragonnx-{secrets.token_hex(8)}{suffix}"
    with io.FileIO(locked_file(path, rights), "r+") as handle:
        try:
            yield path, handle
        finally:
            if sys.platform == "win32":  # it removes no file that is open
                handle.close()
            with contextlib.suppress(OSError):  # what went wrong first is what counts
                path.unlink(missing_ok=True)


@functools.lru_cache
def _remove_unfinished_once(folder: Path) -> None:
    """Once for each folder, since looking through a large one takes time."""
    remove_unfinished(folder)


def _facts(path: Path) -> os.stat_result | None:
    """Of a file, or what a link points to; None where there is none yet.

    Raises:
        OSError: Nobody may look, or no file can have that name.
    """
    try:
        return path.stat()
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise OSError(errno.EINVAL, "no file can have such a name", str(path)) from error


def _check_device(path: Path, facts: os.stat_result) -> None:
    """Refuse what is no file, but a folder or a disk."""
    if stat.S_ISDIR(facts.st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder: name a file in it", str(path))
    if stat.S_ISBLK(facts.st_mode):
        raise PermissionError(errno.EPERM, "it is a whole disk", str(path))


def _pour(source: Path, device: Path, facts: os.stat_result) -> None:
    """Copy a file into a device or a pipe."""
    _check_device(device, facts)
    into = os.open(device, os.O_WRONLY | _BINARY)
    with source.open("rb") as content, os.fdopen(into, "wb") as stream:
        shutil.copyfileobj(content, stream)


def _inherit(path: Path, facts: os.stat_result) -> None:
    """Give a file the owner, as far as we may, and the rights of the one that it replaces."""
    if sys.platform != "win32":
        mine = path.stat()
        if (mine.st_uid, mine.st_gid) != (facts.st_uid, facts.st_gid):
            # Only root gives files away; a group one must belong to.
            for owner in (facts.st_uid, -1):
                with contextlib.suppress(OSError):
                    os.chown(path, owner, facts.st_gid)
                    break
    if path.stat().st_mode & 0o777 != facts.st_mode & 0o777:
        path.chmod(facts.st_mode & 0o777)


def _is_read_only(path: Path) -> bool:
    return path.exists() and not os.access(path, os.W_OK)
