"""Whole bundles: reproducible, verified, all or nothing."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.random_checkpoints import CLAMPED, GREY, LABELLED, PLAIN, VARIANTS, random_checkpoint

from dragonnx import Generator, InversionConfig, invert
from dragonnx.errors import DragonnxError, InputError
from dragonnx.model.bundle import Bundle, read_manifest
from dragonnx.model.facts import OPTIONAL_ROLES, REQUIRED_ROLES, GraphRecord
from dragonnx.model.latent import truncate
from dragonnx.model.manifest import Manifest
from dragonnx.runtime import CPU, Device, Graph
from dragonnx_export.bundle_writer import ExportOptions, write_bundle
from dragonnx_export.checkpoints import read_checkpoint
from dragonnx_export.families.family import ModelGraph
from dragonnx_export.families.stylegan2.architecture import Architecture
from dragonnx_export.families.stylegan2.model import StyleGAN2Model
from dragonnx_export.folder_writer import ExportError
from dragonnx_export.graphs.weight_file import WeightFile
from dragonnx_export.parity import check
from dragonnx_export.parity.cases import Arrays, ParityCase
from dragonnx_export.parity.record import ParityError
from dragonnx_export.parity.reference import ReferenceNetwork

FIXTURES = Path(__file__).parents[1] / "fixtures"
OPTIONS = ExportOptions(name="test")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("resolution", "dragged", "trained"),
    [(16, 16, 5), (32, 32, 6), (64, 32, 6), (128, 32, 6), (256, 128, 6), (512, 128, 6)],
)
def test_the_block_that_is_dragged(resolution: int, dragged: int, trained: int) -> None:
    """The released code's of 128x128, of small models that of a quarter; the paper trains six layers."""
    channels = {4 << k: 4 for k in range(resolution.bit_length() - 2)}
    checkpoint = random_checkpoint(
        dataclasses.replace(PLAIN, resolution=resolution, channels=channels)
    )
    facts = StyleGAN2Model(checkpoint, None, 6).facts
    assert facts.feature_map.size == (dragged, dragged)
    assert facts.trainable_layers == trained
    assert StyleGAN2Model(checkpoint, 8, 6).facts.feature_map.size == (8, 8)


def test_same_checkpoint_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_bundle(random_checkpoint(PLAIN), tmp_path / name, OPTIONS)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


@pytest.mark.parametrize("name", ["stylegan2-ada-32px.pkl", "rosinality-16px.pt"])
def test_the_graphs_give_what_the_formats_own_code_gives(tmp_path: Path, name: str) -> None:
    """Within 2e-5 of each array's scale, the project's bound for values."""
    write_bundle(read_checkpoint(FIXTURES / name), tmp_path / "bundle", OPTIONS)
    expected = dict(np.load((FIXTURES / name).with_suffix(".npz")))
    generator = Generator.open(tmp_path / "bundle", device="cpu", threads=1)
    w = generator.w_plus(z=expected["z"], truncation_psi=1)[:, 0]
    # rosinality's file has no average w: its truncated image is that of the average given here.
    w_avg = expected.pop("latent_avg", generator.w_avg)
    truncated = truncate(w, w_avg, 0.7)
    w_plus, truncated_plus = (
        np.repeat(rows[:, None], generator.manifest.num_ws, axis=1) for rows in (w, truncated)
    )
    image = Graph(tmp_path / "bundle" / "image.onnx", Device(CPU))

    def images(latents: np.ndarray) -> np.ndarray:
        return np.concatenate([image.run({"w_plus": each[None]})[0]["image"] for each in latents])

    measured = {
        "w": w,
        "w_psi07": truncated,
        "image": images(w_plus),
        "image_psi07": images(truncated_plus),
        "features_32": generator.features(w_plus[:1]).features,
    }
    compared = measured.keys() & expected.keys()
    assert compared >= {"w", "image", "image_psi07"}
    for output in compared:
        difference = np.abs(measured[output] - expected[output]).max()
        assert difference <= 2e-5 * np.abs(expected[output]).max(), output
    assert "DRAGONNX_TRAP" not in os.environ


@pytest.mark.parametrize("architecture", [PLAIN, *VARIANTS.values()], ids=["plain", *VARIANTS])
def test_parity_is_recorded_for_every_graph(tmp_path: Path, architecture: Architecture) -> None:
    manifest = write_bundle(random_checkpoint(architecture), tmp_path / "bundle", OPTIONS)
    to_invert, previews = OPTIONAL_ROLES
    expected = {*REQUIRED_ROLES, *to_invert, "features_16", "pullback_16"}
    if architecture.variant == "skip":
        expected.update(previews)
    assert {record.graph for record in manifest.parity} == expected
    assert {graph.name for graph in manifest.graphs} == expected
    assert all(0 < record.max_relative <= record.tolerance for record in manifest.parity)
    assert Bundle.open(tmp_path / "bundle").manifest == manifest


def test_features_that_are_zero_everywhere_equal_zero(tmp_path: Path) -> None:
    """A generator that training has ruined: nothing can be said in parts of its largest feature."""
    checkpoint = random_checkpoint(dataclasses.replace(GREY, use_noise=False))
    dead = {
        name: values * 0 if name.endswith((".const", "1.bias", "0.bias")) else values
        for name, values in checkpoint.weights.items()
    }
    write_bundle(dataclasses.replace(checkpoint, weights=dead), tmp_path / "bundle", OPTIONS)
    generator = Generator.open(tmp_path / "bundle", device="cpu", threads=1)
    assert not generator.features(generator.w_plus(0)).features.any()


def test_the_first_block_can_be_dragged_in_residual_networks(tmp_path: Path) -> None:
    """It is none itself."""
    options = ExportOptions(name="x", feature_resolution=4)
    manifest = write_bundle(random_checkpoint(VARIANTS["resnet"]), tmp_path / "bundle", options)
    assert manifest.feature_map.size == (4, 4)


def test_a_bundle_of_version_1_reads_as_what_is_written_today(tmp_path: Path) -> None:
    """The fixture is of these weights; graphs and weights are other bytes today."""
    architecture = Architecture(
        z_dim=4, w_dim=6, resolution=32, channels={4: 6, 8: 5, 16: 4, 32: 3}, mapping_layers=1,
        use_noise=False,
    )  # fmt: skip
    options = ExportOptions(
        name="small", licence="CC0", note="Random weights.", drag_settings={"r1": 3.0}
    )
    made = write_bundle(random_checkpoint(architecture), tmp_path / "bundle", options)
    old = read_manifest(FIXTURES / "bundle-v1")
    assert set(old.graphs) == set(made.graphs)
    assert set(old.files) == set(made.files)
    # Measured differences and versions belong to the machine that measured.
    same = {"graphs": (), "files": {}, "parity": (), "versions": {}}
    assert dataclasses.replace(old, **same) == dataclasses.replace(made, **same)


def test_a_wrong_graph_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check must notice a clamp that the graphs know nothing of."""
    unclamped = dataclasses.replace(CLAMPED, conv_clamp=None)
    checkpoint = random_checkpoint(CLAMPED)
    bent = dataclasses.replace(checkpoint, architecture=unclamped)

    def without_clamp(_model: StyleGAN2Model, weights: WeightFile) -> Iterator[ModelGraph]:
        yield from graphs(StyleGAN2Model(bent, None, 6), weights)

    graphs = StyleGAN2Model.graphs
    monkeypatch.setattr(StyleGAN2Model, "graphs", without_clamp)
    with pytest.raises(
        ParityError, match=r"features\.features.*features_16.*image\.image.*pullback\.grad_w_plus"
    ):
        write_bundle(checkpoint, tmp_path / "bundle", OPTIONS)
    assert list(tmp_path.iterdir()) == []


def test_nan_is_no_parity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = check._run_graphs

    def broken(
        manifest: Manifest, folder: Path, network: ReferenceNetwork, case: ParityCase
    ) -> Iterator[tuple[GraphRecord, Arrays]]:
        for graph, outputs in run(manifest, folder, network, case):
            yield graph, {"w": outputs["w"] * np.nan} if graph.role == "mapping" else outputs

    monkeypatch.setattr(check, "_run_graphs", broken)
    with pytest.raises(ParityError, match=r"mapping\.w differs from torch float32 by nan"):
        write_bundle(random_checkpoint(PLAIN), tmp_path / "bundle", OPTIONS)


def test_an_existing_folder_is_safe(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    replace = dataclasses.replace(OPTIONS, overwrite=True)
    with pytest.raises(ExportError, match="holds other files"):
        write_bundle(random_checkpoint(PLAIN), tmp_path / "mine", replace)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"

    bundle = tmp_path / "bundle"
    write_bundle(random_checkpoint(PLAIN), bundle, OPTIONS)
    before = contents(bundle)
    with pytest.raises(ExportError, match="--overwrite"):
        write_bundle(random_checkpoint(PLAIN, seed=1), bundle, OPTIONS)
    assert contents(bundle) == before
    write_bundle(random_checkpoint(PLAIN, seed=1), bundle, replace)
    assert contents(bundle) != before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle", "mine"]


@pytest.mark.parametrize("taken", ["a file", "a bundle"])
def test_what_came_while_a_bundle_was_made_stays(tmp_path: Path, taken: str) -> None:
    """An export takes minutes, in which the user or another export may write there."""
    folder = tmp_path / "bundle"
    folder.mkdir()

    def meanwhile(line: str) -> None:
        if "seed 2" in line:
            name = "thesis.txt" if taken == "a file" else "manifest.json"
            (folder / name).write_text("years of work")

    message = "holds other files" if taken == "a file" else "holds a bundle already"
    with pytest.raises(ExportError, match=message):
        write_bundle(random_checkpoint(GREY), folder, OPTIONS, meanwhile)
    assert [path.read_text() for path in folder.iterdir()] == ["years of work"]
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (ExportOptions(name="x", feature_resolution=64), "one of 4, 8, 16, 32, not 64"),
        (ExportOptions(name="x", trainable_layers=0), "at least 1, not 0"),
    ],
)
def test_options_that_do_not_fit(tmp_path: Path, options: ExportOptions, message: str) -> None:
    with pytest.raises(DragonnxError, match=message):
        write_bundle(random_checkpoint(PLAIN), tmp_path / "bundle", options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"truncation_psi": float("nan")}, "truncation_psi must be a number from -100 to 100"),
        ({"truncation_psi": 1e9}, "truncation_psi must be a number from -100 to 100"),
        ({"name": "x" * 256}, "the model's name must have at most 255 characters"),
        ({"licence": "x" * 20_001}, "the licence must have at most 20000 characters"),
        ({"note": "x" * 20_001}, "the note must have at most 20000 characters"),
    ],
)
def test_options_that_no_manifest_may_have_are_refused_before_the_work(
    changed: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        ExportOptions(**{"name": "x", **changed})


def test_a_class_is_chosen_by_label(tmp_path: Path) -> None:
    write_bundle(random_checkpoint(LABELLED), tmp_path / "bundle", OPTIONS)
    generator = Generator.open(tmp_path / "bundle", device="cpu", threads=1)
    assert not np.array_equal(generator.w_plus(0, label=1), generator.w_plus(0, label=2))
    with pytest.raises(DragonnxError, match="needs a label from 0 to 4: choose"):
        generator.w_plus(0)


@pytest.mark.parametrize("kind", ["orig", "tall-resnet"])
def test_without_coarser_colours_the_preview_is_the_image(tmp_path: Path, kind: str) -> None:
    architecture = dataclasses.replace(
        VARIANTS[kind], resolution=128, channels={4: 8, 8: 8, 16: 6, 32: 4, 64: 4, 128: 4}
    )
    write_bundle(random_checkpoint(architecture), tmp_path / "bundle", OPTIONS)
    generator = Generator.open(tmp_path / "bundle", device="cpu", threads=1)
    w_plus = generator.w_plus(0)
    preview, image = generator.preview(w_plus), generator.image(w_plus)
    width = 128 * architecture.base_width // 4
    assert (image.size, preview.size) == ((width, 128), (width // 2, 64))
    block = np.asarray(image, float)[:2, :2].mean(axis=(0, 1))
    np.testing.assert_allclose(np.asarray(preview, float)[0, 0], block, atol=0.5)  # eight bits
    with pytest.raises(DragonnxError, match="has no graphs for a smaller image"):
        generator.image_layers(w_plus, preview=True)
    found = invert(generator, image, InversionConfig(steps=4, candidates=2))
    assert len({step.loss for step in found}) == 4  # each compared the whole image
