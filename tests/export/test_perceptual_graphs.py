"""The perceptual graphs against torch's own layers and autograd, in float64.

Tolerances are the exporter's: 2e-5 for values and 1e-4 for gradients, relative to the largest, since
float32 sums in another order differ by that much over thirteen layers. Images are such that no ReLU
and no maximum is within rounding of a tie, where a gradient jumps.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from support.perceptual_weights import FEW, REAL, head_state, saved, vgg_state
from torch import nn

from dragonnx.inversion import perceptual
from dragonnx.inversion.perceptual import PerceptualLoss
from dragonnx.runtime import CPU, Device, Graph
from dragonnx_export.graphs.builder import GraphBuilder
from dragonnx_export.graphs.weight_file import WeightFile
from dragonnx_export.parity.record import GRADIENT_TOLERANCE, VALUE_TOLERANCE, ParityError
from dragonnx_export.perceptual import graphs
from dragonnx_export.perceptual.network import PerceptualNetwork, read_network
from dragonnx_export.perceptual.reference import Reference
from dragonnx_export.perceptual.writer import write_perceptual

Float32 = NDArray[np.float32]

SHIFT = torch.tensor([-0.030, -0.088, -0.188], dtype=torch.float64)[:, None, None]
SCALE = torch.tensor([0.458, 0.448, 0.450], dtype=torch.float64)[:, None, None]
COMPARED = (3, 8, 15, 22, 29)
"""Where torchvision's VGG16 has relu1_2, 2_2, 3_3, 4_3 and 5_3."""


def torchvision_features(channels: tuple[int, ...]) -> nn.Sequential:
    """The layers of torchvision's VGG16, with other numbers of channels."""
    layers: list[nn.Module] = []
    inputs = 3
    for convolutions, outputs in zip((2, 2, 3, 3, 3), channels, strict=True):
        for _ in range(convolutions):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
            inputs = outputs
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers[:-1]).double()  # nothing of the last pooling is compared


def lpips(
    channels: tuple[int, ...], image: torch.Tensor, target: torch.Tensor, *, heads: bool
) -> torch.Tensor:
    """The distance by LPIPS's recipe."""
    features = torchvision_features(channels)
    state = vgg_state(channels)
    features.load_state_dict(
        {n.removeprefix("features."): v for n, v in state.items() if n.startswith("features.")}
    )
    weights = head_state(channels)
    total = torch.zeros((), dtype=torch.float64)
    x, y = (image - SHIFT) / SCALE, (target - SHIFT) / SCALE
    for index, layer in enumerate(features):
        x, y = layer(x), layer(y)
        if index in COMPARED:
            a, b = (f / (f.pow(2).sum(1, keepdim=True).sqrt() + 1e-10) for f in (x, y))
            squares = (a - b) ** 2
            if heads:
                squares = squares * weights[f"lin{COMPARED.index(index)}.model.1.weight"]
            total = total + squares.sum(1).mean()
    return total


def network(folder: Path, channels: tuple[int, ...] = FEW, *, heads: bool) -> PerceptualNetwork:
    head_file = saved(folder / "heads.pth", head_state(channels)) if heads else None
    return read_network(saved(folder / "vgg.pth", vgg_state(channels)), head_file)


@pytest.fixture(params=[False, True], ids=["without heads", "with heads"])
def heads(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def folder(tmp_path: Path, heads: bool) -> Path:
    write_perceptual(network(tmp_path, heads=heads), tmp_path / "network", licence="CC0-1.0")
    return tmp_path / "network"


def images(size: tuple[int, int], made_from: PerceptualNetwork) -> tuple[Float32, Float32]:
    """A pair of random images, the first without a kink."""
    reference = Reference(made_from)
    for seed in range(50):
        generator = torch.Generator().manual_seed(seed)
        pair = torch.rand((2, 1, 3, *size), generator=generator) * 2 - 1
        if reference.kinks(pair[0].double()) == 0:
            return pair[0].numpy(), pair[1].numpy()
    raise AssertionError("every image has a kink")


def relative(measured: object, expected: torch.Tensor) -> float:
    wanted = expected.detach().numpy()
    return float(np.abs(np.asarray(measured) - wanted).max() / np.abs(wanted).max())


@pytest.mark.parametrize("size", [(16, 16), (32, 48), (37, 22), (19, 63)])
def test_distance_and_gradient_are_torchs(
    tmp_path: Path, folder: Path, heads: bool, size: tuple[int, int]
) -> None:
    image, target = images(size, network(tmp_path, heads=heads))
    loss = PerceptualLoss.open(folder, device=Device(CPU))
    loss.set_target(target)
    distance, gradient = loss(image)
    x = torch.tensor(image, dtype=torch.float64, requires_grad=True)
    expected = lpips(FEW, x, torch.tensor(target).double(), heads=heads)
    expected.backward()
    assert relative(distance, expected) <= VALUE_TOLERANCE
    assert gradient.shape == image.shape
    assert relative(gradient, x.grad) <= GRADIENT_TOLERANCE
    at_target, _ = loss(target)
    assert at_target <= 1e-10


def test_shrinking_weights_and_grey(
    tmp_path: Path, folder: Path, heads: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(perceptual, "LARGEST_IMAGE", 24)
    size = (48, 72)
    rng = np.random.default_rng(0)
    weights = rng.random(size).astype(np.float32)
    weights[:20] = 0
    grey = torch.rand((2, 1, 1, *size), generator=torch.Generator().manual_seed(3)) * 2 - 1
    loss = PerceptualLoss.open(folder, weights=weights, device=Device(CPU))
    for image, target in (images(size, network(tmp_path, heads=heads)), grey.numpy()):
        loss.set_target(target)
        distance, gradient = loss(image)
        x = torch.tensor(image, dtype=torch.float64, requires_grad=True)
        wanted = torch.tensor(target).double()
        # What does not count is the target's; areas of 2 x 2 are averaged.
        mixed = (wanted + torch.tensor(weights) * (x - wanted)).expand(1, 3, *size)
        shrunk = nn.functional.avg_pool2d(mixed, 2)
        assert Reference(network(tmp_path, heads=heads)).kinks(shrunk.detach()) == 0
        small = nn.functional.avg_pool2d(wanted.expand(1, 3, *size), 2)
        expected = lpips(FEW, shrunk, small, heads=heads)
        expected.backward()
        assert relative(distance, expected) <= VALUE_TOLERANCE
        assert gradient.shape == image.shape
        assert relative(gradient, x.grad) <= GRADIENT_TOLERANCE
        assert not gradient[..., :20, :].any()


def test_a_maximum_in_several_cells_is_shared(tmp_path: Path) -> None:
    graph = GraphBuilder("pool", WeightFile())
    y = graph.input("y", (1, 1, "h", "w"))
    grad = graph.input("grad", (1, 1, "ph", "pw"))
    pooled = graph.op("MaxPool", y, kernel_shape=[2, 2], strides=[2, 2])
    graph.output("grad_y", graphs._pool_backward(graph, y, pooled, grad), (1, 1, "h", "w"))
    (tmp_path / "pool.onnx").write_bytes(graph.model().SerializeToString())
    values = np.array([[3, 3, 5, 5, 9], [1, 0, 5, 5, 9], [8, 8, 8, 8, 8]], np.float32)
    inputs = {"y": values[None, None], "grad": np.array([[[[6.0, 8.0]]]], np.float32)}
    found = Graph(tmp_path / "pool.onnx", Device(CPU)).run(inputs)[0]["grad_y"][0, 0]
    np.testing.assert_array_equal(found, [[3, 3, 2, 2, 0], [0, 0, 2, 2, 0], [0, 0, 0, 0, 0]])


def test_a_flat_image_has_a_finite_gradient(folder: Path) -> None:
    loss = PerceptualLoss.open(folder, device=Device(CPU))
    loss.set_target(np.full((1, 3, 32, 32), 0.5, np.float32))
    distance, gradient = loss(np.full((1, 3, 32, 32), -1, np.float32))
    assert distance > 0
    assert np.isfinite(gradient).all()
    assert gradient.any()


def test_what_no_layer_sees_has_no_gradient(tmp_path: Path) -> None:
    """Where all features are zero their length has no slope; nothing may become NaN."""
    state = vgg_state()
    state["features.2.bias"] = torch.full_like(state["features.2.bias"], -0.3)
    vgg = read_network(saved(tmp_path / "vgg.pth", state))
    weights = WeightFile()
    for model in (graphs.features_graph(vgg, weights), graphs.distance_graph(vgg, weights)):
        (tmp_path / f"{model.graph.name}.onnx").write_bytes(model.SerializeToString())
    weights.write(tmp_path)
    rng = np.random.default_rng(0)
    image, target = (rng.uniform(-0.4, 0.1, (1, 3, 32, 32)).astype(np.float32) for _ in range(2))
    features, distance = (
        Graph(tmp_path / f"{name}.onnx", Device(CPU))
        for name in ("perceptual_features", "perceptual_distance")
    )
    targets = features.run({"image": target})[0]
    lengths = np.linalg.norm(features.run({"image": image})[0]["target_relu1_2"], axis=1)
    assert (lengths == 0).any()
    found = distance.run({"image": image, **targets})[0]
    assert np.isfinite(found["grad_image"]).all()
    assert np.abs(found["grad_image"]).max() < 100


def test_a_wrong_graph_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made_from = network(tmp_path, heads=True)
    monkeypatch.setattr(graphs, "SCALE", (0.458, 0.448, 0.451))
    with pytest.raises(ParityError, match=r"do not equal the network: perceptual_distance"):
        write_perceptual(made_from, tmp_path / "network", licence="")
    assert not (tmp_path / "network").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"vgg.pth", "heads.pth"}


def test_the_same_weights_give_the_same_bytes(tmp_path: Path) -> None:
    made_from = network(tmp_path, heads=True)
    manifests = [write_perceptual(made_from, tmp_path / n, licence="") for n in ("a", "b")]
    assert manifests[0].to_json() == manifests[1].to_json()
    assert manifests[0].name == "LPIPS (VGG16)"
    for record in manifests[0].parity:
        assert 0 < record.max_relative <= record.tolerance


@pytest.mark.slow
def test_the_real_number_of_channels(tmp_path: Path) -> None:
    vgg = network(tmp_path, REAL, heads=True)
    manifest = write_perceptual(vgg, tmp_path / "network", licence="")
    assert manifest.files["weights.bin"].size == pytest.approx(14_714_688 * 4, rel=0.001)
    image, target = images((16, 24), vgg)
    loss = PerceptualLoss.open(tmp_path / "network", device=Device(CPU))
    loss.set_target(target)
    x = torch.tensor(image, dtype=torch.float64, requires_grad=True)
    expected = lpips(REAL, x, torch.tensor(target).double(), heads=True)
    expected.backward()
    distance, gradient = loss(image)
    assert relative(distance, expected) <= VALUE_TOLERANCE
    assert relative(gradient, x.grad) <= GRADIENT_TOLERANCE
