"""How a model's points are followed: learned from drags, and written into its bundle."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from support.bundled import LANDMARKS
from support.program import dragonnx, dragonnx_export

from dragonnx import Generator
from dragonnx._core import Threads
from dragonnx.drag.config import DragConfig
from dragonnx.drag.descriptor import Descriptor
from dragonnx.drag.tracking import reference_features, track
from dragonnx.drag.windows import FeatureWindows, Geometry
from dragonnx.model.bundle import Bundle
from dragonnx.model.library import find_bundle
from dragonnx_export.evaluation.judge import Judge
from dragonnx_export.folder_writer import ExportError
from dragonnx_export.following import settings as following_settings
from dragonnx_export.following.blocks import compared_blocks
from dragonnx_export.following.examples import AROUND, REGION, Examples, Followed, drawn, room_for
from dragonnx_export.following.kernel import learned_kernel
from dragonnx_export.following.tracker import Tracker
from dragonnx_export.following.trial import Trial, require_gain
from dragonnx_export.following.tuned_bundle import write_tuned

CELLS, SIDE = 24, 96
GEOMETRY = Geometry(image_size=(SIDE, SIDE), feature_size=(CELLS, CELLS))
CHANNELS = 6


def picture(rng: np.random.Generator, at: np.ndarray) -> np.ndarray:
    """Three faint channels tell where cells near a place are; three hold noise, another in every picture."""
    rows, columns = np.mgrid[:CELLS, :CELLS].astype(float)
    x, y = (at + 0.5) / (SIDE / CELLS) - 0.5
    near = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 8)
    told = 0.15 * np.stack([near, (columns - x) * near, (rows - y) * near])
    noise = rng.standard_normal((CHANNELS - len(told), CELLS, CELLS))
    return np.concatenate([told, noise]).astype(np.float32)


def drag(rng: np.random.Generator, pictures: int) -> Followed:
    """A point that wanders."""
    way = rng.uniform(30, 66, 2) + np.cumsum(rng.uniform(-3, 3, (pictures, 2)), axis=0)
    features = np.stack([picture(rng, at) for at in way])
    return Followed(features, (way[:, None] + 0.5) / (SIDE / CELLS) - 0.5, np.ones(1))


def found_again(rng: np.random.Generator, learned: np.ndarray | None) -> float:
    """How far from where they are points are found, mean of some pictures, in pixels."""
    config = DragConfig(preset="best", r2=64)
    settings = config.settings(image_height=SIDE, point_count=1, trainable_layers=1, recommended={})
    away = []
    for _ in range(20):
        here, there = (rng.uniform(40, 56, (1, 2)) for _ in range(2))
        first, second = (
            FeatureWindows(picture(rng, at[0])[None], GEOMETRY.whole_plan(1))
            for at in (here, there)
        )
        descriptor = Descriptor.of(first.values[0], learned)
        references = reference_features(first, here, descriptor)
        found = track(second, here, references, settings, Threads(1), descriptor)
        away.append(np.hypot(*(found - there)[0]))
    return float(np.mean(away))


def test_examples_say_where_points_are() -> None:
    """A peak at the point is at the place that an example says, in the handle's cells and in the region's."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:CELLS, :CELLS]
    maps = np.stack([columns, rows]).astype(np.float32)
    points = rng.uniform(0, CELLS - 1, (4, 50, 2))
    followed = Followed(np.repeat(maps[None], 4, axis=0), points, np.ones(50))
    examples = drawn(followed, 200, rng)
    assert examples is not None
    assert len(examples) == 200
    assert examples.regions.shape == (200, 2, REGION + 2 * AROUND, REGION + 2 * AROUND)
    all_points = points.reshape(-1, 2)
    # Features are the cells' own numbers, so that they say which cell is where.
    handles = examples.handles[:, :, AROUND, AROUND] + examples.between
    places = examples.regions[:, :, AROUND, AROUND] + examples.places
    for found in (handles, places):
        nearest = np.abs(found[:, None] - all_points).sum(axis=2).min(axis=1)
        # Whole numbers up to 2048 are exact in float16, what is between them in float32.
        assert nearest.max() < 1e-4
    assert (examples.places >= 0).all()
    assert (examples.places <= REGION - 1).all()


def test_what_was_learned_goes_with_a_checkpoint(tmp_path: Path) -> None:
    """`dragonnx-export CHECKPOINT --tracking` takes it, if it fits, and says so where it does not."""
    checkpoint = Path(__file__).parents[1] / "fixtures" / "stylegan2-ada-32px.pkl"
    kernel = np.ones((4, 8, 3, 3), np.float32)
    np.save(tmp_path / "tracking.npy", kernel)
    words = [checkpoint, "-o", tmp_path / "made", "--tracking", tmp_path / "tracking.npy"]
    refused = dragonnx_export(*words)
    assert refused.returncode == 2
    assert "the map by which points are followed must be float32" in refused.stderr
    assert not (tmp_path / "made").exists()
    preset = dragonnx_export(*words, "--drag-setting", "bset.r1=3")
    assert preset.returncode == 2
    assert "for one of the presets paper, released, best, not for 'bset'" in preset.stderr


def test_points_outside_the_map_are_no_examples() -> None:
    followed = Followed(np.zeros((2, 3, 20, 20), np.float32), np.full((2, 1, 2), 19.5), np.ones(1))
    assert drawn(followed, 10, np.random.default_rng(0)) is None


def test_models_with_many_channels_get_fewer_examples() -> None:
    assert room_for(48, 6000) == 6000
    assert 0 < room_for(512, 6000) < 6000


def test_a_learned_map_finds_points_that_whitening_loses() -> None:
    rng = np.random.default_rng(1)
    drags = [drawn(drag(rng, 6), 40, rng) for _ in range(20)]
    examples = Examples.together([each for each in drags if each is not None])
    told: list[int] = []
    kernel = learned_kernel(examples, 25, 0, 1, told.append)
    assert told == list(range(1, 26))
    assert kernel.shape[1:] == (CHANNELS, 2 * AROUND + 1, 2 * AROUND + 1)
    unlike, learned = (found_again(np.random.default_rng(2), each) for each in (None, kernel))
    assert learned < 0.5 * unlike


def test_a_point_is_followed_there_and_back() -> None:
    rows, columns = np.mgrid[:CELLS, :CELLS].astype(float)
    way = np.array([[40.0, 40.0], [43.0, 42.0], [47.0, 40.0]])
    cells = (way + 0.5) / (SIDE / CELLS) - 0.5
    maps = np.stack(
        [
            np.stack([np.hypot(columns - x, rows - y), columns - x, rows - y])
            for x, y in cells
        ]
    ).astype(np.float32)  # fmt: skip
    tracker = Tracker(GEOMETRY, maps, 1)
    # Between cells 4 px apart the features are not quite linear.
    np.testing.assert_allclose(tracker.through(way[:1])[:, 0], way, atol=0.6)
    np.testing.assert_allclose(tracker.through(way[-1:], backwards=True)[:, 0], way[::-1], atol=0.6)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return Path(shutil.copytree(find_bundle("critters"), tmp_path / "mine"))


@pytest.fixture(scope="module")
def critters() -> Generator:
    return Generator.open("critters", "cpu", 1)


def tuned(bundle: Path | str, *further: object) -> subprocess.CompletedProcess[str]:
    """By hardly anything."""
    return dragonnx_export(
        "tune", bundle, "--landmarks", LANDMARKS, "--drags", 1, "--steps", 2, "--tries", 1,
        "--threads", 1, *further,
    )  # fmt: skip


def test_a_bundle_is_tuned_in_place(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following_settings, "TRIED", {"step_size": (0.006, 1e-9), "r1": (20, 16)})
    # Whose steps are so small that any others gain.
    still = np.zeros((4, 48, 5, 5), np.float32)
    write_tuned(Bundle.open(bundle), bundle, still, {"best.step_size": 1e-9})
    before = Generator.open(bundle, "cpu")
    done = tuned(bundle)
    assert done.returncode == 0, done.stderr
    assert "block 64" in done.stderr
    assert re.search(r"2 further drags: .* px off after .* before, .* px off", done.stderr)
    after = Generator.open(bundle, "cpu")
    kernel = after.tracking_kernel
    assert kernel is not None
    assert not np.array_equal(still, kernel)
    settings = after.manifest.drag_settings
    assert settings["best.step_size"] == 0.006
    assert settings["best.r1"] in {20, 16}
    assert {name: settings[name] for name in ("step_size", "r1", "r2")} == {
        name: before.manifest.drag_settings[name] for name in ("step_size", "r1", "r2")
    }
    shown = f"--preset best: step_size 0.006, r1 {settings['best.r1']:g},"
    assert shown in dragonnx("info", bundle).stdout


def test_what_gains_nothing_is_not_written(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following_settings, "TRIED", {"r1": (20,)})
    before = {path.name: path.read_bytes() for path in bundle.iterdir()}
    done = tuned(bundle)
    assert done.returncode == 2
    assert "tuning gains nothing for critters: " in done.stderr
    assert done.stderr.rstrip().endswith("Nothing is written")
    assert {path.name: path.read_bytes() for path in bundle.iterdir()} == before


def test_a_gain_is_nearer_or_sooner() -> None:
    before = Trial(off=2.0, steps=20.0, worth=2.5)
    require_gain("mine", before, Trial(off=1.8, steps=20.0, worth=2.3))
    with pytest.raises(
        ExportError, match=r"ended 2\.00 px off after 20 steps before, and 2\.00 px"
    ):
        require_gain("mine", before, before)
    with pytest.raises(ExportError):
        require_gain("mine", before, Trial(off=float("nan"), steps=1.0, worth=float("nan")))


def test_radii_that_are_the_same_in_pixels_are_tried_once(
    critters: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following_settings, "TRIED", {"r1": (20, 20.4, 26), "step_size": (1e-9,)})
    told: list[str] = []
    following_settings.found_settings(critters, Judge(LANDMARKS), 1, 0, told.append)
    assert [line.split()[0] for line in told[:2]] == ["r1=20", "r1=26"]
    assert len(told) == 3


def test_without_an_estimator_it_says_what_to_give() -> None:
    done = dragonnx_export("tune", "critters")
    assert done.returncode == 2
    assert "tune needs --landmarks ESTIMATOR.onnx, a network that finds landmarks" in done.stderr


def test_bundles_that_are_there_are_kept(bundle: Path, tmp_path: Path) -> None:
    again = tuned("critters", "-o", bundle)
    assert again.returncode == 2
    assert "--overwrite" in again.stderr
    own = tuned("critters")
    assert own.returncode == 2
    assert "lies in the package: name the bundle folder to write with -o" in own.stderr


def test_blocks_are_compared(critters: Generator) -> None:
    found = dict(compared_blocks(critters, Judge(LANDMARKS), 1, 0))
    assert list(found) == [16, 32, 64, 128, 256]
    assert all(0 < away < 30 for away in found.values())
