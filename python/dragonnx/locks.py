"""Locks on files: who is at work on one, and removing what those left who ended in the middle."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import time
from pathlib import Path

_HELD_ELSEWHERE = (errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK)
_LOCKED_BYTE = 2**30
"""Behind all content: Windows keeps others from reading the bytes that are locked."""
_A_DAY = 24 * 3600
_PATIENCE = 2.0
"""Seconds for another process to remove a file: far more than it takes."""
_PAUSE = 0.01
_BINARY = getattr(os, "O_BINARY", 0)
"""Windows changes the ends of lines without it."""
_NO_SURPRISES = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""No link is followed, no pipe waited for."""


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


def is_locked(path: Path) -> bool:
    """Whether somebody, this process too, holds the lock of a file; False where there are no locks.

    Raises:
        OSError: The file cannot be opened for writing.
    """
    handle = os.open(path, os.O_RDWR | _NO_SURPRISES)
    try:
        return not lock(handle)
    finally:
        os.close(handle)


def locked_file(path: Path, rights: int = 0o666) -> int:
    """Make a file and lock it; whoever finds it unlocked may take it for abandoned.

    Args:
        path: Where; a name that nobody else uses.
        rights: Of the file; the umask's are taken off.

    Returns:
        Its descriptor, to read and write. Closing it unlocks the file.

    Raises:
        OSError: It cannot be made.
    """
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY, rights)
        try:
            if lock(handle) and is_at(handle, path):
                return handle
        except BaseException:
            os.close(handle)
            path.unlink(missing_ok=True)
            raise
        # Before it was locked, another found and locked it: that one removes it.
        os.close(handle)
        _wait_until_gone(path)


def remove_abandoned(path: Path) -> None:
    """Remove a file that `locked_file` made, where the process that held it is gone.

    On file systems without locks nobody can tell, so it goes when nobody wrote to it for a day.
    What cannot be opened or removed stays: it is another user's, or the folder is read-only.
    """
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDWR | _NO_SURPRISES)
        try:
            facts = os.fstat(handle)
            if not stat.S_ISREG(facts.st_mode) or not lock(handle):
                return
            if not is_at(handle, path):  # another removed it, and who made it has made it anew
                return
            if not is_locked(path) and time.time() - facts.st_mtime < _A_DAY:
                return
            if sys.platform != "win32":  # it removes no file that is open
                path.unlink()
        finally:
            os.close(handle)
        if sys.platform == "win32":
            path.unlink()


def is_at(handle: int, path: Path) -> bool:
    """Whether a path still is the file that is open."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat(follow_symlinks=False))
    except FileNotFoundError:
        return False


def _wait_until_gone(path: Path) -> None:
    end = time.monotonic() + _PATIENCE
    while os.path.lexists(path) and time.monotonic() < end:
        time.sleep(_PAUSE)
