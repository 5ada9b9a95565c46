"""The generator on ONNX Runtime: latents, pictures, errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.bundled import NUM_WS, SIZE, W_DIM, Z_DIM

from dragonnx import BundleError, DeviceError, Generator, InputError
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
