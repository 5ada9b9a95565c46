"""Locks: one holder, who is gone when its process is; what the dead left is told from the living's."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
import types
from pathlib import Path

import pytest

from dragonnx import locks
from dragonnx.locks import is_at, is_locked, lock, locked_file, remove_abandoned


@pytest.fixture
def lockable(tmp_path: Path) -> Path:
    path = tmp_path / "note"
    path.write_text("read me", "utf-8")
    handle = os.open(path, os.O_RDWR)
    supported = lock(handle) and not lock_again(path)
    os.close(handle)
    if not supported:
        pytest.skip("this file system has no locks")
    return path


def lock_again(path: Path) -> bool:
    handle = os.open(path, os.O_RDWR)
    try:
        return lock(handle)
    finally:
        os.close(handle)


def test_a_lock_has_one_holder_until_it_is_closed(lockable: Path) -> None:
    handle = os.open(lockable, os.O_RDWR)
    assert lock(handle)
    assert not lock_again(lockable)
    assert lockable.read_text("utf-8") == "read me"
    os.close(handle)
    assert lock_again(lockable)


def test_a_lock_ends_with_its_process_however_that_ends(lockable: Path) -> None:
    code = (
        "import os, sys; from dragonnx.locks import lock; "
        "print(lock(os.open(sys.argv[1], os.O_RDWR)), flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, lockable],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as holder:  # fmt: skip
        assert holder.stdout.readline() == "True\n"
        assert not lock_again(lockable)
        holder.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
    assert lock_again(lockable)


def test_where_there_are_no_locks_nobody_holds_one(
    lockable: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, platform in (("fcntl", "linux"), ("msvcrt", "win32")):
        with monkeypatch.context() as patch:
            patch.setattr("sys.platform", platform)
            patch.setitem(sys.modules, module, None)
            assert lock_again(lockable)

    def unsupported(*_arguments: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    unix = types.SimpleNamespace(flock=unsupported, LOCK_EX=2, LOCK_NB=4)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setitem(sys.modules, "fcntl", unix)
    assert lock_again(lockable)


def test_windows_locks_a_byte_behind_what_others_read(
    lockable: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    holders: dict[int, int] = {}

    def locking(handle: int, how: int, count: int) -> None:
        assert (how, count) == (2, 1)
        at = os.lseek(handle, 0, os.SEEK_CUR)
        if holders.setdefault(at, handle) != handle:
            raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setitem(sys.modules, "msvcrt", types.SimpleNamespace(locking=locking, LK_NBLCK=2))
    handle = os.open(lockable, os.O_RDWR)
    assert lock(handle)
    assert not lock_again(lockable)
    assert min(holders) > 10**6
    assert max(holders) < 2**31 - 1, "the position is 32 bits there"
    assert lockable.stat().st_size == len("read me")
    os.close(handle)


def test_a_new_file_is_locked_and_known_by_its_handle(tmp_path: Path) -> None:
    path = tmp_path / "a"
    handle = locked_file(path)
    os.write(handle, b"mine")
    assert (path.read_bytes(), is_locked(path), is_at(handle, path)) == (b"mine", True, True)
    with pytest.raises(FileExistsError):
        locked_file(path)
    remove_abandoned(path)
    assert path.exists(), "its holder lives"
    path.unlink()
    path.touch()
    assert not is_at(handle, path), "another file of that name"
    os.close(handle)
    assert not is_locked(path)
    remove_abandoned(path)
    assert not path.exists()
    gone = locked_file(path)
    path.unlink()
    assert not is_at(gone, path)
    os.close(gone)


def test_a_file_that_is_taken_for_abandoned_before_it_is_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, really = tmp_path / "a", locks.lock
    removers: list[int] = []

    def overtaken(handle: int) -> bool:
        """Another is quicker: once it only locks, once it has removed the file already."""
        if len(removers) < 2:
            remover = os.open(path, os.O_RDWR)
            assert really(remover)
            removers.append(remover)
            if len(removers) == 2:
                path.unlink()
                os.close(remover)
            else:
                threading.Timer(0.05, lambda: (path.unlink(), os.close(remover))).start()
        return really(handle)

    monkeypatch.setattr(locks, "lock", overtaken)
    handle = locked_file(path)
    assert len(removers) == 2
    assert is_at(handle, path)
    os.close(handle)


def test_without_locks_what_is_old_is_abandoned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "lock", lambda _handle: True)
    for name, days in (("new", 0.5), ("old", 1.5)):
        os.close(locked_file(tmp_path / name))
        then = time.time() - days * 24 * 3600
        os.utime(tmp_path / name, (then, then))
        remove_abandoned(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_what_is_no_file_of_ours_stays(tmp_path: Path) -> None:
    (tmp_path / "far").write_bytes(b"another's")
    (tmp_path / "link").symlink_to("far")
    (tmp_path / "folder").mkdir()
    names = {"far", "link", "folder"}
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        names.add("pipe")
    for name in (*(names - {"far"}), "missing"):
        remove_abandoned(tmp_path / name)
    assert {path.name for path in tmp_path.iterdir()} == names
