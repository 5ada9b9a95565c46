"""StyleGAN3: what its own code gives, and what its graphs give beside torch in float64."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from support.random_stylegan3 import random_stylegan3, stylegan3

from dragonnx.errors import InputError
from dragonnx.model.facts import graph_name
from dragonnx.model.generator import Generator as OpenedGenerator
from dragonnx.model.latent import truncate
from dragonnx.runtime import CPU, Device, Graph
from dragonnx.runtime.ort import onnxruntime
from dragonnx_export.bundle_writer import ExportOptions, write_bundle
from dragonnx_export.checkpoints import read_checkpoint
from dragonnx_export.families.registry import Dragged, model_of
from dragonnx_export.families.stylegan3 import activation, model
from dragonnx_export.families.stylegan3.checkpoint import Checkpoint
from dragonnx_export.families.stylegan3.forward import convolved_name
from dragonnx_export.families.stylegan3.layers import SynthesisLayers
from dragonnx_export.families.stylegan3.model import StyleGAN3Model
from dragonnx_export.families.stylegan3.network import Generator
from dragonnx_export.families.stylegan3.reference import TorchNetwork
from dragonnx_export.families.stylegan3.taken_slopes import TakenSlopes
from dragonnx_export.graphs.weight_file import WeightFile

FIXTURES = Path(__file__).parents[1] / "fixtures"
SMALL_PARTS = 16
"""Bytes at the raised rate, for a pixel, that make every layer of these models one of several parts."""
KINDS = {
    "T": stylegan3(),
    "T, classes": stylegan3(32, 4, label_dim=3, margin=10),
    "R": stylegan3(kernel=1, radial=True, filter_size=5),
    "clamped": stylegan3(32, 3, clamp=0.7, filter_size=4),
    "grey": stylegan3(num_layers=3, colours=1, num_critical=1, clamp=None),
}

Arrays = Mapping[str, NDArray[Any]]


class Graphs:
    """The graphs of a checkpoint, to be run by name."""

    def __init__(self, model: StyleGAN3Model, folder: Path) -> None:
        weights = WeightFile()
        for graph in model.graphs(weights):
            name = graph_name(graph.role, graph.cut)
            (folder / f"{name}.onnx").write_bytes(graph.model.SerializeToString())
        weights.write(folder)
        self.facts = model.facts
        self._folder = folder

    def run(self, name: str, **inputs: NDArray[Any]) -> Arrays:
        graph = Graph(self._folder / f"{name}.onnx", Device(CPU))
        return graph.run({key: inputs[key] for key in graph.input_names})[0]


def difference(measured: NDArray[Any], expected: NDArray[Any]) -> float:
    """The largest, over the largest value that is expected."""
    return float(np.abs(measured - expected).max() / np.abs(expected).max())


@pytest.fixture(params=["t", "r"])
def fixture(request: pytest.FixtureRequest) -> tuple[Checkpoint, Arrays]:
    path = FIXTURES / f"stylegan3-{request.param}-32px.pkl"
    checkpoint = read_checkpoint(path)
    assert isinstance(checkpoint, Checkpoint)
    return checkpoint, dict(np.load(path.with_suffix(".npz")))


def test_the_graphs_give_what_the_formats_own_code_gives(
    fixture: tuple[Checkpoint, Arrays], tmp_path: Path
) -> None:
    checkpoint, expected = fixture
    graphs = Graphs(StyleGAN3Model(checkpoint, None, 16), tmp_path)
    w = graphs.run("mapping", z=expected["z"])["w"]
    assert difference(w, expected["w"]) < 3e-5
    truncated = truncate(w, checkpoint.weights["mapping.w_avg"], 0.7)
    assert difference(truncated, expected["w_truncated"]) < 3e-5
    w_plus = np.repeat(expected["w"][:, None], checkpoint.architecture.num_ws, axis=1)
    for row in range(2):
        image = graphs.run("image", w_plus=w_plus[row : row + 1])["image"]
        assert difference(image, expected["image"][row : row + 1]) < 3e-5
        features = graphs.run("features", w_plus=w_plus[row : row + 1])["features"]
        assert difference(features, expected["features_6"][row : row + 1]) < 1e-4


def test_the_gradient_is_that_of_the_formats_own_code(
    fixture: tuple[Checkpoint, Arrays], tmp_path: Path
) -> None:
    """But where an activation is so small that float32 may find it on the other side of its kink.

    One of the fixture T is 2e-9, and moves the gradient by 2.4e-4. Its side depends on the order of sums,
    and so on the processor.
    Torch in float64 is the link: with its own slopes it gives what the fixture holds, and with those
    that the graph took it gives what the graph gives.
    """
    checkpoint, expected = fixture
    graphs = Graphs(StyleGAN3Model(checkpoint, None, 16), tmp_path)
    count = graphs.facts.trainable_layers
    w_plus = np.repeat(expected["w"][:1, None], checkpoint.architecture.num_ws, axis=1)
    forward = graphs.run("features", w_plus=w_plus)
    grad = expected["grad_features_6"]
    pulled = graphs.run("pullback", w_plus=w_plus, grad_features=grad, **forward)["grad_w_plus"]
    own = gradient(checkpoint, w_plus, grad, {}, 7)
    taken = gradient(checkpoint, w_plus, grad, forward, 7)
    # Float32 sums of some ten thousand terms; the fixture's own are as far from float64.
    assert difference(own, expected["grad_w_plus"]) < 1e-5
    assert difference(pulled, taken[:, :count]) < 1e-5
    other = activations_on_the_other_side(checkpoint, w_plus, forward, 7)
    # Of a million, those that are smaller than the error of a map in float32.
    assert len(other) <= 3
    assert np.all(np.abs(other) < 5e-7)
    bound = 5e-4 if len(other) else 1e-4
    assert difference(pulled, expected["grad_w_plus"][:, :count]) < bound


def activations_on_the_other_side(
    checkpoint: Checkpoint, w_plus: NDArray[Any], forward: Arrays, count: int
) -> NDArray[Any]:
    """Those at the raised rate whose sign a graph took otherwise than float64: their values there."""
    generator = Generator.from_checkpoint(checkpoint).double()
    latent = torch.tensor(w_plus).double()
    x, found = generator.first(latent[:, 0]), []
    for layer in SynthesisLayers.of(checkpoint).layers[:count]:
        convolved = generator.convolved(layer.index, x, latent[:, layer.index + 1])
        raised = generator.raised(layer.facts, convolved)
        rows = layer.raise_rows.values
        taken = rows @ (forward[convolved_name(layer)] @ rows.T)
        found.append(raised.numpy()[(raised.numpy() > 0) != (taken > 0)])
        x = generator.activated(layer.index, convolved)
    return np.concatenate(found)


def gradient(
    checkpoint: Checkpoint, w_plus: NDArray[Any], grad: NDArray[Any], forward: Arrays, count: int
) -> NDArray[Any]:
    """Autograd in float64, with the slopes that a graph took where its outputs are given."""
    generator = Generator.from_checkpoint(checkpoint).double()
    latent = torch.tensor(w_plus, dtype=torch.float64, requires_grad=True)
    x = generator.first(latent[:, 0])
    for layer in SynthesisLayers.of(checkpoint).layers[:count]:
        x = generator.convolved(layer.index, x, latent[:, layer.index + 1])
        bend = None
        if forward:
            taken = TakenSlopes(layer, forward[convolved_name(layer)])
            bend = taken.of(range(layer.facts.outputs))
        x = generator.bent(layer.index, x, bend)
    (found,) = torch.autograd.grad(x, latent, torch.tensor(grad, dtype=torch.float64))
    return found.numpy()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Checkpoint:
    return random_stylegan3(KINDS[request.param])


def test_graphs_of_every_kind_equal_torch_in_float64(kind: Checkpoint, tmp_path: Path) -> None:
    """Within the project's bounds, 2e-5 for values and 1e-4 for gradients."""
    a = kind.architecture
    graphs = Graphs(StyleGAN3Model(kind, None, 16), tmp_path)
    random = np.random.default_rng(1)
    mapping = {"z": random.standard_normal((a.num_ws, a.z_dim), np.float32)}
    if a.label_dim:
        mapping["label"] = np.eye(a.label_dim, dtype=np.float32)[np.arange(a.num_ws) % 3]
    generator = Generator.from_checkpoint(kind).double()
    w = graphs.run("mapping", **mapping)["w"]
    expected = generator.mapping(*(torch.tensor(x).double() for x in mapping.values()))
    assert difference(w, expected.numpy()) < 2e-5
    w_plus = w[None]  # another w in each layer
    latent = torch.tensor(w_plus).double()
    image = graphs.run("image", w_plus=w_plus)
    assert difference(image["image"], generator.image(latent).numpy()) < 2e-5
    layer = (len(a.layers) - 3) // 2
    features = graphs.run("features", w_plus=w_plus)
    assert difference(features["features"], generator.features(latent, layer).numpy()) < 2e-5
    grad = random.standard_normal(features["features"].shape, np.float32)
    pulled = graphs.run("pullback", w_plus=w_plus, grad_features=grad, **features)["grad_w_plus"]
    assert pulled.shape[1] == layer + 2
    taken = gradient(kind, w_plus, grad, features, layer + 1)
    assert difference(pulled, taken[:, : layer + 2]) < 1e-4
    layers = graphs.run("image_layers", w_plus=w_plus)
    np.testing.assert_array_equal(layers["image"], image["image"])
    grad = random.standard_normal(layers["image"].shape, np.float32)
    pulled = graphs.run("image_pullback", w_plus=w_plus, grad_image=grad, **layers)["grad_w_plus"]
    taken = gradient(kind, w_plus, grad, layers, len(a.layers))
    assert difference(pulled, taken) < 1e-4


@pytest.mark.parametrize("kind", ["T", "R"])
def test_maps_in_parts_give_the_same(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large maps are raised a few channels and a band of rows at a time; here all are."""
    checkpoint = random_stylegan3(KINDS[kind])
    w_plus = np.random.default_rng(3).standard_normal(
        (1, checkpoint.architecture.num_ws, 12), np.float32
    )
    results = []
    for most in (None, SMALL_PARTS):
        if most:
            monkeypatch.setattr(activation, "_RAISED_BYTES_PER_PIXEL", most)
            monkeypatch.setattr(activation, "_BAND", 10)
        folder = tmp_path / str(most)
        folder.mkdir()
        graphs = Graphs(StyleGAN3Model(checkpoint, None, 16), folder)
        forward = graphs.run("image_layers", w_plus=w_plus)
        grad = np.ones(forward["image"].shape, np.float32)
        pulled = graphs.run("image_pullback", w_plus=w_plus, grad_image=grad, **forward)
        results.append((forward["image"], pulled["grad_w_plus"]))
    # Products of other shapes may sum in another order.
    for whole, parts in zip(*results, strict=True):
        assert difference(parts, whole) < 1e-5


@pytest.mark.parametrize("kind", ["T", "R"])
@pytest.mark.parametrize("name", ["image_pullback", "pullback"])
def test_the_way_back_holds_no_more_layers_than_one(kind: str, name: str, tmp_path: Path) -> None:
    Graphs(StyleGAN3Model(random_stylegan3(KINDS[kind]), None, 16), tmp_path)
    model_file = onnx.load(tmp_path / f"{name}.onnx", load_external_data=False)
    written = [node.name for node in model_file.graph.node]
    ran = _order_of_a_run(tmp_path / f"{name}.onnx", tmp_path)
    assert sorted(ran) == sorted(written)
    # As written a layer is done before the next one begins. Within it slopes may come earlier or later.
    assert _most_bytes(model_file, ran) <= 1.1 * _most_bytes(model_file, written)


def _order_of_a_run(file: Path, folder: Path) -> list[str]:
    """The names of nodes as ONNX Runtime runs them."""
    ort = onnxruntime()
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.enable_profiling, options.profile_file_prefix = True, str(folder / "profile")
    session = ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    session.run(None, {i.name: np.ones(i.shape, np.float32) for i in session.get_inputs()})
    events = json.loads(Path(session.end_profiling()).read_text())
    ending = "_kernel_time"
    return [e["name"].removesuffix(ending) for e in events if e["name"].endswith(ending)]


def _most_bytes(model_file: onnx.ModelProto, order: list[str]) -> int:
    """What nodes have given and later ones take, at most, if they run in an order."""
    graph = onnx.shape_inference.infer_shapes(model_file).graph
    sizes = {
        value.name: 4 * math.prod(axis.dim_value for axis in value.type.tensor_type.shape.dim)
        for value in (*graph.value_info, *graph.output)
    }
    nodes = {node.name: node for node in graph.node}
    last = {tensor: name for name in order for tensor in nodes[name].input}
    alive: dict[str, int] = {}
    most = 0
    for name in order:
        alive.update({tensor: sizes[tensor] for tensor in nodes[name].output})
        most = max(most, sum(alive.values()))
        for tensor in nodes[name].input:
            if last[tensor] == name:
                alive.pop(tensor, None)
    return most


def test_waves_that_fade_have_their_gradient(tmp_path: Path) -> None:
    """A bandwidth so low that some waves fade, which no other kind has."""
    architecture = dataclasses.replace(stylegan3(num_layers=3), bandwidth=0.5)
    checkpoint = random_stylegan3(architecture)
    graphs = Graphs(StyleGAN3Model(checkpoint, 0, 16), tmp_path)
    w_plus = np.random.default_rng(2).standard_normal((1, architecture.num_ws, 12), np.float32)
    forward = graphs.run("features", w_plus=w_plus)
    grad = np.ones(forward["features"].shape, np.float32)
    pulled = graphs.run("pullback", w_plus=w_plus, grad_features=grad, **forward)["grad_w_plus"]
    taken = gradient(checkpoint, w_plus, grad, forward, 1)
    assert difference(pulled, taken[:, :2]) < 1e-4


def test_a_bundle_opens_and_makes_pictures(tmp_path: Path) -> None:
    checkpoint = random_stylegan3(stylegan3(num_layers=3, label_dim=2))
    options = ExportOptions(name="waves", feature_layer=1, trainable_layers=2)
    manifest = write_bundle(checkpoint, tmp_path / "bundle", options)
    assert (manifest.family, manifest.cuts, manifest.has_preview) == ("stylegan3", (), False)
    assert manifest.trainable_layers == 2
    generator = OpenedGenerator.open(tmp_path / "bundle", device="cpu", threads=1)
    w_plus = generator.w_plus(z=np.ones((1, 8), np.float32), label=1)
    assert generator.image(w_plus).size == (16, 16)
    # Its own transform shears, which no rotation and translation can follow.
    with pytest.raises(InputError, match="waves cannot turn and move what it shows"):
        generator.transform(w_plus, rotation=5)


def test_a_large_image_is_compared_for_one_seed_and_its_record_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TorchNetwork, "largest_repeated_image", 15 * 15)
    checkpoint = random_stylegan3(stylegan3(num_layers=3))
    manifest = write_bundle(checkpoint, tmp_path / "bundle", ExportOptions(name="x"))
    single = [record for record in manifest.parity if record.reference == "torch float32"]
    seeds = {record.graph: record.seeds for record in single}
    once = {"image": (0,), "image_layers": (0,), "image_pullback": (0,)}
    assert seeds == {**once, **dict.fromkeys(("features", "mapping", "pullback"), (0, 1, 2))}
    assert {record.graph for record in manifest.parity} == {each.name for each in manifest.graphs}


def test_a_picture_is_turned_and_moved_by_its_latent(tmp_path: Path) -> None:
    """As if the input were; the checkpoint's own transform, which turns and scales, comes besides."""
    checkpoint = random_stylegan3(stylegan3(num_layers=3))
    own = np.array([[1.0, -0.75, 0.1], [0.75, 1.0, -0.2], [0, 0, 1]], np.float32)
    checkpoint = dataclasses.replace(
        checkpoint, weights={**checkpoint.weights, "synthesis.input.transform": own}
    )
    write_bundle(checkpoint, tmp_path / "bundle", ExportOptions(name="waves", feature_layer=1))
    opened = OpenedGenerator.open(tmp_path / "bundle", device="cpu", threads=1)
    w_plus = opened.w_plus(1)
    moved = opened.transform(w_plus, rotation=30, translation=(1.6, -3.2))
    np.testing.assert_array_equal(moved[:, 1:], w_plus[:, 1:])
    cosine, sine = np.cos(np.pi / 6), -np.sin(np.pi / 6)  # counterclockwise, y pointing down
    motion = np.array([[cosine, -sine, 0.1], [sine, cosine, -0.2], [0, 0, 1]])
    generator = Generator.from_checkpoint(checkpoint).double()
    generator.array("synthesis.input.transform").copy_(torch.tensor(own @ np.linalg.inv(motion)))
    expected = generator.image(torch.tensor(w_plus).double()).numpy()
    # The smallest change of w may be large, and float32 loses digits of it.
    found = opened.image_layers(moved).image
    assert difference(found, expected) < 1e-4
    assert difference(opened.image_layers(w_plus).image, expected) > 1e-2
    np.testing.assert_allclose(opened.transform(w_plus), w_plus, atol=1e-5)
    for wrong in ({"rotation": 361}, {"rotation": "x"}, {"translation": (1,)}):
        with pytest.raises(InputError, match=next(iter(wrong))):
            opened.transform(w_plus, **wrong)


def test_the_feature_map_says_where_its_cells_lie() -> None:
    """Its first cell within the image covers the first pixels, as STYLEGAN3's grid does."""
    made = StyleGAN3Model(random_stylegan3(stylegan3(32, 6, margin=10)), 2, 6)
    found, facts = made.facts.feature_map, stylegan3(32, 6, margin=10).layers[2]
    assert found.size == (facts.out_size, facts.out_size)
    pixels = 32 / facts.out_rate
    assert found.rate == (pixels, pixels)
    middle_of_first = found.offset[0] + 10 * pixels
    assert middle_of_first == (pixels - 1) / 2


@pytest.mark.parametrize(
    ("dragged", "message"),
    [
        (Dragged(layer=5), "one of 0 to 4, not 5"),
        (Dragged(layer=-1), "one of 0 to 4"),
        (Dragged(resolution=16), "--feature-layer in place of"),
    ],
)
def test_a_feature_map_that_is_none_is_refused(dragged: Dragged, message: str) -> None:
    with pytest.raises(InputError, match=message):
        model_of(random_stylegan3(stylegan3()), dragged, 6)


def test_graphs_to_invert_with_are_left_out_where_they_would_be_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model, "most_run_bytes", lambda _pixels: 1000)
    graphs = StyleGAN3Model(random_stylegan3(stylegan3(num_layers=3)), None, 6).graphs(WeightFile())
    assert {graph.role for graph in graphs} == {"mapping", "image", "features", "pullback"}
