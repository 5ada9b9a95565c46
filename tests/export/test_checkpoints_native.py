"""The project's own checkpoints: written, read back, and refused when they are not intact."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from support.checkpoint_files import SMALL, random_weights
from support.pickle_files import npy, zipped

from dragonnx_export.checkpoints import CheckpointError, Choices, read_checkpoint, write_native
from dragonnx_export.checkpoints.choices import NO_CLAMP

WEIGHTS: dict[str, Any] = random_weights(SMALL)
UNTYPED_JSON = {
    "z_dim": 6,
    "c_dim": 0,
    "w_dim": 5,
    "img_resolution": 8,
    "img_channels": 3,
    "num_ws": 4,
    "mapping": {"num_layers": 2, "lr_multiplier": 0.01},
    "channels": {"4": 4, "8": 3},
    "conv_clamp": 256.0,
    "resample_filter": [1, 3, 3, 1],
    "architecture": "skip",
}


def assert_same(path: Path) -> None:
    checkpoint = read_checkpoint(path)
    assert checkpoint.architecture == SMALL
    assert checkpoint.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert checkpoint.weights.keys() == WEIGHTS.keys()
    for name, values in WEIGHTS.items():
        np.testing.assert_array_equal(checkpoint.weights[name], values)


def test_written_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "seed.of.any.name"
    write_native(path, SMALL, WEIGHTS)
    assert_same(path)
    assert read_checkpoint(path).format == "dragonnx checkpoint (npz)"


def test_same_contents_give_the_same_bytes(tmp_path: Path) -> None:
    one, two = tmp_path / "one.npz", tmp_path / "two.npz"
    write_native(one, SMALL, WEIGHTS)
    write_native(two, SMALL, dict(reversed(WEIGHTS.items())))
    assert one.read_bytes() == two.read_bytes()


def test_numpy_reads_what_is_written(tmp_path: Path) -> None:
    path = tmp_path / "seed.npz"
    write_native(path, SMALL, WEIGHTS)
    with np.load(path, allow_pickle=False) as arrays:
        assert json.loads(str(arrays["architecture"]))["z_dim"] == 6
        np.testing.assert_array_equal(arrays["mapping.w_avg"], WEIGHTS["mapping.w_avg"])


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "seed.npz"
    write_native(path, SMALL, WEIGHTS)
    with pytest.raises(CheckpointError, match="lacks the array"):
        write_native(path, SMALL, {})
    with pytest.raises(CheckpointError, match="cannot be written"):
        write_native(tmp_path / "no" / "seed.npz", SMALL, WEIGHTS)
    (tmp_path / "folder").mkdir()
    with pytest.raises(CheckpointError, match="cannot be written"):
        write_native(tmp_path / "folder", SMALL, WEIGHTS)
    assert_same(path)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["folder", "seed.npz"]


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_with_json_beside_it(tmp_path: Path, save: Any) -> None:
    path = tmp_path / "seed.npz"
    save(path, **WEIGHTS)
    path.with_suffix(".json").write_text(json.dumps(UNTYPED_JSON))
    assert_same(path)


def test_safetensors_with_metadata_or_json_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "seed.safetensors"
    safetensors.numpy.save_file(WEIGHTS, path, {"architecture": SMALL.to_json()})
    assert_same(path)
    safetensors.numpy.save_file({"unknown": np.zeros(3)}, path)
    with pytest.raises(CheckpointError, match=r"seed\.json"):
        read_checkpoint(path)
    safetensors.numpy.save_file(WEIGHTS, path)
    path.with_suffix(".json").write_text(json.dumps(UNTYPED_JSON))
    assert_same(path)
    assert read_checkpoint(path).format == "dragonnx checkpoint (safetensors)"


def test_half_and_double_precision_become_float32(tmp_path: Path) -> None:
    path = tmp_path / "seed.npz"
    doubles: dict[str, Any] = {
        name: np.array(values, dtype=">f8", order="F") for name, values in WEIGHTS.items()
    }
    np.savez(path, architecture=np.array(SMALL.to_json()), **doubles)
    assert_same(path)
    halves: Any = {name: values.astype(np.float16) for name, values in WEIGHTS.items()}
    safetensors.numpy.save_file(halves, path, {"architecture": SMALL.to_json()})
    weights = read_checkpoint(path).weights
    assert all(weights[name].dtype == np.float32 for name in WEIGHTS)


def test_resampling_filters_of_a_state_dict_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "seed.npz"
    extra: Any = {"synthesis.b8.resample_filter": np.ones((4, 4), np.float32)}
    np.savez(path, architecture=np.array(SMALL.to_json()), **WEIGHTS, **extra)
    assert_same(path)


ARCHITECTURES: dict[str, tuple[str, str]] = {
    "no JSON": ("not json", "cannot be read"),
    "a list": ("[]", "cannot be read"),
    "an empty object": ("{}", "z_dim"),
    "deep": ("[" * 100_000, "architecture"),
    "infinite": (json.dumps({**UNTYPED_JSON, "z_dim": float("inf")}), "without end"),
    "zero": (json.dumps({**UNTYPED_JSON, "z_dim": 0}), "at least 1"),
    "nan": (json.dumps({**UNTYPED_JSON, "mapping_lr_multiplier": float("nan")}), "lr_multiplier"),
    "clamp": (json.dumps({**UNTYPED_JSON, "conv_clamp": 0}), "conv_clamp"),
    "filter of zeros": (json.dumps({**UNTYPED_JSON, "resample_filter": [1, -1, 1, -1]}), "filter"),
    "resnet": (json.dumps({**UNTYPED_JSON, "architecture": "resnet"}), "b8.skip.weight"),
    "unknown variant": (json.dumps({**UNTYPED_JSON, "architecture": "dense"}), "skip, orig"),
    "huge layers": (json.dumps({**UNTYPED_JSON, "mapping_layers": 10**18}), "mapping.fc2"),
    "huge resolution": (json.dumps({**UNTYPED_JSON, "resolution": 1 << 3000}), "channels"),
    "other layers": (json.dumps({**UNTYPED_JSON, "mapping_layers": 1}), "mapping.fc1"),
    "without noise": (json.dumps({**UNTYPED_JSON, "use_noise": False}), "no place"),
    "half a dimension": (json.dumps({**UNTYPED_JSON, "z_dim": 6.5}), "no whole number"),
    "no flag": (json.dumps({**UNTYPED_JSON, "use_noise": "false"}), "neither true nor false"),
    "wider": (json.dumps({**UNTYPED_JSON, "w_dim": 6}), "where its architecture needs"),
}


@pytest.mark.parametrize(("text", "reason"), ARCHITECTURES.values(), ids=ARCHITECTURES.keys())
def test_architectures_that_do_not_fit_are_refused(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "seed.npz"
    np.savez(path, architecture=np.array(text), **WEIGHTS)
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(path)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_an_architecture_of_impossible_characters_is_refused(tmp_path: Path) -> None:
    text = np.array(SMALL.to_json())
    beyond = np.full(text.dtype.itemsize // 4, 0x7FFFFFFF, "<u4").view(text.dtype)[0:1].reshape(())
    path = tmp_path / "seed.npz"
    path.write_bytes(zipped({"architecture.npy": npy(beyond)}))
    with pytest.raises(CheckpointError, match="no text"):
        read_checkpoint(path)


def test_an_architecture_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "seed.npz"
    np.savez(path, architecture=np.zeros(3), **WEIGHTS)
    path.with_suffix(".json").write_text(json.dumps(UNTYPED_JSON))
    with pytest.raises(CheckpointError, match="no text"):
        read_checkpoint(path)


def _folder(path: Path) -> None:
    path.mkdir()


def _pipe(path: Path) -> None:
    os.mkfifo(path)


SIDECARS: dict[str, tuple[Callable[[Path], object], str]] = {
    "not json": (lambda path: path.write_text("z_dim: 6"), "cannot be read"),
    "another encoding": (lambda path: path.write_bytes(b"\xff\xfe{}"), "UTF-8"),
    "of something else": (lambda path: path.write_text('{"G_kwargs": {}}'), "z_dim"),
    "a list": (lambda path: path.write_text("[]"), "cannot be read"),
    "too long": (lambda path: path.write_bytes(b" " * (1 << 20) + b"{}"), "too large"),
    "a folder": (_folder, "folder"),
    "a pipe": (_pipe, "a pipe, a device"),
    "a link to nothing": (lambda path: path.symlink_to(path.parent / "nothing"), "No such file"),
}


@pytest.mark.parametrize("container", [".npz", ".safetensors"])
@pytest.mark.parametrize(("make", "reason"), SIDECARS.values(), ids=SIDECARS.keys())
def test_a_description_that_cannot_be_read_is_never_guessed_at(
    tmp_path: Path, container: str, make: Callable[[Path], object], reason: str
) -> None:
    """The arrays alone would be read as a state dict, with another clamp than what it says."""
    path = tmp_path / f"seed{container}"
    save = (
        np.savez if container == ".npz" else lambda path, **a: safetensors.numpy.save_file(a, path)
    )
    save(path, **WEIGHTS)
    assert read_checkpoint(path).architecture.conv_clamp is None
    make(path.with_suffix(".json"))
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(path)
    assert "'seed.json' beside it" in str(caught.value)
    assert reason in str(caught.value)
    assert "mend it, or move it away" in str(caught.value)


def test_what_a_description_leaves_open_is_told(tmp_path: Path) -> None:
    path = tmp_path / "seed.npz"
    np.savez(path, **WEIGHTS)
    facts = {k: v for k, v in UNTYPED_JSON.items() if k not in ("mapping", "conv_clamp")}
    path.with_suffix(".json").write_text(json.dumps({**facts, "mapping": {"num_layers": 2}}))
    rate, clamp = read_checkpoint(path).notes
    assert rate.startswith("the file does not say the mapping network's learning rate multiplier")
    assert clamp == NO_CLAMP
    given = read_checkpoint(path, Choices(mapping_lr=0.02, conv_clamp=256))
    assert given.notes == ("--mapping-lr 0.02 was given", "--conv-clamp 256 was given")
    assert given.architecture == dataclasses.replace(SMALL, mapping_lr_multiplier=0.02)
    path.with_suffix(".json").write_text(json.dumps({**facts, "mapping_lr_multiplier": 1}))
    with pytest.raises(CheckpointError, match="says itself what --mapping-lr"):
        read_checkpoint(path, Choices(mapping_lr=0.02))
    path.with_suffix(".json").write_text(json.dumps(UNTYPED_JSON))
    assert read_checkpoint(path).notes == ()


def test_text_of_either_byte_order_is_read(tmp_path: Path) -> None:
    path = tmp_path / "seed.npz"
    text = np.array(SMALL.to_json())
    np.savez(path, architecture=text.astype(text.dtype.newbyteorder(">")), **WEIGHTS)
    assert_same(path)


def lying_header(shape: str, descr: str = "'<f4'") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + bytes(16)


MEMBERS: dict[str, tuple[bytes, str]] = {
    "objects": (npy(np.array([{}, None], dtype=object)), "not numbers"),
    "records": (npy(np.zeros(2, dtype="f4,f4")), "not numbers"),
    "text": (npy(np.full(5, "x")), "float32 is expected"),
    "10**12 elements": (lying_header("(1000000, 1000000)"), "does not fill"),
    "10**40 elements": (lying_header(f"({10**40},)"), "does not fill"),
    "negative": (lying_header("(-1, -4)"), "not numbers"),
    "code in the header": (lying_header("__import__('os').system('true')"), "readable header"),
    "objects by header": (lying_header("(2,)", "'|O'"), "not numbers"),
    "deep header": (lying_header("(" * 900 + ")" * 900), "readable header"),
    "another version": (b"\x93NUMPY\x09\x00" + bytes(200), "readable header"),
    "no header": (b"x" * 20, "readable header"),
    "empty": (b"", "readable header"),
    "short": (npy(WEIGHTS["mapping.w_avg"])[:-1], "does not fill"),
    "nan": (npy(np.full(5, np.nan, np.float32)), "not finite"),
}


@pytest.mark.parametrize(("member", "reason"), MEMBERS.values(), ids=MEMBERS.keys())
def test_bad_arrays_are_refused(tmp_path: Path, member: bytes, reason: str) -> None:
    members = {f"{name}.npy": npy(values) for name, values in WEIGHTS.items()}
    members["architecture.npy"] = npy(np.array(SMALL.to_json()))
    path = tmp_path / "seed.npz"
    path.write_bytes(zipped({**members, "mapping.w_avg.npy": member}))
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(path)
    assert reason in str(caught.value)


def test_zip_bombs_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "seed.npz"
    path.write_bytes(zipped({"a.npy": bytes(1 << 27)}, zipfile.ZIP_DEFLATED))
    with pytest.raises(CheckpointError, match="unpacks to"):
        read_checkpoint(path)


def test_zips_of_other_things_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "seed.npz"
    for members, reason in (
        ({"photo.jpg": b""}, "zip archive without arrays"),
        ({"a.npy": npy(np.zeros(1)), "b.txt": b""}, "b.txt"),
        ({"archive/data.pkl": b"", "archive/data/0": b""}, "ends early"),
    ):
        path.write_bytes(zipped(members))
        with pytest.raises(CheckpointError) as caught:
            read_checkpoint(path)
        assert reason in str(caught.value)


def test_other_types_in_safetensors_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "seed.safetensors"
    numbers: Any = {**WEIGHTS, "mapping.w_avg": np.arange(5)}
    safetensors.numpy.save_file(numbers, path, {"architecture": SMALL.to_json()})
    with pytest.raises(CheckpointError, match="int64"):
        read_checkpoint(path)


def test_views_that_repeat_beyond_the_file_are_refused(tmp_path: Path) -> None:
    """What is written must fit what is promised, whoever made the arrays."""
    wide = dataclasses.replace(SMALL, w_dim=7)
    with pytest.raises(CheckpointError, match="where its architecture needs"):
        write_native(tmp_path / "seed.npz", wide, WEIGHTS)
