"""Files alike on every system: replaced whole, with the usual rights, locked, named by users."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from dragonnx.errors import InputError

_PATIENCE = 2.0
"""Seconds. A virus scanner or a search index lets go of a new file sooner; an editor never does."""
_PAUSE = 0.02
_REFUSED_WHILE_OPEN = (5, 32)
"""Windows' ERROR_ACCESS_DENIED and ERROR_SHARING_VIOLATION."""
_HELD_ELSEWHERE = (errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK)
_LOCKED_BYTE = 2**30
"""Behind all content: Windows keeps others from reading the bytes that are locked."""
_LONGEST_STEM = 40
"""Of a name that a temporary name begins with: file systems bound the length of names."""


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends well.

    A new file has the rights that any program's new files have; a file that is replaced keeps its
    own. Where the block raises, the temporary file is removed and `path` is as it was.

    Raises:
        OSError: The file cannot be made, or cannot take its place.
    """
    mode = _mode(path)
    # The suffix stays last, since libraries choose a format by it.
    name = f".{path.stem[:_LONGEST_STEM]}-{secrets.token_hex(8)}{path.suffix}"
    temporary = path.parent / name
    # The system itself takes the umask's rights off.
    rights = 0o666 if mode is None else mode | stat.S_IWUSR | stat.S_IRUSR
    os.close(os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, rights))
    try:
        yield temporary
        if mode not in (None, _mode(temporary)):
            temporary.chmod(mode)
        move(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):  # what went wrong first is what counts
            temporary.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """As `atomic_path`, for what a user saves.

    Raises:
        InputError: The file cannot be written.
    """
    try:
        with atomic_path(path) as temporary:
            yield temporary
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


def lock(handle: int) -> bool:
    """Lock an open file until it is closed or its process ends, however it ends.

    What is locked can still be read. Another handle of the same process is another holder.

    Args:
        handle: A file descriptor that may be written to; its position may change.

    Returns:
        False where another holds the lock. True also where the system or the file system has no
        locks: then nobody is taken to hold one.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(handle, _LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ImportError:
        return True
    except OSError as error:
        return error.errno not in _HELD_ELSEWHERE
    return True


def typed_path(text: str) -> Path:
    """A path as a user types it: `~` is the home folder, where there is one."""
    # Path.expanduser raises for a user that does not exist; this leaves such a name as it is.
    return Path(os.path.expanduser(text))  # noqa: PTH111


def _mode(path: Path) -> int | None:
    """The rights of a file; None where there is none, or something else than a file."""
    try:
        facts = path.stat()
    except OSError:
        return None
    return stat.S_IMODE(facts.st_mode) & 0o777 if stat.S_ISREG(facts.st_mode) else None


def _is_read_only(path: Path) -> bool:
    return path.exists() and not os.access(path, os.W_OK)
