"""Training of the critters model: it learns, it goes on where it stopped, its result can be read."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from typer.testing import CliRunner

from dragonnx.errors import InputError
from dragonnx_critters import commands, run, shards
from dragonnx_critters.factors import FACTOR_COUNT, GEOMETRY, factors_of_z, recombined
from dragonnx_critters.following import _follow, follow_landmarks
from dragonnx_critters.landmarks import LANDMARK_NAMES
from dragonnx_critters.loss import (
    contrast_weight,
    part_coverage,
    part_loss,
    psnr,
    regression_loss,
)
from dragonnx_critters.mixing import measure_mixing
from dragonnx_critters.plan import ARCHITECTURE, NETWORKS, PLAN, Network, Plan, Stage
from dragonnx_critters.render import render_scene
from dragonnx_critters.scene import scene_of
from dragonnx_critters.shards import Shards, part_map, render_shards
from dragonnx_critters.training import (
    GEOMETRY_LAYERS,
    Training,
    as_target,
    held_out_psnr,
    mixed_w_plus,
)
from dragonnx_export.checkpoints import read_checkpoint
from dragonnx_export.checkpoints.native import write_native
from dragonnx_export.families.stylegan2.architecture import Architecture
from dragonnx_export.families.stylegan2.networks import Generator
from dragonnx_export.tuning.optimiser import orthogonalised

TINY = Architecture(
    z_dim=FACTOR_COUNT,
    w_dim=32,
    resolution=32,
    channels={4: 16, 8: 16, 16: 16, 32: 8},
    mapping_layers=2,
    mapping_lr_multiplier=1.0,
    use_noise=False,
)
TINY_PLAN = Plan(
    stages=(Stage(16, 30, 4e-3, 4e-3), Stage(32, 30, 4e-3, 1e-3)),
    warm_up=5,
    average_half_life=5,
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("critters")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "SHARD", 24)
        patch.setattr(shards, "_FINE", 32)
        render_shards(root, 32, 2)
    return root


@pytest.fixture
def tiny(data: Path, monkeypatch: pytest.MonkeyPatch) -> Shards:
    monkeypatch.setattr(shards, "SHARD", 24)
    return Shards(data, 32)


def test_rendering_goes_on_where_it_stopped(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "SHARD", 24)
    kept = sorted(data.glob("32px/*.npy"))
    before = [path.stat().st_mtime_ns for path in kept]
    render_shards(data, 32, 2)
    assert [path.stat().st_mtime_ns for path in sorted(data.glob("32px/*.npy"))] == before
    assert len(kept) == 4


def test_training_reduces_the_loss(tiny: Shards) -> None:
    training = Training(TINY, TINY_PLAN)
    before = held_out_psnr(training.average, tiny, 32, 24)
    losses = [training.advance(tiny) for _ in range(TINY_PLAN.steps)]
    assert np.mean(losses[20:30]) < 0.7 * np.mean(losses[:5])
    assert np.mean(losses[-10:]) < np.mean(losses[30:35])
    assert held_out_psnr(training.average, tiny, 32, 24) > before + 3


def test_resuming_gives_what_going_on_gives(tiny: Shards, tmp_path: Path) -> None:
    straight = Training(TINY, TINY_PLAN)
    for _ in range(32):
        straight.advance(tiny)
    stopped = Training(TINY, TINY_PLAN)
    for _ in range(28):  # within the first stage
        stopped.advance(tiny)
    stopped.save(tmp_path / "state.pt")
    resumed = Training.resume(tmp_path / "state.pt", TINY_PLAN)
    assert resumed.step == 28
    for _ in range(4):
        resumed.advance(tiny)
    for kept, reference in (
        (resumed.generator, straight.generator),
        (resumed.average, straight.average),
    ):
        expected = reference.state_dict()
        for name, array in kept.state_dict().items():
            assert torch.equal(array, expected[name]), name


def test_the_command_trains_resumes_and_writes_a_checkpoint(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "SHARD", 24)
    monkeypatch.setattr(shards, "SIZES", (32,))
    short = dataclasses.replace(TINY_PLAN, stages=(Stage(16, 2, 1e-3, 1e-3),))
    monkeypatch.setitem(NETWORKS, "bundled", Network(TINY, short))
    monkeypatch.setattr(run, "held_out_psnr", lambda *_: 0.0)
    monkeypatch.setattr(run, "comparison_sheet", lambda *_: np.zeros((8, 8, 3), np.uint8))
    arguments = [
        "train",
        "--state",
        str(tmp_path),
        "--data",
        str(data),
        "--threads",
        "1",
        "--no-compile",
    ]
    for _ in range(2):  # the second time there is nothing left to do
        result = CliRunner().invoke(commands.app, arguments, catch_exceptions=False)
        assert result.exit_code == 0
    assert "step 2 16 px" in (tmp_path / "log.txt").read_text()
    output = tmp_path / "critters.npz"
    written = ["checkpoint", str(output), "--state", str(tmp_path)]
    assert CliRunner().invoke(commands.app, written, catch_exceptions=False).exit_code == 0
    checkpoint = read_checkpoint(output)
    assert checkpoint.architecture == TINY
    w_avg = checkpoint.weights["mapping.w_avg"]
    assert np.abs(w_avg).max() > 0


def test_training_begins_with_a_checkpoint(
    tiny: Shards, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(NETWORKS, "tiny", Network(TINY, TINY_PLAN))
    trained = Training(TINY, TINY_PLAN)
    for _ in range(3):
        trained.advance(tiny)
    weights = {name: array.numpy() for name, array in trained.average.state_dict().items()}
    write_native(tmp_path / "kept.npz", TINY, weights, half=True)
    run.begin(tmp_path / "run", tmp_path / "kept.npz", 31, "tiny")
    begun = Training.resume(run.state_path(tmp_path / "run"), TINY_PLAN)
    assert begun.step == 31
    for name, array in begun.generator.state_dict().items():
        # Half precision keeps eleven bits.
        np.testing.assert_allclose(array, weights[name], rtol=5e-4, atol=1e-6)
    begun.advance(tiny)
    begun.save(run.state_path(tmp_path / "run"))
    run.begin(tmp_path / "run", tmp_path / "kept.npz", 31, "tiny")  # nothing is taken back
    assert Training.resume(run.state_path(tmp_path / "run"), TINY_PLAN).step == 32
    with pytest.raises(InputError, match="another architecture"):
        run.begin(tmp_path / "other", tmp_path / "kept.npz", 31)


def test_a_state_of_another_network_is_not_gone_on_from(tmp_path: Path) -> None:
    Training(TINY, TINY_PLAN).save(run.state_path(tmp_path))
    with pytest.raises(InputError, match="is not of the network small"):
        run.Run(tmp_path, tmp_path, network="small")
    with pytest.raises(InputError, match="no network large to train: bundled, small"):
        run.Run(tmp_path / "new", tmp_path, network="large")
    assert not (tmp_path / "new").exists()


def test_images_of_any_size_are_judged() -> None:
    def find(images: NDArray[np.float32]) -> NDArray[np.float32]:
        assert images.shape[2:] == (256, 256)
        return np.zeros((len(images), len(LANDMARK_NAMES), 2), np.float32)

    mixing = measure_mixing(Generator(TINY), find, 2)
    assert mixing.landmark_shift.max() == 0
    assert mixing.landmark_error.min() > 10


def test_the_plan_counts_its_steps() -> None:
    stage, within = PLAN.stage_at(PLAN.stages[0].steps)
    assert (stage, within) == (PLAN.stages[1], 0)
    assert PLAN.rate(0) < PLAN.rate(PLAN.warm_up)
    last = PLAN.rate(PLAN.steps - 1)
    assert last == pytest.approx(PLAN.stages[-1].last_rate, rel=1e-3)
    with pytest.raises(IndexError):
        PLAN.stage_at(PLAN.steps)


def test_the_model_is_small_enough() -> None:
    parameters = sum(p.numel() for p in Generator(ARCHITECTURE).parameters())
    assert 4 * parameters <= 16e6
    assert ARCHITECTURE.resolution == 256


def test_mixing_gives_each_part_of_the_layers_its_factors() -> None:
    generator = Generator(TINY)
    rng = np.random.default_rng(0)
    z, other = rng.standard_normal((2, 3, FACTOR_COUNT), dtype=np.float32)
    mixed = mixed_w_plus(generator, z, other)
    assert mixed.shape == (3, TINY.num_ws, TINY.w_dim)
    shape = generator.mapping(torch.tensor(recombined(z, other, GEOMETRY)))
    coat = generator.mapping(torch.tensor(recombined(z, other, ~GEOMETRY)))
    assert torch.allclose(mixed[:, GEOMETRY_LAYERS - 1], shape, atol=1e-5)
    assert torch.allclose(mixed[:, GEOMETRY_LAYERS], coat, atol=1e-5)
    unmixed = mixed_w_plus(generator, z, z)[:, 0]
    assert torch.allclose(unmixed, generator.mapping(torch.tensor(z)), atol=1e-5)


def test_recombined_codes_keep_their_factors() -> None:
    """The generator fits the render of z: with other factors it would learn a blur."""
    rng = np.random.default_rng(0)
    z, other = rng.standard_normal((2, 5, FACTOR_COUNT), dtype=np.float32)
    for kept in (GEOMETRY, ~GEOMETRY):
        for code, mixed in zip(z, recombined(z, other, kept), strict=True):
            before, after = (
                np.array(dataclasses.astuple(factors_of_z(each))) for each in (code, mixed)
            )
            # Rounding of the code to float32, times a factor's range.
            np.testing.assert_allclose(after[kept], before[kept], atol=1e-6)
            assert np.abs(after[~kept] - before[~kept]).max() > 0.05


def test_targets_are_pooled_by_area() -> None:
    images = np.zeros((1, 4, 4, 3), np.uint8)
    images[:, :2, :2] = 255
    assert as_target(images, 2)[0, 0].tolist() == [[1.0, -1.0], [-1.0, -1.0]]


def test_the_loss_weighs_contrast_and_is_zero_for_a_match() -> None:
    target = torch.zeros(1, 3, 32, 32)
    target[:, :, 10:14, 10:14] = 1
    weight = contrast_weight(target)
    assert float(weight.mean()) == pytest.approx(1, abs=1e-5)
    assert weight[0, 0, 12, 12] > 2 * weight[0, 0, 0, 0]
    assert float(regression_loss(target, target)) == 0
    eyes = torch.zeros(1, 1, 8, 8)
    eyes[:, :, 2:4, 2:4] = 1
    spoilt = [target.clone(), target.clone()]
    spoilt[0][:, :, 10:14, 10:14] += 0.1  # where the eyes are
    spoilt[1][:, :, 20:24, 20:24] += 0.1
    within, outside = (float(regression_loss(image, target, eyes)) for image in spoilt)
    assert within > 2 * outside
    assert float(psnr(target * 0.9, target * 0.9 - 0.02)) == pytest.approx(40, abs=0.01)


def test_features_are_followed_where_the_truth_says() -> None:
    """Maps that are the identity of each pixel are followed without error."""
    y, x = np.mgrid[0:40, 0:40].astype(np.float32)
    shifted = [np.stack([x - k, y + 2 * k]) for k in range(4)]
    found = _follow(np.stack(shifted), np.array([[10, 20], [15, 30]]), reach=5)
    assert found.tolist() == [[13, 14], [18, 24]]


def test_following_measures_every_block() -> None:
    blocks = follow_landmarks(Generator(TINY), [16, 32], walks=2)
    assert [block.resolution for block in blocks] == [16, 32]
    assert len(blocks[0].errors) == len(blocks[1].errors) == len(blocks[1].moves) > 4


def test_an_orthogonalised_matrix_has_equal_singular_values() -> None:
    torch.manual_seed(0)
    for shape in ((12, 40), (40, 12)):
        matrix = orthogonalised(torch.randn(shape) @ torch.diag(torch.linspace(0.05, 1, shape[1])))
        assert matrix.shape == shape
        assert float(matrix.square().mean()) == pytest.approx(1, rel=1e-4)
        values = torch.linalg.svdvals(matrix)
        assert float(values.max() / values.min()) < 1.5


def test_a_mirrored_batch_is_what_the_renderer_makes_of_its_codes(tiny: Shards) -> None:
    """Parts change sides too: a mirror's left ear is the right one."""
    batch = tiny.batch(np.random.default_rng(0), 12)
    for z, image, parts in zip(batch.z, batch.images, batch.parts, strict=True):
        made = render_scene(scene_of(factors_of_z(z)), 32, 2)
        assert np.abs(made.image.astype(int) - image).mean() < 0.02
        # Half of the irises' edges, which lie between rays, may go either way.
        assert np.mean(part_map(made) == parts) > 0.99


def test_coverage_is_each_parts_share_of_a_place() -> None:
    parts = torch.tensor([[[0, 2, 1, 1], [2, 2, 1, 1]]], dtype=torch.uint8).repeat(1, 2, 1)
    coverage = part_coverage(parts, 3, 2)
    assert coverage[0, :, 0, 0].tolist() == [0.25, 0, 0.75]
    assert coverage[0, :, 0, 1].tolist() == [0, 1, 0]
    assert float(part_loss(coverage, coverage)) == 0
    assert float(part_loss(coverage.roll(1, dims=1), coverage)) > 1
