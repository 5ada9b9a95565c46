"""The generator on ONNX Runtime: latents, pictures, errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support.bundled import NUM_WS, SIZE, W_DIM, Z_DIM

from dragonnx import BundleError, DeviceError, DragSession, Generator, InputError, LatentStart
from dragonnx.drag.windows import Geometry, plan_windows
from dragonnx.model.library import find_bundle
from dragonnx.runtime import CPU, Device, DeviceTensor, Graph
from dragonnx.runtime.ort import onnxruntime


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator.open("critters", device="cpu", threads=1)


def test_w_plus_of_a_seed_and_of_its_z_agree(generator: Generator) -> None:
    z = np.random.RandomState(5).randn(1, Z_DIM)
    np.testing.assert_array_equal(generator.w_plus(5), generator.w_plus(z=z))
    assert generator.w_plus(5).shape == (1, NUM_WS, W_DIM)


def test_truncation(generator: Generator) -> None:
    np.testing.assert_allclose(
        generator.w_plus(5, truncation_psi=0)[0, 0], generator.w_avg, atol=1e-7
    )
    far, near = (generator.w_plus(5, truncation_psi=psi) - generator.w_avg for psi in (1, 0.7))
    # The model's own truncation is 0.7; w's are of size ten, and each is rounded a few times.
    np.testing.assert_allclose(near, 0.7 * far, atol=4e-6)
    np.testing.assert_array_equal(generator.w_plus(5), generator.w_plus(5, truncation_psi=0.7))


def test_images(generator: Generator) -> None:
    image = generator.image(generator.w_plus(5))
    assert (image.size, image.mode) == ((SIZE, SIZE), "RGB")
    assert np.asarray(image).std() > 10, "a picture, not one colour"
    assert image.tobytes() != generator.image(generator.w_plus(6)).tobytes()


def test_a_preview_is_the_image_made_small(generator: Generator) -> None:
    w_plus = generator.w_plus(5)
    preview, image = generator.preview(w_plus), generator.image(w_plus)
    assert preview.size == (64, 64)
    small = np.asarray(image.resize(preview.size, Image.Resampling.BOX), float)
    # The finest block adds detail, and a little tone: most of the picture is there without it.
    assert np.corrcoef(small.ravel(), np.asarray(preview, float).ravel())[0, 1] > 0.9


def test_every_node_runs_on_the_device(generator: Generator) -> None:
    geometry = Geometry.of(generator.manifest)
    windows = {
        cut: plan_windows(np.array([[64.0, 64.0]]), 9, geometry, cut).inputs for cut in (16, 32)
    }
    placements = dict(generator.placements(windows))
    assert {f"{name}.onnx" for name in placements} == {
        name for name in generator.manifest.files if name.endswith(".onnx")
    }
    for placed in placements.values():
        assert list(placed) == ["CPUExecutionProvider"]
        assert placed["CPUExecutionProvider"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "either a seed or z"),
        ({"seed": 1, "z": np.zeros((1, Z_DIM))}, "either a seed or z"),
        (
            {"z": np.zeros((1, Z_DIM - 1))},
            rf"an array \[N, {Z_DIM}\] of numbers, not \[1, {Z_DIM - 1}\]",
        ),
        ({"seed": 1, "label": 0}, "has no classes"),
        (
            {"seed": 1, "truncation_psi": float("nan")},
            "truncation_psi must be a number from -100 to 100, not nan",
        ),
        ({"seed": -1}, "from 0 to 4294967295"),
    ],
)
def test_latents_that_cannot_be(
    generator: Generator, arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        generator.w_plus(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("seeds", [[1, 2, 3], (1, 2, 3), range(1, 4), np.array([1, 2, 3])])
def test_several_seeds_give_what_each_gives_alone(generator: Generator, seeds: Any) -> None:
    latents = generator.w_plus(seed=seeds, truncation_psi=0.5)
    assert (latents.shape, latents.dtype) == ((3, NUM_WS, W_DIM), np.float32)
    alone = [generator.w_plus(seed, truncation_psi=0.5)[0] for seed in (1, 2, 3)]
    np.testing.assert_array_equal(latents, alone)


@pytest.mark.parametrize(
    "seeds", [[], (), range(0), range(10**12), [1, -1], [1, 2.5], [[1]], np.ones((1, 1), int), {1}]
)
def test_seeds_that_cannot_be(generator: Generator, seeds: Any) -> None:
    with pytest.raises(InputError, match="seed must be"):
        generator.w_plus(seed=seeds)


class Tensor:
    """What a tensor with a gradient on a GPU does, as PyTorch's behaves."""

    def __init__(self, values: Any, *, grad: bool = True, gpu: bool = True, half: bool = False):
        self.values, self.grad, self.gpu, self.half = np.asarray(values), grad, gpu, half

    def detach(self) -> Tensor:
        return Tensor(self.values, grad=False, gpu=self.gpu, half=self.half)

    def cpu(self) -> Tensor:
        return Tensor(self.values, grad=self.grad, gpu=False, half=self.half)

    def float(self) -> Tensor:
        return Tensor(self.values, grad=self.grad, gpu=self.gpu)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if self.grad:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad.")
        if self.gpu:
            raise TypeError("can't convert cuda:0 device type tensor to numpy.")
        if self.half:
            raise TypeError("Got unsupported ScalarType BFloat16")
        return np.array(self.values, dtype)


@pytest.mark.parametrize("half", [False, True])
def test_a_tensor_is_taken_where_an_array_is(generator: Generator, half: bool) -> None:
    z = np.random.default_rng(0).standard_normal((1, Z_DIM)).astype(np.float32)
    w_plus = generator.w_plus(z=Tensor(z, half=half))  # type: ignore[arg-type]
    np.testing.assert_array_equal(w_plus, generator.w_plus(z=z))
    checked = generator.checked_w_plus(Tensor(w_plus, half=half))  # type: ignore[arg-type]
    np.testing.assert_array_equal(checked, w_plus)
    np.testing.assert_array_equal(LatentStart(w_plus=Tensor(w_plus)).w_plus, w_plus)  # type: ignore[arg-type]
    points = Tensor([[100.0, 120.0]])
    session = DragSession(
        generator, Tensor(w_plus), points, points, Tensor(np.ones((SIZE, SIZE), bool))
    )
    np.testing.assert_array_equal(session.handle_points, [[100, 120]])


def test_a_tensor_that_gives_no_array_is_one_sentence(generator: Generator) -> None:
    class Sparse(Tensor):
        def detach(self) -> Tensor:
            raise RuntimeError("sparse tensors do not have numbers in a row\nuse .to_dense()")

    for use in (
        lambda g: g.image(Sparse(0)),
        lambda g: g.w_plus(z=Sparse(0)),
        lambda g: g.image([Tensor(0)]),
    ):
        with pytest.raises(InputError) as raised:
            use(generator)
        assert "\n" not in str(raised.value)


def test_a_latent_of_another_model(generator: Generator) -> None:
    with pytest.raises(InputError, match=rf"shape \[1, {NUM_WS}, {W_DIM}\]"):
        generator.image(np.zeros((1, 18, 512)))


def test_layer_outputs_stay_where_they_are(generator: Generator) -> None:
    forward = generator.features(generator.w_plus(5))
    assert sum(name.startswith("layer_") for name in forward.layer_outputs) == 8
    for tensor in forward.layer_outputs.values():
        assert isinstance(tensor, DeviceTensor)
        assert tensor.numpy().shape == tensor.shape


def test_threads_must_be_positive() -> None:
    with pytest.raises(InputError, match="from 1 to 1024, not 0"):
        Generator.open("critters", threads=0)


def test_no_runtime_names_both_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    onnxruntime.cache_clear()
    try:
        with pytest.raises(DeviceError, match=r"dragonnx\[cpu\].*dragonnx\[gpu\]"):
            Generator.open("critters")
    finally:
        onnxruntime.cache_clear()


def test_a_graph_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "features.onnx").write_bytes(b"no graph")
    with pytest.raises(BundleError, match=r"cannot load .*features\.onnx"):
        Graph(tmp_path / "features.onnx", Device(CPU))


def test_a_run_that_fails_is_one_sentence() -> None:
    path = find_bundle("critters") / "image.onnx"
    graph = Graph(path, Device(CPU), 1)
    with pytest.raises(
        BundleError, match=r"image\.onnx failed in a run .*export the bundle"
    ) as told:
        graph.run({"w_plus": np.zeros((1, 2, 3), np.float32)})
    assert "\n" not in str(told.value)
