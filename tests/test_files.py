"""Files replaced whole, with their rights; locks; what users type as a path."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import types
from pathlib import Path

import pytest

from dragonnx.files import atomic_path, lock, move, typed_path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def has_modes(folder: Path) -> bool:
    """Whether the file system keeps more of a file's rights than whether it may be written."""
    probe = folder / "probe"
    probe.touch(0o600)
    probe.chmod(0o640)
    kept = mode(probe) == 0o640
    probe.unlink()
    return kept


def test_a_new_file_has_the_rights_of_any_new_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changed(_mask: int) -> int:
        raise AssertionError("the umask is the whole process's: other threads make files too")

    monkeypatch.setattr("os.umask", changed, raising=False)
    (tmp_path / "plain").touch()
    with atomic_path(tmp_path / "new") as temporary:
        temporary.write_text("x", "utf-8")
    assert mode(tmp_path / "new") == mode(tmp_path / "plain")


@pytest.mark.parametrize("rights", [0o600, 0o640, 0o444, 0o666])
def test_a_replaced_file_keeps_its_rights(tmp_path: Path, rights: int) -> None:
    if not has_modes(tmp_path):
        pytest.skip("this file system has no such rights")
    path = tmp_path / "a"
    path.write_text("old", "utf-8")
    path.chmod(rights)
    with atomic_path(path) as temporary:
        temporary.write_text("new", "utf-8")
        assert mode(temporary) & ~(rights | 0o600) == 0, "others never see more than before"
    assert (path.read_text("utf-8"), mode(path)) == ("new", rights)


def test_names_as_long_as_a_file_system_takes(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 245 + ".png")
    with atomic_path(path) as temporary:
        temporary.write_bytes(b"1")
        assert temporary.suffix == ".png"
    assert list(tmp_path.iterdir()) == [path]


class Refusals:
    """Renames that fail as Windows fails them while another program has the target open."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, count: int, winerror: int | None) -> None:
        self.tried = 0
        replace = Path.replace

        def refuse(source: Path, target: Path) -> Path:
            self.tried += 1
            if self.tried > count:
                return replace(source, target)
            error = PermissionError(errno.EACCES, "Access is denied")
            if winerror is not None:
                error.winerror = winerror
            raise error

        monkeypatch.setattr(Path, "replace", refuse)


@pytest.mark.parametrize("winerror", [5, 32])
def test_a_file_that_is_held_open_for_a_moment_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, winerror: int
) -> None:
    path = tmp_path / "a"
    path.write_text("old", "utf-8")
    refusals = Refusals(monkeypatch, 3, winerror)
    with atomic_path(path) as temporary:
        temporary.write_text("new", "utf-8")
    assert (path.read_text("utf-8"), refusals.tried) == ("new", 4)
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_stays_open_elsewhere_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    path.write_text("old", "utf-8")
    monkeypatch.setattr("dragonnx.files._PATIENCE", 0.1)
    refusals = Refusals(monkeypatch, 10**9, 32)
    with pytest.raises(PermissionError) as refused, atomic_path(path):
        pass
    assert refused.value.strerror == "another program has it open: close it there and try again"
    assert refusals.tried > 1
    assert path.read_text("utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("winerror", [None, 17])
def test_other_refusals_are_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, winerror: int | None
) -> None:
    refusals = Refusals(monkeypatch, 10**9, winerror)
    with pytest.raises(PermissionError, match="denied"):
        move(tmp_path / "a", tmp_path / "b")
    assert refusals.tried == 1


def test_a_read_only_target_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "b").touch()
    refusals = Refusals(monkeypatch, 10**9, 5)
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(PermissionError, match="denied"):
        move(tmp_path / "a", tmp_path / "b")
    assert refusals.tried == 1


@pytest.fixture
def locked_file(tmp_path: Path) -> Path:
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


def test_a_lock_has_one_holder_until_it_is_closed(locked_file: Path) -> None:
    handle = os.open(locked_file, os.O_RDWR)
    assert lock(handle)
    assert not lock_again(locked_file)
    assert locked_file.read_text("utf-8") == "read me"
    os.close(handle)
    assert lock_again(locked_file)


def test_a_lock_ends_with_its_process_however_that_ends(locked_file: Path) -> None:
    code = (
        "import os, sys; from dragonnx.files import lock; "
        "print(lock(os.open(sys.argv[1], os.O_RDWR)), flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, locked_file],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as holder:  # fmt: skip
        assert holder.stdout.readline() == "True\n"
        assert not lock_again(locked_file)
        holder.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
    assert lock_again(locked_file)


def test_where_there_are_no_locks_nobody_holds_one(
    locked_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, platform in (("fcntl", "linux"), ("msvcrt", "win32")):
        with monkeypatch.context() as patch:
            patch.setattr("sys.platform", platform)
            patch.setitem(sys.modules, module, None)
            assert lock_again(locked_file)

    def unsupported(*_arguments: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    unix = types.SimpleNamespace(flock=unsupported, LOCK_EX=2, LOCK_NB=4)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setitem(sys.modules, "fcntl", unix)
    assert lock_again(locked_file)


def test_windows_locks_a_byte_behind_what_others_read(
    locked_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    holders: dict[int, int] = {}

    def locking(handle: int, how: int, count: int) -> None:
        assert (how, count) == (2, 1)
        at = os.lseek(handle, 0, os.SEEK_CUR)
        if holders.setdefault(at, handle) != handle:
            raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setitem(sys.modules, "msvcrt", types.SimpleNamespace(locking=locking, LK_NBLCK=2))
    handle = os.open(locked_file, os.O_RDWR)
    assert lock(handle)
    assert not lock_again(locked_file)
    assert min(holders) > 10**6
    assert max(holders) < 2**31 - 1, "the position is 32 bits there"
    assert locked_file.stat().st_size == len("read me")
    os.close(handle)


def test_a_typed_path_never_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert typed_path("~/a.png") == tmp_path / "a.png"
    assert typed_path("a~b") == Path("a~b")
    assert typed_path("~nobody-of-this-name/a").name == "a"
