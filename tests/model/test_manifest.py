"""The manifest: graphs by their roles, what may be missing, where the feature map lies, version 1."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.bundled import NOSE, NOSE_NEAR, SEED

from dragonnx import BundleError, DragSession, Generator
from dragonnx.drag.windows import Geometry, plan_windows
from dragonnx.errors import InputError
from dragonnx.model.bundle import Bundle, read_manifest
from dragonnx.model.facts import FeatureMap, GraphRecord, LayerFacts, LayerWindowFacts, WindowFacts
from dragonnx.model.library import add_bundle, find_bundle
from dragonnx.model.manifest import Manifest

VERSION_1 = Path(__file__).parents[1] / "fixtures" / "bundle-v1"
"""A generator of 32 px with random weights, as the exporter of dragonnx 0.1.0 wrote it."""

Facts = dict[str, Any]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the bundled model, to be changed."""
    return Path(shutil.copytree(find_bundle("critters"), tmp_path / "copy"))


def keep_graphs(folder: Path, keep: Callable[[Facts], bool], **changes: object) -> None:
    """Let a bundle have fewer graphs, and no files of the others."""
    path = folder / "manifest.json"
    facts = json.loads(path.read_text())
    gone = [graph for graph in facts["graphs"] if not keep(graph)]
    facts["graphs"] = [graph for graph in facts["graphs"] if keep(graph)]
    for graph in gone:
        del facts["files"][graph["file"]]
        (folder / graph["file"]).unlink()
    path.write_text(json.dumps({**facts, **changes}))


def test_graphs_are_found_by_their_roles_whatever_their_files_are_called(copy: Path) -> None:
    path = copy / "manifest.json"
    facts = json.loads(path.read_text())
    for number, graph in enumerate(facts["graphs"]):
        name = f"{number}.onnx"
        (copy / graph["file"]).rename(copy / name)
        facts["files"][name] = facts["files"].pop(graph["file"])
        graph["file"] = name
    path.write_text(json.dumps(facts))
    generator, shipped = Generator.open(copy, device="cpu"), Generator.open(device="cpu")
    w_plus = shipped.w_plus(SEED)
    np.testing.assert_array_equal(generator.w_plus(SEED), w_plus)
    assert generator.preview(w_plus).tobytes() == shipped.preview(w_plus).tobytes()
    step = next(DragSession(generator, w_plus, [NOSE], [NOSE_NEAR]))
    assert step.number == 1


def test_what_only_inversion_and_previews_need_may_be_missing(copy: Path) -> None:
    required = {"mapping", "image", "features", "pullback"}
    keep_graphs(copy, lambda g: g["role"] in required and g["cut"] is None, windows=None)
    generator = Generator.open(copy, device="cpu")
    assert (generator.manifest.cuts, generator.manifest.has_preview) == ((), False)
    w_plus = generator.w_plus(SEED)
    assert generator.preview(w_plus).size == (64, 64), "the image made smaller"
    session = DragSession(generator, w_plus, [NOSE], [NOSE_NEAR])
    assert next(session).number == 1
    with pytest.raises(BundleError, match=r"critters has no graph image_layers, which this needs"):
        generator.image_layers(w_plus)
    with pytest.raises(InputError, match="no graphs for a smaller image"):
        generator.image_layers(w_plus, preview=True)
    with pytest.raises(InputError, match="no graphs cut at 16"):
        generator.features(w_plus, cut=16, windows={})
    assert [name for name, _ in generator.placements({})] == [
        "mapping", "image", "features", "pullback",
    ]  # fmt: skip


def test_roles_of_a_newer_dragonnx_are_ignored_and_kept(
    copy: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = copy / "manifest.json"
    facts = json.loads(path.read_text())
    shutil.copy(copy / "image.onnx", copy / "depth.onnx")
    facts["files"]["depth.onnx"] = facts["files"]["image.onnx"]
    facts["graphs"].append({"role": "depth", "file": "depth.onnx"})
    path.write_text(json.dumps(facts))
    generator = Generator.open(copy, device="cpu")
    assert generator.manifest.graphs[-1] == GraphRecord(role="depth", file="depth.onnx")
    generator.image(generator.w_plus(SEED))
    monkeypatch.setenv("DRAGONNX_MODELS", str(tmp_path / "models"))
    added = Bundle.open(add_bundle(copy, "deep"))
    assert added.manifest == dataclasses.replace(generator.manifest, name="deep")


def test_the_cells_of_a_map_over_the_image_lie_where_resizing_puts_them() -> None:
    """Half-pixel centres: cell i is at ((i + 0.5) * scale - 0.5) pixels."""
    found = FeatureMap.over((512, 256), (128, 32), 9)
    cells = np.arange(5)
    for axis, scale in enumerate((256 / 32, 512 / 128)):
        places = found.offset[axis] + found.rate[axis] * cells
        np.testing.assert_array_equal(places, (cells + 0.5) * scale - 0.5)
    shipped = read_manifest(find_bundle("critters"))
    assert shipped.feature_map == FeatureMap.over(shipped.image_size, (64, 64), 48)


def test_a_map_with_a_margin_is_dragged_as_it_lies() -> None:
    """Ten cells of 4 px on each side: those of 64 cells over 256 px begin at 1.5 px."""
    shipped = read_manifest(find_bundle("critters"))
    margin = dataclasses.replace(shipped.feature_map, size=(84, 84), offset=(-38.5, -38.5))
    manifest = dataclasses.replace(shipped, feature_map=margin, windows=None)
    assert Manifest.from_json(manifest.to_json()) == manifest
    assert Geometry.of(manifest).margin == 10
    assert Geometry.of(shipped).margin == 0


@pytest.mark.parametrize("offset", [(-38.0, -38.0), (-38.5, -34.5), (5.5, 5.5), (-1e9, -1e9)])
def test_a_map_that_lies_askew_is_refused_for_a_drag(offset: tuple[float, float]) -> None:
    shipped = read_manifest(find_bundle("critters"))
    askew = dataclasses.replace(shipped.feature_map, size=(84, 84), offset=offset)
    with pytest.raises(BundleError, match="lies on its image as this dragonnx cannot"):
        Geometry.of(dataclasses.replace(shipped, feature_map=askew, windows=None))


@pytest.mark.parametrize("first_block", [(5, 3), (3, 4), (9, 16), (1, 1), (17, 30)])
def test_any_first_block_is_one(first_block: tuple[int, int]) -> None:
    shipped = read_manifest(find_bundle("critters"))
    height, width = (
        side << 4 for side in first_block
    )  # in the fifth block, the map that is dragged
    image_size = 4 * height, 4 * width
    feature_map = FeatureMap.over(image_size, (height, width), 48)
    manifest = dataclasses.replace(shipped, image_size=image_size, feature_map=feature_map)
    assert Manifest.from_json(manifest.to_json()) == manifest
    assert manifest.windows is not None
    assert manifest.windows.blocks == (4, 8, 16, 32, 64)
    odd = dataclasses.replace(feature_map, size=(height, width + 8))
    manifest = dataclasses.replace(manifest, feature_map=odd)
    with pytest.raises(BundleError, match="of which the last is not the feature map"):
        Manifest.from_json(manifest.to_json())


FIRST = LayerFacts(
    inputs=8, channels=9, kernel=3, convolved=22, size=36, up=4, down=2, before=-6,
    up_taps=(0.25,) * 24, down_taps=(0.5,) * 12, down_side=12,
)  # fmt: skip
SECOND = dataclasses.replace(FIRST, inputs=9, channels=48, convolved=38, up=2, before=9, size=36)


def layered(layers: tuple[LayerFacts, ...], cuts: tuple[int, ...]) -> Manifest:
    """A manifest of StyleGAN3: a map of 16 cells across the image, and 10 beyond it on each side."""
    shipped = read_manifest(find_bundle("critters"))
    rate = shipped.image_size[0] / 16
    offset = (0.5 - 10) * rate - 0.5
    feature_map = FeatureMap(size=(36, 36), channels=48, offset=(offset, offset), rate=(rate, rate))
    graphs = tuple(
        dataclasses.replace(graph, cut=graph.cut and 1)
        for graph in shipped.graphs
        if graph.cut in (None, shipped.cuts[0])
    )
    windows = LayerWindowFacts(cuts=cuts, layers=layers)
    return dataclasses.replace(
        shipped, family="stylegan3", feature_map=feature_map, windows=windows, graphs=graphs
    )


def test_layers_with_windows_come_back_as_they_were_written() -> None:
    manifest = layered((FIRST, SECOND), (1,))
    assert Manifest.from_json(manifest.to_json()) == manifest
    assert manifest.cuts == (1,)
    assert Geometry.of(manifest).margin == 10


@pytest.mark.parametrize(
    ("layers", "cuts", "message"),
    [
        ((), (1,), "the last is not the feature map"),
        ((FIRST,), (), "the last is not the feature map"),
        ((SECOND, SECOND), (1,), "do not fit each other"),
        ((dataclasses.replace(FIRST, size=30), SECOND), (1,), "do not fit each other"),
        ((FIRST, SECOND), (2,), "a cut that is no layer"),
        ((FIRST, SECOND), (1, 1), "holds it twice"),
        ((FIRST, dataclasses.replace(SECOND, down=8000)), (1,), "more than 4096 cells a side"),
        ((FIRST, dataclasses.replace(SECOND, up_taps=())), (1,), "up_taps"),
        ((FIRST, dataclasses.replace(SECOND, down_side=11)), (1,), "down_side"),
    ],
)
def test_layers_that_contradict_each_other_are_refused(
    layers: tuple[LayerFacts, ...], cuts: tuple[int, ...], message: str
) -> None:
    with pytest.raises(BundleError, match=message):
        Manifest.from_json(layered(layers, cuts).to_json())


@pytest.mark.parametrize("change", [1, -1])
def test_blocks_that_are_not_those_of_the_graphs_are_refused(copy: Path, change: int) -> None:
    """So many blocks could end in a map of that size, but the graphs have others."""
    path = copy / "manifest.json"
    facts = json.loads(path.read_text())
    channels = facts["windows"]["channels"]
    facts["windows"]["channels"] = [channels[0], *channels] if change > 0 else channels[1:]
    path.write_text(json.dumps(facts))
    assert read_manifest(copy).cuts
    with pytest.raises(BundleError, match=r"features_16\.onnx"):
        Generator.open(copy, device="cpu")


def test_version_1_reads_as_the_equivalent_of_today() -> None:
    old = json.loads((VERSION_1 / "manifest.json").read_text())
    assert old["format_version"] == 1
    manifest = read_manifest(VERSION_1)
    assert (manifest.format_version, manifest.family) == (2, "stylegan2")
    assert manifest.feature_map == FeatureMap(
        size=(32, 32), channels=3, offset=(0.0, 0.0), rate=(1.0, 1.0)
    )
    assert manifest.windows == WindowFacts(
        cuts=(16,), channels=(6, 5, 4, 3), resample_filter=(1.0, 3.0, 3.0, 1.0)
    )
    assert {graph.file for graph in manifest.graphs} == {
        name for name in old["files"] if name.endswith(".onnx")
    }
    assert manifest.graph("pullback", 16) == GraphRecord(
        role="pullback", file="pullback_16.onnx", cut=16
    )
    for name in ("name", "z_dim", "w_dim", "num_ws", "label_dim", "drag_settings"):
        assert getattr(manifest, name) == old[name]
    assert len(manifest.parity) == len(old["parity"])
    assert Manifest.from_json(manifest.to_json()) == manifest


def test_a_bundle_of_version_1_generates_and_drags(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = Generator.open(VERSION_1, device="cpu")
    w_plus = generator.w_plus(0)
    assert generator.image(w_plus).size == (32, 32)
    assert generator.preview(w_plus).size == (16, 16)
    image = generator.image_layers(w_plus)
    assert generator.image_pullback(image, image.image).shape == w_plus.shape
    whole = generator.features(w_plus)
    geometry = Geometry.of(generator.manifest)
    plan = plan_windows(np.array([[9.0, 20.0]]), 2, geometry, 16)
    windows = generator.features(w_plus, cut=16, windows=plan.inputs)
    (x, y), (height, width) = plan.origins[0], plan.size
    cut_out = whole.features[..., y : y + height, x : x + width]
    # float32 sums of a few dozen terms in another order, over values of size one.
    np.testing.assert_allclose(windows.features, cut_out, atol=1e-5)
    session = DragSession(generator, w_plus, [(9, 20)], [(20, 9)])
    for _ in range(3):
        next(session)
    assert not np.array_equal(session.w_plus, w_plus)
    # A copy in the user's own models is of today's version.
    monkeypatch.setenv("DRAGONNX_MODELS", str(tmp_path / "models"))
    added = add_bundle(VERSION_1, "small")
    assert json.loads((added / "manifest.json").read_text())["format_version"] == 2
    np.testing.assert_array_equal(Generator.open(added, device="cpu").w_plus(0), w_plus)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda f: f.pop("cuts"), "cannot be read .cuts is missing"),
        (lambda f: f.update(cuts=None), "cannot be read"),
        (lambda f: f.update(cuts=[24]), "a cut that is no block"),
        (lambda f: f.update(channels=[]), "channels must not be empty"),
        (
            lambda f: f.update(feature_size=[0, 32]),
            "feature_size must be .height, width.*not .0, 32",
        ),
        (lambda f: f.update(feature_size="32"), "feature_size must be .height, width"),
        (lambda f: f.update(resample_filter=[1, 3]), "no usable filter"),
        (lambda f: f.update(format_version=True), "format_version must be a whole .* not True"),
        (lambda f: f.update(family="stylegan3"), "unknown entries family"),
        (lambda f: f.update(surprise=1), "unknown entries surprise"),
        (lambda f: f["files"].pop("image.onnx"), "does not list image.onnx: export"),
        (lambda f: f["files"].pop("image_layers.onnx"), "does not list image_layers.onnx: export"),
        (lambda f: f["files"].pop("preview_layers.onnx"), "does not list preview_layers.onnx"),
        (lambda f: f["files"].pop("features_16.onnx"), "does not list features_16.onnx: export"),
        (lambda f: f["files"].pop("w_avg.npy"), "does not list w_avg.npy: export"),
        (lambda f: f["files"].update({"../x": f["files"]["w_avg.npy"]}), "leaves the folder"),
        (lambda f: f.update(files=[]), "cannot be read"),
    ],
)
def test_a_manifest_of_version_1_that_does_not_fit_is_refused(
    edit: Callable[[Facts], object], message: str
) -> None:
    facts = json.loads((VERSION_1 / "manifest.json").read_text())
    edit(facts)
    with pytest.raises(BundleError, match=message) as caught:
        Manifest.from_json(json.dumps(facts))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("version", [0, 3, "2", None, 1.5])
def test_another_version_is_refused_in_one_sentence(version: object) -> None:
    facts = json.loads((VERSION_1 / "manifest.json").read_text())
    with pytest.raises(BundleError) as caught:
        Manifest.from_json(json.dumps({**facts, "format_version": version}))
    assert str(caught.value) == (
        f"the bundle has format version {version!r}, this dragonnx reads version 2: export it "
        "again, or use the dragonnx that it was made for"
    )
