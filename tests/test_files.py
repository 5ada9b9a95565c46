"""Files replaced whole, with their rights, through links, and whatever fails on the way."""

from __future__ import annotations

import errno
import itertools
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from dragonnx import files
from dragonnx.errors import InputError
from dragonnx.files import atomic_path, check_writable, move, remove_unfinished, save_bytes


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


# --- links, devices, other names ------------------------------------------------------------------


@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_stays_and_its_target_is_written(tmp_path: Path, *, is_there: bool) -> None:
    (tmp_path / "far").mkdir()
    target, link = tmp_path / "far" / "a.png", tmp_path / "link.png"
    if is_there:
        target.write_text("old", "utf-8")
        target.chmod(0o640)
    (tmp_path / "between.png").symlink_to(Path("far") / "a.png")
    link.symlink_to("between.png")
    save_bytes(b"new", link)
    assert (link.is_symlink(), target.is_symlink()) == (True, False)
    assert target.read_bytes() == b"new"
    if is_there and has_modes(tmp_path):
        assert mode(target) == 0o640
    assert [path.name for path in target.parent.iterdir()] == ["a.png"]


def test_links_in_a_circle_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    for refused in (
        lambda: save_bytes(b"1", tmp_path / "a"),
        lambda: check_writable(tmp_path / "a"),
    ):
        with pytest.raises(InputError, match=r"a cannot be written \(.*symbolic link"):
            refused()


def test_another_name_of_the_file_keeps_what_it_held(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    os.link(tmp_path / "a", tmp_path / "b")
    save_bytes(b"new", tmp_path / "a")
    assert ((tmp_path / "a").read_bytes(), (tmp_path / "b").read_bytes()) == (b"new", b"old")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_is_written_into(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    check_writable(pipe)
    content = os.urandom(300_000)  # more than a pipe holds
    with ThreadPoolExecutor() as pool:
        read = pool.submit(pipe.read_bytes)
        save_bytes(content, pipe)
        assert read.result() == content
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert list(tmp_path.iterdir()) == [pipe]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no such devices")
def test_a_device_is_written_into_and_never_replaced(tmp_path: Path) -> None:
    made = tmp_path / "null"
    for device in (Path("/dev/null"), made):
        if device == made:
            try:
                os.mknod(made, stat.S_IFCHR | 0o600, os.makedev(1, 3))
                made.write_bytes(b"")
            except OSError:  # only root may, and not everywhere
                continue
        save_bytes(b"gone", device)
        assert stat.S_ISCHR(device.stat().st_mode)
    (tmp_path / "full.png").symlink_to("/dev/full")
    with pytest.raises(InputError, match=r"full.png cannot be written \(No space left on device\)"):
        save_bytes(b"1", tmp_path / "full.png")
    assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)


def test_a_folder_and_a_disk_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for refused in (lambda: save_bytes(b"1", tmp_path), lambda: check_writable(tmp_path)):
        with pytest.raises(InputError, match="it is a folder: name a file in it"):
            refused()
    monkeypatch.setattr("stat.S_ISREG", lambda _mode: False)
    monkeypatch.setattr("stat.S_ISBLK", lambda _mode: True)
    (tmp_path / "disk").write_bytes(b"everything")
    with pytest.raises(InputError, match="a whole disk"):
        save_bytes(b"1", tmp_path / "disk")
    assert (tmp_path / "disk").read_bytes() == b"everything"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may")
def test_a_replaced_file_keeps_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    path.chmod(0o4755)
    os.chown(path, 12345, 54321)
    save_bytes(b"new", path)
    facts = path.stat()
    assert (facts.st_uid, facts.st_gid) == (12345, 54321)
    assert stat.S_IMODE(facts.st_mode) in (0o755, 0o4755 & 0o777), "nobody runs it as another user"


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "x" * 300, "a/" + "y" * 300 + "/z"])
def test_impossible_names_are_one_sentence(tmp_path: Path, name: str) -> None:
    for refused in (
        lambda: save_bytes(b"1", tmp_path / name), lambda: check_writable(tmp_path / name)
    ):  # fmt: skip
        with pytest.raises(InputError, match="cannot be written"):
            refused()
    assert list(tmp_path.iterdir()) == []


# --- what fails on the way ------------------------------------------------------------------------


class FailsAt:
    """Has the n-th call to the system fail as on a full disk."""

    CALLS = ("open", "close", "stat", "fsync", "replace", "chmod", "chown", "scandir")

    def __init__(self, patch: pytest.MonkeyPatch, number: int) -> None:
        self.made: list[str] = []
        self._number = number
        for name in self.CALLS:
            if hasattr(os, name):
                patch.setattr(os, name, self._failing(name, getattr(os, name)))
        patch.setattr(Path, "write_bytes", self._failing("write", Path.write_bytes))

    def _failing(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **settings: Any) -> Any:
            self.made.append(name)
            if len(self.made) == self._number:
                if name == "close":  # what was to be closed is, whatever it says
                    call(*arguments, **settings)
                raise OSError(errno.ENOSPC, "No space left on device")
            return call(*arguments, **settings)

        return called


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0


@pytest.mark.parametrize("is_there", [True, False])
def test_whichever_call_fails_the_old_file_or_the_new_one_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_there: bool
) -> None:
    path, opened, failed = tmp_path / "a.png", open_files(), 0
    for number in itertools.count(1):
        files._remove_unfinished_once.cache_clear()
        path.unlink(missing_ok=True)
        if is_there:
            path.write_bytes(b"old")
            path.chmod(0o640)
        with monkeypatch.context() as patch:
            calls = FailsAt(patch, number)
            try:
                save_bytes(b"new", path)
            except InputError as error:
                assert str(error) == f"{path} cannot be written (No space left on device)"  # noqa: PT017
                failed += 1
        assert open_files() == opened
        if len(calls.made) < number:
            break
        held = path.read_bytes() if path.exists() else None
        moved = "replace" in calls.made[: number - 1]
        assert held in ({b"new"} if moved else {b"new", b"old" if is_there else None}), calls.made
        assert list(tmp_path.iterdir()) == [path] * path.exists(), calls.made
    assert path.read_bytes() == b"new"
    assert {"open", "write", "fsync", "replace"} <= set(calls.made)
    assert failed >= 5


def test_what_is_written_is_on_the_disk_before_it_takes_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = []
    for name in ("fsync", "replace"):
        call = getattr(os, name)

        def noted(*arguments: Any, _name: str = name, _call: Any = call) -> Any:
            if _name == "fsync":
                is_folder = stat.S_ISDIR(os.fstat(arguments[0]).st_mode)
                order.append("folder" if is_folder else "file")
                assert is_folder or os.fstat(arguments[0]).st_size == 3, "all of it"
            else:
                order.append(_name)
            return _call(*arguments)

        monkeypatch.setattr(os, name, noted)
    monkeypatch.setattr("sys.platform", "linux")
    save_bytes(b"new", tmp_path / "a")
    assert order == ["file", "replace", "folder"]


@pytest.mark.parametrize(("number", "fails"), [(errno.EINVAL, False), (errno.EIO, True)])
def test_a_file_system_that_cannot_be_told_to_write_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, *, fails: bool
) -> None:
    def refuse(_handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(InputError, match="cannot be written") if fails else nullcontext():
        save_bytes(b"new", tmp_path / "a")
    assert [path.name for path in tmp_path.iterdir()] == ["a"] * (not fails)


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, MemoryError])
def test_an_interrupt_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    def interrupted() -> None:
        with atomic_path(tmp_path / "a") as temporary:
            temporary.write_bytes(b"half")
            raise error

    with pytest.raises(error):
        interrupted()
    assert list(tmp_path.iterdir()) == []


# --- what killed processes left -------------------------------------------------------------------

WRITES = (
    "import sys; from pathlib import Path; from dragonnx.files import atomic_path\n"
    "with atomic_path(Path(sys.argv[1])) as temporary:\n"
    "    temporary.write_bytes(b'half')\n"
    "    print(flush=True); sys.stdin.read()\n"
)


def test_the_next_to_write_there_removes_what_the_killed_left_and_only_that(tmp_path: Path) -> None:
    killed, living = (
        subprocess.Popen(
            [sys.executable, "-c", WRITES, tmp_path / f"{name}.png"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for name in ("killed", "living")
    )  # fmt: skip
    with killed, living:
        for process in (killed, living):
            process.stdout.readline()
        assert len(list(tmp_path.iterdir())) == 2
        killed.kill()
        killed.wait()
        with atomic_path(tmp_path / "other") as mine:
            left = {path.name for path in tmp_path.iterdir()}
            assert len(left - {mine.name}) == 1, "the living's"
        for name in (".dragonnx-notes", ".dragonnx-0123456789abcdeF", "dragonnx-0123456789abcdef"):
            (tmp_path / name).touch()
        remove_unfinished(tmp_path)
        living.communicate()
    assert {path.name for path in tmp_path.iterdir()} == {
        "other", "living.png", ".dragonnx-notes", ".dragonnx-0123456789abcdeF",
        "dragonnx-0123456789abcdef",
    }  # fmt: skip
    assert (tmp_path / "living.png").read_bytes() == b"half"


def test_writers_and_removers_at_once_lose_nothing(tmp_path: Path) -> None:
    """Removers look as often as they can, between making and locking too."""
    done = threading.Event()

    def remove() -> None:
        while not done.is_set():
            remove_unfinished(tmp_path)

    def write(name: str) -> None:
        for k in range(60):
            save_bytes(f"{name} {k}".encode(), tmp_path / name)
            assert (tmp_path / name).read_bytes() == f"{name} {k}".encode()

    with ThreadPoolExecutor() as pool:
        removers = [pool.submit(remove) for _ in range(2)]
        writers = [pool.submit(write, name) for name in "ab"]
        try:
            for writer in writers:
                writer.result()
        finally:
            done.set()
        for remover in removers:
            remover.result()
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b"}
