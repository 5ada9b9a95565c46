"""Each graph against torch, the gradient against autograd in float64."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from support.random_checkpoints import CLAMPED, random_checkpoint

from dragonnx.model.picture import picture_of
from dragonnx.runtime import CPU, Device, Graph
from dragonnx_export.families.mapping import mapping_graph
from dragonnx_export.families.stylegan2.checkpoint import Checkpoint
from dragonnx_export.families.stylegan2.features import features_graph
from dragonnx_export.families.stylegan2.image import (
    image_graph,
    image_layers_graph,
    preview_resolution,
)
from dragonnx_export.families.stylegan2.image_pullback import image_pullback_graph
from dragonnx_export.families.stylegan2.networks import Generator
from dragonnx_export.families.stylegan2.pullback import pullback_graph
from dragonnx_export.families.stylegan2.synthesis import SynthesisLayers
from dragonnx_export.families.stylegan2.taken_slopes import TakenSlopes
from dragonnx_export.graphs.weight_file import WeightFile

# The graphs compute in float32 (unit roundoff 6e-8) over sums of about a hundred terms and ten
# layers; 5e-6 of an array's scale leaves a factor of a few, and no wrong formula stays below it.
# Gradients are compared with the slopes that the graph took: an activation within rounding of zero
# may take either, and one of them moves a gradient by 1e-3.
TOLERANCE = 5e-6


class Graphs:
    """The graphs of a checkpoint, written to a folder and loaded as users load them."""

    def __init__(self, checkpoint: Checkpoint, folder: Path, feature_resolution: int) -> None:
        layers = 2 * feature_resolution.bit_length() - 5
        self.trainable_layers = min(6, layers)
        weights, network = WeightFile(), SynthesisLayers.of(checkpoint)
        models = [
            mapping_graph(checkpoint, weights),
            features_graph(network, weights, feature_resolution),
            pullback_graph(network, weights, feature_resolution, self.trainable_layers),
        ]
        for resolution in dict.fromkeys([None, preview_resolution(checkpoint.architecture)]):
            models.append(image_graph(network, weights, resolution))
            models.append(image_layers_graph(network, weights, resolution))
            models.append(image_pullback_graph(network, weights, resolution))
        for model in models:
            (folder / f"{model.graph.name}.onnx").write_bytes(model.SerializeToString())
        weights.write(folder)
        self.folder, self.names = folder, [model.graph.name for model in models]

    def run(self, name: str, **inputs: np.ndarray) -> dict[str, np.ndarray]:
        return Graph(self.folder / f"{name}.onnx", Device(CPU)).run(inputs)[0]


@pytest.fixture
def graphs(checkpoint: Checkpoint, tmp_path: Path) -> Graphs:
    return Graphs(checkpoint, tmp_path, checkpoint.architecture.resolution)


@pytest.fixture
def generator(checkpoint: Checkpoint) -> Generator:
    return Generator.from_checkpoint(checkpoint).double()


def latent(checkpoint: Checkpoint) -> np.ndarray:
    """A w_plus whose layers all differ."""
    a = checkpoint.architecture
    random = np.random.default_rng(1)
    return random.standard_normal((1, a.num_ws, a.w_dim)).astype(np.float32)


def assert_close(measured: np.ndarray, expected: torch.Tensor) -> None:
    reference = expected.detach().numpy()
    assert measured.shape == reference.shape
    assert np.abs(measured - reference).max() <= TOLERANCE * np.abs(reference).max()


def test_every_graph_is_valid_onnx(graphs: Graphs) -> None:
    for name in graphs.names:
        onnx.checker.check_model(str(graphs.folder / f"{name}.onnx"), full_check=True)


def test_mapping(checkpoint: Checkpoint, graphs: Graphs, generator: Generator) -> None:
    a = checkpoint.architecture
    random = np.random.default_rng(2)
    inputs = {"z": random.standard_normal((2, a.z_dim)).astype(np.float32)}
    if a.label_dim:
        inputs["label"] = np.eye(a.label_dim, dtype=np.float32)[[3, 1]]
    tensors = {name: torch.tensor(value).double() for name, value in inputs.items()}
    assert_close(graphs.run("mapping", **inputs)["w"], generator.mapping(**tensors))


def test_features_and_image(checkpoint: Checkpoint, graphs: Graphs, generator: Generator) -> None:
    w_plus = latent(checkpoint)
    tensor = torch.tensor(w_plus).double()
    resolution = checkpoint.architecture.resolution
    features = graphs.run("features", w_plus=w_plus)["features"]
    assert_close(features, generator.synthesis.features(tensor, resolution))
    assert_close(graphs.run("image", w_plus=w_plus)["image"], generator.synthesis(tensor))


def test_pixels_are_the_picture(graphs: Graphs, checkpoint: Checkpoint) -> None:
    for name in {"image", "preview"} & set(graphs.names):
        made = graphs.run(name, w_plus=latent(checkpoint))
        assert np.ptp(made["image"]) > 2, "some values are outside what a picture shows"
        picture = np.asarray(picture_of(made["image"]))
        pixels = made["pixels"]
        assert pixels.dtype == np.uint8
        np.testing.assert_array_equal(pixels[0].reshape(picture.shape), picture)


def test_pullback_is_the_gradient(
    checkpoint: Checkpoint, graphs: Graphs, generator: Generator
) -> None:
    w_plus = latent(checkpoint)
    forward = graphs.run("features", w_plus=w_plus)
    random = np.random.default_rng(3)
    grad_features = random.standard_normal(forward["features"].shape).astype(np.float32)
    measured = graphs.run("pullback", w_plus=w_plus, grad_features=grad_features, **forward)

    tensor = torch.tensor(w_plus).double().requires_grad_()
    with TakenSlopes(checkpoint.architecture, forward):
        features = generator.synthesis.features(tensor, checkpoint.architecture.resolution)
    (expected,) = torch.autograd.grad(features, tensor, torch.tensor(grad_features).double())
    assert_close(measured["grad_w_plus"], expected[:, : graphs.trainable_layers])


@pytest.mark.parametrize("kind", ["image", "preview"])
def test_image_pullback_is_the_gradient(
    checkpoint: Checkpoint, graphs: Graphs, generator: Generator, kind: str
) -> None:
    if f"{kind}_layers" not in graphs.names:
        pytest.skip("only the last block has colours")
    w_plus = latent(checkpoint)
    forward = graphs.run(f"{kind}_layers", w_plus=w_plus)
    image = forward.pop("image")
    resolution = checkpoint.architecture.block_of_height(image.shape[-2])
    expected_image = generator.synthesis(torch.tensor(w_plus).double(), resolution=resolution)
    assert_close(image, expected_image)
    random = np.random.default_rng(3)
    grad_image = random.standard_normal(image.shape).astype(np.float32)
    measured = graphs.run(f"{kind}_pullback", w_plus=w_plus, grad_image=grad_image, **forward)

    tensor = torch.tensor(w_plus).double().requires_grad_()
    with TakenSlopes(checkpoint.architecture, forward):
        reference = generator.synthesis(tensor, resolution=resolution)
    (expected,) = torch.autograd.grad(reference, tensor, torch.tensor(grad_image).double())
    shown = measured["grad_w_plus"].shape[1]
    assert_close(measured["grad_w_plus"], expected[:, :shown])
    assert not expected[:, shown:].any()


def test_the_clamp_bites_in_the_clamped_generator(tmp_path: Path) -> None:
    """Otherwise the tests above would say nothing about clamps."""
    checkpoint = random_checkpoint(CLAMPED)
    graphs = Graphs(checkpoint, tmp_path, 32)
    outputs = graphs.run("features", w_plus=latent(checkpoint))
    maps = {name: outputs[name] for name in outputs if name.startswith(("layer_", "features"))}
    assert len(maps) == checkpoint.architecture.layers_up_to(32)
    for name, values in maps.items():
        share = float((np.abs(values) >= np.float32(0.8)).mean())
        assert 0.05 < share < 0.95, (name, share)


def test_a_coarser_block_can_be_the_feature_map(tmp_path: Path) -> None:
    checkpoint = random_checkpoint(CLAMPED)
    graphs = Graphs(checkpoint, tmp_path, 16)
    w_plus = latent(checkpoint)
    generator = Generator.from_checkpoint(checkpoint).double()
    expected = generator.synthesis.features(torch.tensor(w_plus).double(), 16)
    assert_close(graphs.run("features", w_plus=w_plus)["features"], expected)


def test_weights_are_stored_once(tmp_path: Path) -> None:
    """Forward, pullback and image graphs share their convolutions."""
    checkpoint = random_checkpoint(CLAMPED)
    graphs = Graphs(checkpoint, tmp_path, 32)
    content = (graphs.folder / "weights.bin").read_bytes()
    kernel = checkpoint.weights["synthesis.b8.conv1.weight"].tobytes()
    assert content.count(kernel) == 1
