"""Zip archives of strangers: nothing is read before it is known to be small enough."""

from __future__ import annotations

import struct
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragonnx.errors import InputError
from dragonnx.reading.npy_array import member_array
from dragonnx.reading.regular_file import MEBIBYTE
from dragonnx.reading.zip_archive import MOST_MEMBERS, opened_archive

LIMIT = 16 * MEBIBYTE
REFUSAL = "is no archive of ours"


def read_all(path: Path, limit: int = LIMIT) -> dict[str, bytes]:
    with opened_archive(path, limit, REFUSAL) as archive:
        return {name: archive.read(name, limit) for name in archive.names}


def written(path: Path, *members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def with_declared_size(path: Path, size: int) -> None:
    """Let the first entry of the directory say another size, and the member's own header too."""
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\x01\x02")
    content[at + 24 : at + 28] = struct.pack("<I", size)
    content[22:26] = struct.pack("<I", size)
    path.write_bytes(content)


def refused_with_little_memory(path: Path, limit: int = LIMIT) -> str:
    """Why an archive is not read; it takes a directory, or a piece of the file, several times."""
    tracemalloc.start()
    try:
        read_all(path, limit)
    except InputError as error:
        assert tracemalloc.get_traced_memory()[1] < 2 * MEBIBYTE
        return str(error)
    finally:
        tracemalloc.stop()
    pytest.fail("it was read")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_what_was_written_is_read(tmp_path: Path, method: int) -> None:
    noise = np.random.default_rng(0).bytes(3 * MEBIBYTE)
    path = written(tmp_path / "a.zip", ("a", b"abc"), ("b", noise), ("c", b""), method=method)
    assert read_all(path) == {"a": b"abc", "b": noise, "c": b""}
    with opened_archive(path, LIMIT, REFUSAL) as archive:
        assert archive.names == ("a", "b", "c")
        assert archive.size("b") == len(noise)
        with pytest.raises(InputError, match="b is too large: at most 10 bytes"):
            archive.read("b", 10)
    with (
        pytest.raises(InputError, match=r"a\.zip: d is missing"),
        opened_archive(path, LIMIT, REFUSAL) as archive,
    ):
        archive.read("d", 10)


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x05\x06", b"\x89PNG", b"PK\x05\x06" * 9999])
def test_what_is_no_archive(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    with pytest.raises(InputError, match=REFUSAL):
        read_all(path)


def test_a_bomb_is_refused_before_it_takes_memory(tmp_path: Path) -> None:
    """In one member, in many, and one that is larger than its directory says."""
    zeros = bytes(7 * MEBIBYTE)
    many = written(tmp_path / "many.zip", *((f"{k}", zeros) for k in range(3)))
    large = written(tmp_path / "large.zip", *((f"{k}", zeros) for k in range(3)), method=0)
    one = written(tmp_path / "one.zip", ("a", zeros))
    assert "it holds 21.0 MiB in 0.0 MiB, which is too much" in refused_with_little_memory(many)
    assert "too large" in refused_with_little_memory(large)
    with_declared_size(one, 10)
    assert "a is damaged" in refused_with_little_memory(one)
    with_declared_size(one, 300 * MEBIBYTE)
    assert "it holds 300.0 MiB in 0.0 MiB" in refused_with_little_memory(one, limit=2**30)


def test_a_little_may_be_packed_tightly(tmp_path: Path) -> None:
    zeros = bytes(10 * MEBIBYTE)
    assert read_all(written(tmp_path / "a.zip", ("a", zeros))) == {"a": zeros}


def test_a_member_shorter_than_it_says_is_refused(tmp_path: Path) -> None:
    for method, message in ((zipfile.ZIP_STORED, "damaged|short"), (zipfile.ZIP_DEFLATED, "short")):
        path = written(tmp_path / "a.zip", ("a", b"abc"), method=method)
        with_declared_size(path, 1000)
        with pytest.raises(InputError, match=message):
            read_all(path)


def test_a_long_directory_is_refused_unread(tmp_path: Path) -> None:
    path = written(tmp_path / "a.zip", *((f"{k}", b"") for k in range(MOST_MEMBERS + 1)))
    with pytest.raises(InputError, match=f"it has {MOST_MEMBERS + 1} members, and at most"):
        read_all(path)
    path = written(tmp_path / "b.zip", *((f"{k}" + "n" * 60_000, b"") for k in range(20)))
    assert REFUSAL in refused_with_little_memory(path)


def test_a_name_that_no_message_could_show(tmp_path: Path) -> None:
    path = written(tmp_path / "a.zip", ("n" * 60_000, b""))
    with pytest.raises(InputError, match="a member with a name of 60000 characters"):
        read_all(path)


def test_members_that_are_not_to_be_read(tmp_path: Path) -> None:
    path = written(tmp_path / "a.zip", ("a", b"abc"), ("b", b"abc"))
    plain = path.read_bytes()
    first = plain.index(b"PK\x01\x02")
    for changes, message in (
        ({first + 8: 1}, "'a' in it is encrypted"),
        ({first + 10: 12}, "'a' in it is packed in a way that is not read"),  # bzip2
        ({first + 10: 14}, "'a' in it is packed in a way that is not read"),  # LZMA
        ({first + 46: ord("b")}, "2 members of the name 'b'"),
        ({first + 8: 0x20}, "a is damaged"),  # patched data, which zipfile does not know
        ({30: ord("x")}, "a is damaged"),
        ({7: 8, 30: 0xFF}, "a is damaged"),  # a name that says it is UTF-8 and is not
    ):
        content = bytearray(plain)
        for at, value in changes.items():
            content[at] = value
        path.write_bytes(content)
        with pytest.raises(InputError, match=message):
            read_all(path)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("zip") / "sound.npz"
    np.savez(path, w=np.arange(12, dtype=np.float32).reshape(1, 12), b=np.array("text"))
    return path


@settings(max_examples=150, deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0, 799), st.integers(0, 255)), max_size=4),
       cut=st.none() | st.integers(0, 800))  # fmt: skip
def test_a_mutated_archive_is_read_or_refused(
    sound: Path, changes: list[tuple[int, int]], cut: int | None
) -> None:
    content = bytearray(sound.read_bytes())
    for at, value in changes:
        content[at % len(content)] = value
    mutated = sound.with_name("mutated.npz")
    mutated.write_bytes(content[:cut])
    try:
        with opened_archive(mutated, MEBIBYTE, REFUSAL) as archive:
            for name in archive.names:
                member_array(archive, name)
    except InputError as error:
        assert str(error).startswith(str(mutated))  # noqa: PT017 most are refused, some are not
