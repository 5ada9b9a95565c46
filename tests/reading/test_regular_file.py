"""Opening what a user names: regular files only, of bounded size, without waiting."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from dragonnx.errors import InputError
from dragonnx.reading.regular_file import MEBIBYTE, opened_file, read_bytes

NOT_ON_WINDOWS = pytest.mark.skipif(os.name == "nt", reason="there are no such files there")


def test_a_file_and_a_link_to_it_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    assert read_bytes(path, 3) == b"abc"
    assert read_bytes(str(path), 3) == b"abc"
    with opened_file(path, MEBIBYTE) as file:
        assert file.read(2) == b"ab"
    if os.name != "nt":
        (tmp_path / "link").symlink_to(path)
        assert read_bytes(tmp_path / "link", 3) == b"abc"


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with path.open("wb") as file:
        file.truncate(3 * MEBIBYTE + 1)
    with pytest.raises(InputError, match=r"too large: it has 3\.0 MiB, and at most 3 MiB are read"):
        read_bytes(path, 3 * MEBIBYTE)


@pytest.mark.parametrize("name", ["none", "a/b", "n" * 300, "zero\0", "half\ud800"])
def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(InputError, match=r"the mask .* cannot be read|cannot be the name"):
        read_bytes(tmp_path / name, MEBIBYTE, "the mask")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="it is a folder"):
        read_bytes(tmp_path, MEBIBYTE)


@NOT_ON_WINDOWS
def test_a_pipe_that_nobody_writes_to_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    for name in ("pipe", "link"):
        with pytest.raises(InputError, match="it is no file but a pipe"):
            read_bytes(tmp_path / name, MEBIBYTE)


@NOT_ON_WINDOWS
def test_a_pipe_that_takes_the_place_of_a_file_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, pipe = tmp_path / "a", tmp_path / "pipe"
    path.touch()
    os.mkfifo(pipe)
    look = os.stat

    def look_and_replace(name: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        facts = look(name, follow_symlinks=follow_symlinks)
        pipe.replace(path)
        return facts

    monkeypatch.setattr(os, "stat", look_and_replace)
    with pytest.raises(InputError, match="it is no file but a pipe"):
        read_bytes(path, MEBIBYTE)


@NOT_ON_WINDOWS
def test_devices_and_sockets_are_refused(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        for path in (Path("/dev/zero"), Path("/dev/tty"), tmp_path / "s"):
            with pytest.raises(InputError, match="it is no file but a pipe, a device"):
                read_bytes(path, MEBIBYTE)


def test_a_disk_that_fails_meanwhile_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with (
        pytest.raises(InputError, match=r"a cannot be read \(Input/output error\)"),
        opened_file(tmp_path / "a", 1),
    ):
        raise OSError(5, "Input/output error")
