"""The judge of drags: an estimator of landmarks, trained on renders, as one ONNX file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from support.bundled import LANDMARKS
from typer.testing import CliRunner

from dragonnx_critters import commands, shards
from dragonnx_critters.estimator import (
    IMAGE_SIZE,
    MAP_SIDE,
    LandmarkEstimator,
    Truth,
    as_images,
    expected_places,
    held_out_errors,
    mirror_averaged,
    train_estimator,
)
from dragonnx_critters.estimator_graph import estimator_graph, open_estimator
from dragonnx_critters.factors import factors_of_z, mirrored, random_z
from dragonnx_critters.landmarks import LANDMARK_NAMES
from dragonnx_critters.render import render
from dragonnx_critters.shards import Batch, Shards, render_shards

UNSEEN = 31_415
"""Training data is numbered from 0."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("critters")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "SHARD", 8)
        render_shards(root, IMAGE_SIZE, 2)
    return root


def test_a_single_high_score_is_its_cells_middle() -> None:
    scores = torch.zeros(1, 1, MAP_SIDE, MAP_SIDE)
    scores[0, 0, 5, 9] = 100
    pixels = IMAGE_SIZE / MAP_SIDE
    expected = [9.5 * pixels - 0.5, 5.5 * pixels - 0.5]
    assert expected_places(scores)[0, 0].tolist() == pytest.approx(expected, abs=1e-3)


def test_the_truth_of_a_mirrored_animal_is_mirrored() -> None:
    z = random_z(UNSEEN, 2)
    truth, other = Truth.of(z), Truth.of(mirrored(z))
    sides = [
        LANDMARK_NAMES.index(" ".join({"left": "right", "right": "left"}.get(w, w) for w in n.split()))
        for n in LANDMARK_NAMES
    ]  # fmt: skip
    flipped = other.points[:, sides] * [-1, 1] + [IMAGE_SIZE - 1, 0]
    np.testing.assert_allclose(flipped, truth.points, atol=1e-3)


def test_mirror_images_take_part() -> None:
    """One half of what is found is that of the mirror image: left is right, and runs backwards."""
    seen = []

    def find(images: np.ndarray) -> np.ndarray:
        seen.append(images)
        return np.arange(20, dtype=np.float32).reshape(1, 10, 2)

    image = np.random.default_rng(0).random((1, 3, IMAGE_SIZE, IMAGE_SIZE), np.float32)
    found = mirror_averaged(find)(image)[0]
    assert any(np.array_equal(each, image[..., ::-1]) for each in seen)
    left, right = (LANDMARK_NAMES.index(f"{side} ear tip") for side in ("left", "right"))
    nose = LANDMARK_NAMES.index("nose")
    assert found[nose].tolist() == [(2 * nose + IMAGE_SIZE - 1 - 2 * nose) / 2, 2 * nose + 1]
    assert found[left].tolist() == [(2 * left + IMAGE_SIZE - 1 - 2 * right) / 2, left + right + 1]


@pytest.mark.slow
def test_training_brings_it_nearer(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "SHARD", 8)
    critters = Shards(data, IMAGE_SIZE)
    errors: list[float] = []
    train_estimator(critters, 200, batch=4, tell=lambda _step, error: errors.append(error))
    assert np.mean(errors[-5:]) < 0.75 * np.mean(errors[:5])


def test_the_command_writes_a_graph_that_gives_what_torch_gives(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "SHARD", 8)
    output = tmp_path / "landmarks.onnx"
    arguments = ["estimator", str(output), "--data", str(data), "--steps", "1", "--threads", "1"]
    done = CliRunner().invoke(commands.app, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    torch.manual_seed(3)
    estimator = LandmarkEstimator().eval()
    images = torch.randn(2, 3, IMAGE_SIZE, IMAGE_SIZE)
    find = mirror_averaged(lambda array: estimator.points(torch.tensor(array)).detach().numpy())
    expected = find(images.numpy())
    output.write_bytes(estimator_graph(estimator).SerializeToString())
    # Places up to 256 in float32, summed over 4096 cells.
    np.testing.assert_allclose(open_estimator(output)(images.numpy()), expected, atol=2e-2)


def test_the_one_that_judges_finds_landmarks_of_unseen_animals() -> None:
    z = random_z(UNSEEN, 24)
    images = np.stack([render(factors_of_z(code), IMAGE_SIZE) for code in z])
    truth = Truth.of(z)
    found = open_estimator(LANDMARKS)(as_images(images).numpy())
    off = np.linalg.norm(found - truth.points, axis=2)
    assert np.median(off[truth.visible]) <= 0.5
    assert np.percentile(off[truth.visible], 95) < 1.5
    for index, name in enumerate(LANDMARK_NAMES):
        assert np.median(off[truth.visible[:, index], index]) < 0.8, name


def test_errors_are_told_by_name(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "SHARD", 8)
    critters = Shards(data, IMAGE_SIZE).held_out(6)
    assert isinstance(critters, Batch)
    errors = held_out_errors(LandmarkEstimator(), critters, every=4)
    assert list(errors) == list(LANDMARK_NAMES)
    visible = Truth.of(critters.z).visible
    assert [len(off) for off in errors.values()] == visible.sum(axis=0).tolist()
