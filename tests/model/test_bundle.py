"""Bundles: what is verified, and what each refusal says."""

from __future__ import annotations

import io
import math
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
from support.altered_bundles import Edit, edit_manifest, replace_file
from support.bundled import SIZE

from dragonnx.errors import BundleError
from dragonnx.model import folder_files
from dragonnx.model.bundle import Bundle, read_manifest
from dragonnx.model.generator import Generator
from dragonnx.model.library import find_bundle, open_bundle


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the bundled model, to be damaged."""
    return Path(shutil.copytree(find_bundle("critters"), tmp_path / "copy"))


def without_graph(facts: dict[str, Any], role: str, cut: int | None = None) -> None:
    facts["graphs"] = [g for g in facts["graphs"] if (g["role"], g["cut"]) != (role, cut)]


def test_the_bundled_model_opens() -> None:
    manifest = open_bundle("critters").manifest
    assert manifest.image_size == (SIZE, SIZE)
    assert {record.graph for record in manifest.parity} == {graph.name for graph in manifest.graphs}
    assert len(manifest.graphs) == 13
    for record in manifest.parity:
        assert 0 < record.max_relative <= record.tolerance
        assert record.reason


def test_a_manifest_survives_writing_and_reading() -> None:
    folder = find_bundle("critters")
    assert read_manifest(folder).to_json() == (folder / "manifest.json").read_text()


@pytest.mark.parametrize("name", ["features.onnx", "weights.bin", "w_avg.npy"])
def test_one_altered_byte_is_refused_by_the_files_name(copy: Path, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(BundleError, match=f"^{name} of the bundle .* was altered"):
        Bundle.open(copy)


def test_a_missing_file_is_refused_by_its_name(copy: Path) -> None:
    (copy / "pullback.onnx").unlink()
    with pytest.raises(BundleError, match=r"^pullback\.onnx of the bundle .* is missing"):
        Bundle.open(copy)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in folders here")
@pytest.mark.parametrize("name", ["weights.bin", "image.onnx", "w_avg.npy", "manifest.json"])
def test_a_pipe_is_not_waited_for(copy: Path, name: str) -> None:
    (copy / name).unlink()
    os.mkfifo(copy / name)
    with pytest.raises(BundleError, match=f"{name}.*it is no file but a pipe"):
        Bundle.open(copy)


@pytest.mark.parametrize("name", ["weights.bin", "image.onnx", "manifest.json"])
def test_a_folder_in_the_place_of_a_file(copy: Path, name: str) -> None:
    (copy / name).unlink()
    (copy / name).mkdir()
    with pytest.raises(BundleError, match=f"{name}.*it is a folder"):
        Bundle.open(copy)


def test_links_that_go_round(copy: Path) -> None:
    (copy / "weights.bin").unlink()
    try:
        (copy / "weights.bin").symlink_to(copy / "weights.bin")
    except OSError as error:
        pytest.skip(f"links cannot be made here: {error}")
    with pytest.raises(BundleError, match=r"^weights\.bin of the bundle .* missing or unreadable"):
        Bundle.open(copy)


def test_a_file_of_another_size_is_not_read(copy: Path) -> None:
    with (copy / "weights.bin").open("r+b") as file:
        file.truncate(2**40)  # takes no place on the disk, and would take minutes to read
    with pytest.raises(BundleError, match=r"^weights\.bin .* was altered or cut short"):
        Bundle.open(copy)


class Trap:
    """Runs code where it is loaded as an object of Python."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return Path("trap").touch, ()


def saved(array: object) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


def check_refused(copy: Path, name: str, content: bytes, message: str) -> None:
    """A bundle that holds something else under a name is refused, and nothing in it runs."""
    replace_file(copy, name, content)
    with pytest.raises(BundleError, match=message):
        Bundle.open(copy)
    assert not Path("trap").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "w_avg.npy of the bundle .* is no array that can be read"),
        (b"\x93NUMPY\x01\x00\xff\xff", "is no array that can be read"),
        (saved(np.array([Trap()])), "holds values of a type that cannot be used"),
        (saved(np.zeros(192)), r"must be float32 \[192\], not float64 \[192\]"),
        (saved(np.zeros((2, 192), np.float32)), r"must be float32 \[192\], not float32 \[2, 192\]"),
        (saved(np.full(192, np.nan, np.float32)), "holds values that are no numbers"),
        (saved(np.zeros(192, np.float32))[:-4], "has another size than its shape takes"),
    ],
)
def test_an_average_that_is_none(
    copy: Path, content: bytes, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    check_refused(copy, "w_avg.npy", content, message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "tracking.npy of the bundle .* is no array that can be read"),
        (saved(np.array([Trap()])), "holds values of a type that cannot be used"),
        (
            saved(np.zeros((8, 48, 5, 5))),
            r"float32 \[1 to 256, 48, s, s\] with s odd .* not float64",
        ),
        (saved(np.zeros((8, 47, 5, 5), np.float32)), r"not float32 \[8, 47, 5, 5\]"),
        (saved(np.zeros((8, 48, 4, 4), np.float32)), r"not float32 \[8, 48, 4, 4\]"),
        (saved(np.zeros((8, 48, 3, 5), np.float32)), r"not float32 \[8, 48, 3, 5\]"),
        (saved(np.zeros((8, 48, 11, 11), np.float32)), r"not float32 \[8, 48, 11, 11\]"),
        (saved(np.zeros((257, 48, 1, 1), np.float32)), r"not float32 \[257, 48, 1, 1\]"),
        (saved(np.full((8, 48, 1, 1), np.inf, np.float32)), "holds values that are no numbers"),
        (saved(np.zeros((8, 48), np.float32)), r"not float32 \[8, 48\]"),
        (
            saved(np.zeros((300, 48, 9, 9), np.float32)),
            "tracking.npy with 4665728 bytes, and it can",
        ),
    ],
)
def test_a_map_for_tracking_that_is_none(
    copy: Path, content: bytes, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    check_refused(copy, "tracking.npy", content, message)


def test_a_map_for_tracking_is_used_and_may_be_missing(copy: Path) -> None:
    kernel = np.ones((4, 48, 3, 3), np.float32)
    replace_file(copy, "tracking.npy", saved(kernel))
    with Generator.open(copy, "cpu") as generator:
        np.testing.assert_array_equal(generator.tracking_kernel, kernel)
    edit_manifest(copy, lambda facts: facts["files"].pop("tracking.npy"))
    with Generator.open(copy, "cpu") as generator:
        assert generator.tracking_kernel is None


def test_weights_that_give_no_numbers(copy: Path) -> None:
    size = (copy / "weights.bin").stat().st_size
    replace_file(copy, "weights.bin", np.full(size // 4, np.nan, np.float32).tobytes())
    with Generator.open(copy, "cpu") as generator:
        for ask in (lambda: generator.w_plus(1), generator.principal_w):
            with pytest.raises(
                BundleError, match=r"mapping network of critters gives .* not finite"
            ):
                ask()


def test_a_file_is_hashed_once_until_it_changes(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[int] = []
    digest = folder_files.sha256_of

    def counted(file: BinaryIO, size: int) -> str:
        hashed.append(size)
        return digest(file, size)

    monkeypatch.setattr(folder_files, "sha256_of", counted)
    monkeypatch.setattr(folder_files, "_SETTLED", -1)  # else what is new is hashed again
    Bundle.open(copy)
    assert (copy / "weights.bin").stat().st_size in hashed
    hashed.clear()
    Bundle.open(copy)
    assert not hashed
    content = bytearray((copy / "weights.bin").read_bytes())
    times = (copy / "weights.bin").stat()
    content[0] ^= 1
    (copy / "weights.bin").write_bytes(content)
    os.utime(copy / "weights.bin", ns=(times.st_atime_ns, times.st_mtime_ns))
    with pytest.raises(BundleError, match=r"^weights\.bin .* was altered"):
        Bundle.open(copy)


def test_a_link_out_of_the_folder_is_refused(copy: Path, tmp_path: Path) -> None:
    (copy / "weights.bin").rename(tmp_path / "elsewhere.bin")
    try:
        (copy / "weights.bin").symlink_to(tmp_path / "elsewhere.bin")
    except OSError as error:
        pytest.skip(f"links cannot be made here: {error}")
    with pytest.raises(BundleError, match=r"^weights\.bin .* leaves the folder, .*cp -RL"):
        Bundle.open(copy)


@pytest.mark.parametrize("name", ["../weights.bin", "/etc/passwd", "sub/file", "..", "a\\b"])
def test_a_path_that_leaves_the_folder_is_refused(copy: Path, name: str) -> None:
    def edit(facts: dict[str, Any]) -> None:
        facts["files"][name] = facts["files"]["weights.bin"]

    edit_manifest(copy, edit)
    with pytest.raises(BundleError, match="leaves the folder"):
        Bundle.open(copy)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda f: f.update(format_version=99), "has format version 99, this dragonnx reads"),
        (lambda f: f.pop("format_version"), "cannot be read"),
        (lambda f: f.pop("z_dim"), "z_dim"),
        (lambda f: f.update(surprise=1), "unknown entries surprise"),
        (lambda f: f.update(z_dim="16"), "z_dim must be a whole number from 1 to 8192, not '16'"),
        (lambda f: f.update(z_dim=0), "z_dim must be a whole number from 1 to 8192, not 0"),
        (lambda f: f.update(trainable_layers=15), "15 of 14 w's"),
        (lambda f: f["files"].pop("image.onnx"), "does not list image.onnx"),
        (
            lambda f: f.update(drag_settings={"r1": "3"}),
            "drag_settings.r1 must be a positive .* '3'",
        ),
        (lambda f: f.update(drag_settings={"r3": 3}), "there is no drag setting 'r3'"),
        (lambda f: f.update(drag_settings={"best.r3": 3}), "there is no drag setting 'best.r3'"),
        (lambda f: f.update(drag_settings={".r1": 3}), "there is no drag setting '.r1'"),
        (lambda f: f.update(drag_settings={"best.r1": -3}), "best.r1 must be a positive number"),
        (lambda f: f.update(drag_settings={"r1": -3}), "r1 must be a positive number.* not -3"),
        (lambda f: f.update(image_size=[128]), "cannot be read"),
        (lambda f: f["windows"].update(cuts=[24]), "a cut that is no block"),
        (lambda f: f["windows"].update(channels=[]), "the last is not the feature map"),
        (lambda f: f["windows"].update(resample_filter=[1, 3]), "no usable filter"),
        (lambda f: f["windows"].update(size=3), "unknown entries size"),
        (lambda f: f["windows"].update(cuts=[32, 16, 8]), "lists no graph features_8, pullback_8"),
        (lambda f: f.update(windows=3), "cannot be read"),
        (lambda f: f.update(family=2), "family must be a text, not 2"),
        (lambda f: f["feature_map"].pop("rate"), "rate"),
        (lambda f: f["feature_map"].update(rate=[4, 0]), "feature_map.rate must be a positive"),
        (lambda f: f["feature_map"].update(offset=[1.5, math.nan]), "NaN is no number"),
        (lambda f: f["feature_map"].update(offset=1.5), "cannot be read"),
        (lambda f: f.update(graphs=[]), "lists no graph features, features_16, "),
        (lambda f: without_graph(f, "pullback"), "lists no graph pullback: export"),
        (lambda f: without_graph(f, "image_pullback"), "lists no graph image_pullback: export"),
        (lambda f: without_graph(f, "preview"), "lists no graph preview: export"),
        (lambda f: without_graph(f, "features", 16), "lists no graph features_16: export"),
        (lambda f: f["graphs"].append(f["graphs"][0]), "lists the graph mapping twice"),
        (lambda f: f["graphs"].append({"role": "upscaled", "file": "x.onnx"}), "not list x.onnx"),
        (lambda f: f["graphs"][0].update(role=None), r"graphs\[0\].role must be a text, not None"),
        (lambda f: f["graphs"][0].update(cut="16"), r"cut must be a whole number .* '16'"),
        (lambda f: f["graphs"][0].update(kind="x"), "unknown entries kind"),
        (lambda f: f.update(graphs={}), "graphs must be a list"),
        # Numbers, texts and lists within what any model has.
        (lambda f: f.update(w_dim=2**31), "w_dim must be a whole number from 1 to 8192"),
        (lambda f: f.update(z_dim=True), "z_dim must be a whole number .* not True"),
        (lambda f: f.update(z_dim=16.0), "z_dim must be a whole number .* not 16.0"),
        (lambda f: f.update(image_size=[9000, 9000]), "image_size must be .* to 8192"),
        (lambda f: f.update(num_ws=10**6), "num_ws must be a whole number from 1 to 1000"),
        (lambda f: f.update(label_dim=-1), "label_dim must be a whole number from 0"),
        (lambda f: f.update(truncation_psi=math.inf), "Infinity is no number"),
        (lambda f: f.update(truncation_psi="0.7"), "truncation_psi must be a number"),
        (lambda f: f.update(truncation_psi=10**40), "a number of 41 digits"),
        (lambda f: f["windows"].update(resample_filter=[1, -1, 1, -1]), "is no usable filter"),
        (lambda f: f["windows"].update(resample_filter=[1, 3, 3, 1e300]), "must be a number from"),
        (lambda f: f.update(drag_settings={"max_steps": 1.5}), "max_steps must be a whole number"),
        (lambda f: f.update(drag_settings={"r1": 1e308}), "r1 must be a positive number"),
        (lambda f: f["files"]["weights.bin"].update(size="8"), r"files\.'weights\.bin'\.size must"),
        (lambda f: f["files"]["weights.bin"].update(size=-1), "size must be a whole number from 0"),
        (lambda f: f["files"]["weights.bin"].update(sha256="0"), "sha256 must be a SHA-256"),
        (lambda f: f["files"]["weights.bin"].pop("size"), "size is missing"),
        (lambda f: f["files"]["w_avg.npy"].update(size=10**9), "w_avg.npy with 1000000000 bytes"),
        (lambda f: f["files"]["image.onnx"].update(size=10**9), "image.onnx with 1000000000 bytes"),
        (
            lambda f: f["files"]["weights.bin"].update(size=2**40),
            "size must be a whole number from",
        ),
        (lambda f: f["files"]["weights.bin"].update(size=2**34), "more than 17179869184 bytes to"),
        (lambda f: f["files"].update({"x" * 300: f["files"]["w_avg.npy"]}), "at most 255 char"),
        (lambda f: f.update(files=dict.fromkeys(map(str, range(999)))), "at most 256 entries"),
        (lambda f: f.update(name="x" * 999), "name must have at most 255 characters, not 999"),
        (lambda f: f.update(name="a\0b"), "name holds a character that is none"),
        (lambda f: f["source"].update(licence="x" * 10**5), "licence must have at most 20000"),
        (lambda f: f["source"].update(licence=None), "source.licence must be a text"),
        (lambda f: f["parity"][0].update(seeds=[0.5]), r"parity\[0\].seeds\[0\] must be a whole"),
        (lambda f: f["parity"][0].update(tolerance=None), "tolerance must be a number"),
        (lambda f: f.update(parity=[f["parity"][0]] * 4000), "is too large: it has .* MiB"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(copy: Path, edit: Edit, message: str) -> None:
    edit_manifest(copy, edit)
    with pytest.raises(BundleError, match=message) as caught:
        Bundle.open(copy)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 700


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000])
def test_a_manifest_that_is_none_is_refused(copy: Path, content: bytes) -> None:
    (copy / "manifest.json").write_bytes(content)
    with pytest.raises(BundleError, match=r"manifest\.json cannot be read"):
        Bundle.open(copy)


def test_a_folder_that_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="is no model bundle"):
        Bundle.open(tmp_path)
