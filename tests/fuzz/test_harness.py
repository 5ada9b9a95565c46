"""The harness itself: whatever a reader may not do is told, and a seed gives the same inputs again."""

from __future__ import annotations

import io
import re
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fuzz import campaign
from fuzz.bad_readers import BAD, VALID
from fuzz.campaign import Worker, case_of
from fuzz.cases import NO_FILES, Case
from fuzz.corpus import cases_of, folder_files
from fuzz.mutate_arrays import npy
from fuzz.mutate_graph import packed, parsed
from fuzz.mutate_picture import png
from fuzz.mutate_zip import Bomb, deflated_zeros, with_bomb
from fuzz.readers import FIXTURES, READERS
from PIL import Image
from support.system_calls import AVAILABLE

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="bounds a process as Linux alone can")

FAULTS = {
    "another error": "KeyError: 'x'",
    "exit": "SystemExit: 3",
    "no message": "an empty message",
    "long message": "a message of 3000 characters",
    "terminal command": r"a message with '\\x07\\x1b'",
    "memory": "took [56].. MiB",
    "reserved memory": "MemoryError",
    "time": "took 2 s",
    "wait": "hung for 1 s",
    "crash": "ended by SIGSEGV",
    "abort": "ended by SIGABRT",
}
"""What is told of each; of the others that they did what the kernel keeps from them."""


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker({reader: Case({"f": VALID}, "f") for reader in BAD}, "fuzz.bad_readers") as worker:
        yield worker


@pytest.mark.parametrize("reader", [reader for reader in BAD if reader != "good"])
def test_what_no_reader_may_do_is_told(
    worker: Worker, reader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if reader == "time":
        monkeypatch.setattr(campaign, "SECONDS", 1.0)
    if reader == "wait":
        monkeypatch.setattr(campaign, "HANGS", 1.0)
    fault, _ = worker.fault_of(reader, Case({"f": b"other"}, "f"))
    expected = FAULTS.get(reader, "started a program, opened a socket, or made, moved or removed")
    assert re.match(expected, fault), fault
    # The next input has a worker in order.
    assert worker.fault_of("good", Case({"f": b"other"}, "f")) == ("", "")
    assert worker.fault_of("good", Case({"f": VALID}, "f")) == ("", "")


@pytest.mark.parametrize("reader", READERS)
def test_a_seed_gives_the_same_inputs_again(reader: str) -> None:
    make, make_again = cases_of(reader), cases_of(reader)
    ones = [case_of(reader, 7, number, make) for number in range(10)]
    again = [case_of(reader, 7, number, make_again) for number in range(10)]
    others = [case_of(reader, 8, number, make) for number in range(10)]
    assert [case.opened for case in ones] == [case.opened for case in again]
    assert list(map(_contents, ones)) == list(map(_contents, again))
    assert list(map(_contents, ones)) != list(map(_contents, others))


def _contents(case: Case) -> dict[str, bytes | None]:
    return {n: c if isinstance(c, bytes) else None for n, c in case.files.items()}


@pytest.mark.parametrize("kind", NO_FILES)
def test_what_is_no_file_can_be_laid(tmp_path: Path, kind: str) -> None:
    path = Case({"f": NO_FILES[kind]}, "f").lay(tmp_path)
    assert kind == "missing" or path.is_symlink() or path.exists()


@pytest.mark.parametrize("name", ["bundle-v1", "bundle-v2", "perceptual-v1"])
def test_graphs_are_taken_apart_without_loss(name: str) -> None:
    for file, content in folder_files(FIXTURES / name).items():
        if file.endswith(".onnx"):
            message = parsed(content)
            assert message is not None
            assert packed(message) == content


def test_arrays_are_put_together_as_numpy_reads_them() -> None:
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"
    found = np.load(io.BytesIO(npy(header, np.float32([1, 2]).tobytes())))
    assert found.tolist() == [1, 2]


def test_a_bomb_is_a_valid_archive() -> None:
    members = [("a.json", b"{}"), ("b.npy", b"x" * 200), ("c.npy", b"y")]
    data = with_bomb(members, "b.npy", Bomb(mebibytes=3, head=b"x" * 10, told=(3 << 20) + 10))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.read("a.json") == b"{}"
        assert archive.read("c.npy") == b"y"
        with archive.open("b.npy") as member:
            assert member.read(20) == b"x" * 10 + bytes(10)
            assert member.read(1 << 20) == bytes(1 << 20)
    assert len(data) < 10_000


def test_a_large_picture_is_a_small_valid_file() -> None:
    pixels = deflated_zeros(3 * 2000 * 1000 + 1000, 15)
    header = struct.pack(">IIBBBBB", 2000, 1000, 8, 2, 0, 0, 0)
    data = png([(b"IHDR", header), (b"IDAT", pixels), (b"IEND", b"")])
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.size == (2000, 1000)
        assert not np.asarray(picture).any()
    assert len(data) < 50_000
