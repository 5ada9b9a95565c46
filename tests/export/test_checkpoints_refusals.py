"""Files that are no checkpoint: told by their contents, refused with one sentence."""

from __future__ import annotations

import os
import pickle
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from support.checkpoint_files import FIXTURE
from support.pickle_files import Call, dumps, legacy_storage, npy, zip_storage, zipped

from dragonnx_export.checkpoints import (
    CheckpointError,
    read_checkpoint,
)
from dragonnx_export.checkpoints.opening import MAX_FILE_BYTES

FOREIGN = {
    "empty file": (b"", "an empty file"),
    "JPEG": (b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(100), "a JPEG image"),
    "PNG": (b"\x89PNG\r\n\x1a\n" + bytes(100), "a PNG image"),
    "GIF": (b"GIF89a" + bytes(100), "a GIF image"),
    "WebP": (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "a WebP image"),
    "web page": (b"\n<!DOCTYPE html><html><title>Quota exceeded</title>", "a web page"),
    "web page after a remark": (b"<!-- saved -->\n<html>", "a web page"),
    "web page without a head": (b"<body>Too many users have viewed", "a web page"),
    "server's words": (b"Entry not found", "a server's message"),
    "server's XML": (b'<?xml version="1.0"?>\n<Error><Code>AccessDenied', "a server's message"),
    "git-LFS pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "git-LFS"),
    "gzip": (b"\x1f\x8b\x08\x00" + bytes(20), "a gzip archive"),
    "tar": (b"a.txt".ljust(257, b"\0") + b"ustar\0" + bytes(250), "a tar archive"),
    "JSON": (b'{"z_dim": 512}', "a JSON document"),
    "single array": (npy(np.zeros(3)), "a single NumPy array"),
    "ONNX": (b"\x08\x08\x12\x07pytorch\x1a\x032.1:" + bytes(100), "an ONNX model"),
    "ONNX without a producer": (b"\x08\x09:\x80\x01" + bytes(100), "an ONNX model"),
    "HEIC": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a HEIC or AVIF photo"),
    "language model": (b"GGUF\x03\0\0\0" + bytes(100), "a language model"),
    "TensorFlow Lite": (b"\x1c\0\0\0TFL3" + bytes(100), "a TensorFlow Lite model"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(100), "an HDF5 file"),
    "program": (b"\x7fELF" + bytes(100), "a program"),
    "text": (b"hello, world, this is a text file", "of an unknown kind"),
    "zeros": (bytes(1000), "of an unknown kind"),
    "torch.save, old form": (legacy_storage(np.zeros(4, np.float32)), "single array"),
    "torch.save, zip": (zip_storage(np.zeros(4, np.float32)), "single array"),
    "truncated zip": (zipped({"a.npy": npy(np.zeros(9))})[:-30], "truncated"),
    "truncated safetensors": (b"\x00\x01\x00\x00\x00\x00\x00\x00{}", "truncated"),
    "a latent in an .npz": (
        zipped({"w_plus.npy": npy(np.zeros((1, 14, 8)))}),
        "holds 'w_plus' and",
    ),
    "safetensors of a list": (b"\x08\x00\x00\x00\x00\x00\x00\x00{[[]]   ", "truncated or damaged"),
    "an object": (pickle.dumps(Call("a", "b", ())), "something else"),
    "os.system": (dumps(Call("os", "system", ("true",))), "nothing was run"),
    "os.system, protocol 0": (b"cos\nsystem\n(S'true'\ntR.", "'os.system'"),
    "os.system, INST": (b"(S'true'\nios\nsystem\n.", "'os.system'"),
    "pickle of protocol 0": (pickle.dumps({"a": 1}, 0), "but 'a'"),
    "pickle of a list": (pickle.dumps([1, 2, 3]), "something else"),
    "pickle of another dict": (pickle.dumps({"state_dict": {}}), "'state_dict'"),
    "truncated pickle": (FIXTURE.read_bytes()[:5000], "ends early"),
    "one byte": (b"\x80", "ends early"),
    "names with newlines": (dumps({"a\nb": 1}), "'a\\nb'"),
    "global with a newline": (b"\x80\x04\x8c\x03a\nb\x8c\x01c\x93.", "a\\nb.c"),
    "keys without end": (dumps({"k" * 100_000: 1}), "kkk"),
}


@pytest.mark.parametrize("suffix", [".pkl", ".npz", ".safetensors"])
@pytest.mark.parametrize(("data", "reason"), FOREIGN.values(), ids=FOREIGN.keys())
def test_foreign_files_are_told_by_contents(
    tmp_path: Path, data: bytes, reason: str, suffix: str
) -> None:
    path = tmp_path / f"model{suffix}"
    path.write_bytes(data)
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(path)
    message = str(caught.value)
    assert reason in message
    assert message.startswith(f"'model{suffix}' cannot be read: ")
    assert "\n" not in message
    assert "; " in message, "a refusal says what to do"
    assert len(message) < 600


FETCHED_AGAIN = frozenset(
    {
        "empty file", "web page", "web page after a remark", "web page without a head",
        "server's words", "server's XML", "git-LFS pointer", "truncated zip", "truncated safetensors",
        "safetensors of a list", "truncated pickle", "one byte",
    }
)  # fmt: skip


@pytest.mark.parametrize("kind", FOREIGN)
def test_fetching_again_is_advised_where_it_can_help(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "model"
    path.write_bytes(FOREIGN[kind][0])
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(path)
    assert ("fetch" in str(caught.value)) == (kind in FETCHED_AGAIN)


@pytest.mark.parametrize(
    "address",
    [
        "https://api.ngc.nvidia.com/v2/models/stylegan2-ffhq.pkl",
        "http://example.org/g.pt",
        "s3://bucket/g.pt",
        "file:///tmp/g.pt",
        "HTTPS://EXAMPLE.ORG/g.pt",
    ],
)
def test_addresses_are_no_files(address: str) -> None:
    with pytest.raises(CheckpointError, match=r"it is an address.*download it"):
        read_checkpoint(Path(address))


def test_names_of_files_say_nothing(tmp_path: Path) -> None:
    renamed = tmp_path / "network.jpg"
    renamed.write_bytes(FIXTURE.read_bytes())
    assert read_checkpoint(renamed).sha256 == read_checkpoint(FIXTURE).sha256


def test_a_large_file_of_another_kind_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as stream:
        stream.write(b"<!DOCTYPE html>")
        stream.truncate(3 << 30)  # takes no room on the disk
    tracemalloc.start()
    try:
        with pytest.raises(CheckpointError, match="a web page"):
            read_checkpoint(tmp_path / "large")
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_paths_without_a_file_are_refused(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as stream:
        stream.truncate(MAX_FILE_BYTES + 1)
    for name, reason in (
        ("missing", "no such file"),
        (".", "a folder"),
        ("x" * 300, "cannot be read"),
        ("large", "larger than 4 GiB"),
    ):
        with pytest.raises(CheckpointError) as caught:
            read_checkpoint(tmp_path / name)
        assert reason in str(caught.value)
    with pytest.raises(CheckpointError, match=r"^'\.' cannot be read: it is a folder"):
        read_checkpoint(Path())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipes_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CheckpointError, match="no ordinary file"):
        read_checkpoint(tmp_path / "pipe")


def test_unreadable_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret.pkl"
    path.write_bytes(b"x")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(CheckpointError, match="Permission denied"):
        read_checkpoint(path)
