"""Folders that are replaced or removed whole: a process may be killed at any moment of it.

What is being made lies in a hidden folder beside its place. Beside that lies its claim, a file that its
process holds locked as long as it lives: it is there before the folder, and goes after it. So the next
one that works there tells what is left over, and clears it away.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import secrets
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from dragonnx.files import move, sync, sync_folder
from dragonnx.locks import is_at, is_locked, lock, locked_file

_NAME = ".dragonnx-folder-"
"""What the names of hidden folders begin with, and those of their claims."""
_CLAIM = ".claim"
_OLD = "old"
"""Where a replaced folder waits under its own name, on systems that cannot swap two folders."""
_RENAME_EXCHANGE = 2
"""Of Linux's renameat2 and, as RENAME_SWAP, of macOS's renameatx_np."""
_AT_FDCWD = {"linux": -100, "darwin": -2}
_CANNOT_SWAP = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM)


@contextlib.contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """An empty folder beside `folder` that takes its place when the block ends well.

    Whenever the process ends, `folder` is the old one or the new one; where the system cannot swap two
    folders, it may be for `restore_folders` to bring the old one back. The new one is on the disk
    before it takes its place, and has the rights of the old one. A link is replaced itself. Where the
    block raises, or the folder cannot take its place, `folder` is as it was.

    Raises:
        OSError: The folder cannot be made, or cannot take its place.
    """
    restore_folders(folder.parent)
    with _claimed(folder) as temporary:
        new = temporary / "new"
        new.mkdir()
        yield new
        if folder.is_dir():
            # Without rights of its owner on it, a folder cannot be moved.
            new.chmod(stat.S_IMODE(folder.stat().st_mode) | stat.S_IRWXU)
        _sync(new)
        if not os.path.lexists(folder):
            move(new, folder)
        elif not _swapped(new, folder):
            _replace_in_turn(new, folder, temporary / _OLD)
        sync_folder(folder.parent)


@contextlib.contextmanager
def temporary_folder(parent: Path) -> Iterator[Path]:
    """An empty hidden folder in another, removed when the block ends, or by the next one to ask.

    Raises:
        OSError: It cannot be made.
    """
    restore_folders(parent)
    with _claimed(parent / "temporary") as temporary:
        yield temporary


def remove_folder(folder: Path) -> None:
    """Remove a folder, or the link to one, whole or not at all.

    Raises:
        OSError: It cannot be removed.
    """
    if folder.is_symlink():
        folder.unlink()
        return
    # Windows moves no folder of which a file is in use, but would delete the files beside that one.
    with _claimed(folder) as temporary:
        move(folder, temporary / "gone")


def restore_folders(parent: Path) -> None:
    """Clear away what killed processes left of their work in this folder.

    A folder that one had moved aside comes back where nothing has its name. What belongs to a process
    that lives stays, and so does everything where the file system has no locks to tell by.
    """
    for claim in parent.glob(f"{_NAME}*{_CLAIM}"):
        # It may go at any moment, and may be another user's: then it is not for us to clear.
        with contextlib.suppress(OSError):
            _clear(claim)


@contextlib.contextmanager
def _claimed(folder: Path) -> Iterator[Path]:
    """A hidden folder beside another, claimed by this process until the block ends, then removed."""
    temporary = folder.parent / f"{_NAME}{secrets.token_hex(8)}"
    claim = temporary.with_suffix(_CLAIM)
    handle = locked_file(claim, 0o600)
    try:
        temporary.mkdir(0o700)
        yield temporary
    finally:
        _remove(temporary, claim, handle)


def _clear(claim: Path) -> None:
    """Remove a hidden folder whose process is dead; first bring back what it had moved aside."""
    left = claim.with_suffix("")
    aside = left / _OLD
    if left.is_symlink() or aside.is_symlink():  # we make none: it would have us work elsewhere
        return
    handle = os.open(claim, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    try:
        if not lock(handle) or not is_at(handle, claim) or not is_locked(claim):
            os.close(handle)
            return
        for old in aside.glob("*"):
            if not os.path.lexists(left.parent / old.name):
                move(old, left.parent / old.name)
    except BaseException:
        os.close(handle)
        raise
    _remove(left, claim, handle)


def _remove(folder: Path, claim: Path, handle: int) -> None:
    """Remove a hidden folder, then its claim, and close that.

    What cannot be removed, since it is in use, stays hidden until the next one that works there.
    """
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        os.close(handle)
        return
    with contextlib.suppress(OSError):
        if sys.platform == "win32":  # it removes no file that is open
            os.close(handle)
            claim.unlink()
        else:
            claim.unlink()
            os.close(handle)


def _replace_in_turn(new: Path, folder: Path, aside: Path) -> None:
    aside.mkdir()
    old = aside / folder.name
    move(folder, old)
    try:
        move(new, folder)
    except BaseException:
        move(old, folder)
        raise


def _swapped(one: Path, other: Path) -> bool:
    """Let two paths change places in one step; False where the system or the file system cannot.

    Raises:
        OSError: They cannot change places.
    """
    try:
        library = ctypes.CDLL(None, use_errno=True)
        swap = library.renameatx_np if sys.platform == "darwin" else library.renameat2
        here = _AT_FDCWD[sys.platform]
    except (AttributeError, KeyError, OSError, TypeError):  # Windows, and old C libraries
        return False
    swap.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    if not swap(here, os.fsencode(one), here, os.fsencode(other), _RENAME_EXCHANGE):
        return True
    number = ctypes.get_errno()
    if number in _CANNOT_SWAP:
        return False
    raise OSError(number, os.strerror(number), str(other))


def _sync(folder: Path) -> None:
    """Have the content of a folder on the disk."""
    for entry in folder.iterdir():
        if entry.is_dir():
            _sync(entry)
            continue
        # Windows wants a handle that may write.
        handle = os.open(entry, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
        try:
            sync(handle)
        finally:
            os.close(handle)
    sync_folder(folder)
