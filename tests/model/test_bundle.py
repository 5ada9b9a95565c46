"""Bundles: what is verified, and what each refusal says."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.bundled import SIZE

from dragonnx.errors import BundleError
from dragonnx.model.bundle import Bundle, read_manifest
from dragonnx.model.library import find_bundle, open_bundle

Edit = Callable[[dict[str, Any]], None]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the bundled model, to be damaged."""
    return Path(shutil.copytree(find_bundle("critters"), tmp_path / "copy"))


def edit_manifest(folder: Path, edit: Edit) -> None:
    path = folder / "manifest.json"
    facts = json.loads(path.read_text())
    edit(facts)
    path.write_text(json.dumps(facts))


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


def test_a_link_out_of_the_folder_is_refused(copy: Path, tmp_path: Path) -> None:
    (copy / "weights.bin").rename(tmp_path / "elsewhere.bin")
    try:
        (copy / "weights.bin").symlink_to(tmp_path / "elsewhere.bin")
    except OSError as error:
        pytest.skip(f"links cannot be made here: {error}")
    with pytest.raises(BundleError, match=r"^weights\.bin .* leaves the folder"):
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
        (lambda f: f.update(z_dim="16"), "'16' is no whole number"),
        (lambda f: f.update(z_dim=0), "not positive"),
        (lambda f: f.update(trainable_layers=15), "15 of 14 w's"),
        (lambda f: f["files"].pop("image.onnx"), "does not list image.onnx"),
        (lambda f: f.update(drag_settings={"r1": "3"}), "'3' is no number"),
        (lambda f: f.update(drag_settings={"r3": 3}), "drag setting r3 3"),
        (lambda f: f.update(drag_settings={"r1": -3}), "drag setting r1 -3"),
        (lambda f: f.update(image_size=[128]), "cannot be read"),
        (lambda f: f["windows"].update(cuts=[24]), "a cut that is no block"),
        (lambda f: f["windows"].update(channels=[]), "not positive"),
        (lambda f: f["windows"].update(resample_filter=[1, 3]), "no usable filter"),
        (lambda f: f["windows"].update(size=3), "unknown entries size"),
        (lambda f: f["windows"].update(cuts=[32, 16, 8]), "lists no graph features_8, pullback_8"),
        (lambda f: f.update(windows=3), "cannot be read"),
        (lambda f: f.update(family=2), "2 is no text"),
        (lambda f: f["feature_map"].pop("rate"), "rate"),
        (lambda f: f["feature_map"].update(rate=[4, 0]), "not positive"),
        (lambda f: f["feature_map"].update(offset=[1.5, math.nan]), "is no place in an image"),
        (lambda f: f["feature_map"].update(offset=1.5), "cannot be read"),
        (lambda f: f.update(graphs=[]), "lists no graph features, features_16, "),
        (lambda f: without_graph(f, "pullback"), "lists no graph pullback: export"),
        (lambda f: without_graph(f, "image_pullback"), "lists no graph image_pullback: export"),
        (lambda f: without_graph(f, "preview"), "lists no graph preview: export"),
        (lambda f: without_graph(f, "features", 16), "lists no graph features_16: export"),
        (lambda f: f["graphs"].append(f["graphs"][0]), "lists the graph mapping twice"),
        (lambda f: f["graphs"].append({"role": "upscaled", "file": "x.onnx"}), "not list x.onnx"),
        (lambda f: f["graphs"][0].update(role=None), "None is no text"),
        (lambda f: f["graphs"][0].update(cut="16"), "'16' is no whole number"),
        (lambda f: f["graphs"][0].update(kind="x"), "unknown entries kind"),
        (lambda f: f.update(graphs={}), "lists no graph"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(copy: Path, edit: Edit, message: str) -> None:
    edit_manifest(copy, edit)
    with pytest.raises(BundleError, match=message) as caught:
        Bundle.open(copy)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000])
def test_a_manifest_that_is_none_is_refused(copy: Path, content: bytes) -> None:
    (copy / "manifest.json").write_bytes(content)
    with pytest.raises(BundleError, match=r"manifest\.json cannot be read"):
        Bundle.open(copy)


def test_a_folder_that_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="is no model bundle"):
        Bundle.open(tmp_path)
