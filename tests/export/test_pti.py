"""Pivotal tuning: the generator is bent to a photo, its bundle holds, and other pictures stay."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from support.program import dragonnx_export
from support.random_checkpoints import LABELLED, PLAIN, random_checkpoint

from dragonnx import Generator, InputError, align_face, load_latent
from dragonnx.inversion.image_loss import PyramidLoss, psnr
from dragonnx_export.families.stylegan2 import networks
from dragonnx_export.families.stylegan2.architecture import Architecture
from dragonnx_export.families.stylegan2.checkpoint import Checkpoint
from dragonnx_export.tuning.pti import Tuning, TuningConfig

FIXTURE = Path(__file__).parents[1] / "fixtures" / "stylegan2-ada-32px.pkl"


def task(architecture: Architecture) -> tuple[Checkpoint, np.ndarray, np.ndarray]:
    """A generator, a latent, and the picture that a slightly different generator has there."""
    checkpoint = random_checkpoint(architecture)
    random = np.random.default_rng(1)
    pivot = random.standard_normal((1, architecture.num_ws, architecture.w_dim))
    other = networks.Generator.from_checkpoint(checkpoint)
    with torch.no_grad():
        for parameter in other.synthesis.parameters():
            parameter.add_(torch.tensor(random.standard_normal(parameter.shape)), alpha=0.03)
        target = other.synthesis(torch.tensor(pivot).float()).numpy()
    scale = np.abs(target).max()  # random weights make pictures far beyond -1 to 1
    for name in checkpoint.weights:
        if "torgb" in name and "affine" not in name:
            checkpoint.weights[name] /= scale  # type: ignore[index]
    return checkpoint, pivot.astype(np.float32), target / scale


def image(checkpoint: Checkpoint, w_plus: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return (
            networks.Generator.from_checkpoint(checkpoint).synthesis(torch.tensor(w_plus)).numpy()
        )


@pytest.mark.parametrize("architecture", [PLAIN, LABELLED], ids=["plain", "labelled"])
def test_the_pivot_shows_the_photo_after_tuning(architecture: Architecture) -> None:
    checkpoint, pivot, target = task(architecture)
    before = {name: values.copy() for name, values in checkpoint.weights.items()}
    tuning = Tuning(checkpoint, pivot, target, PyramidLoss(), TuningConfig(steps=60, locality=0.1))
    steps = list(tuning)
    assert [step.number for step in steps] == list(range(1, len(steps) + 1))
    first = psnr(image(checkpoint, pivot), target)
    assert steps[0].psnr == pytest.approx(first, abs=1e-3)
    assert tuning.psnr > first + 3
    tuned = tuning.checkpoint()
    assert psnr(image(tuned, pivot), target) == pytest.approx(tuning.psnr, abs=1e-3)
    assert "Tuned to a photo (PTI)" in tuned.notes[-1]
    for name, values in before.items():
        np.testing.assert_array_equal(checkpoint.weights[name], values)
        if name.startswith("mapping.") or name.endswith("noise_const"):
            np.testing.assert_array_equal(tuned.weights[name], values)


def test_likeness_enough_ends_the_tuning() -> None:
    checkpoint, pivot, target = task(PLAIN)
    limit = psnr(image(checkpoint, pivot), target) + 1
    steps = list(Tuning(checkpoint, pivot, target, PyramidLoss(), TuningConfig(stop_psnr=limit)))
    assert len(steps) < 100
    assert steps[-1].psnr >= limit
    assert all(step.psnr < limit for step in steps[:-1])


def test_locality_holds_other_pictures_where_they_were() -> None:
    checkpoint, pivot, target = task(PLAIN)
    random = np.random.default_rng(2)
    others = [pivot + random.standard_normal(pivot.shape).astype(np.float32) for _ in range(4)]
    drift = []
    for locality in (0.0, 3.0):
        config = TuningConfig(steps=60, locality=locality, locality_reach=4.0)
        tuning = Tuning(checkpoint, pivot, target, PyramidLoss(), config)
        list(tuning)
        tuned = tuning.checkpoint()
        drift.append(np.mean([np.mean((image(tuned, o) - image(checkpoint, o)) ** 2)
                              for o in others]))  # fmt: skip
    assert drift[1] < 0.8 * drift[0]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"steps": 0}, "steps must be a whole number from 1 to"),
        ({"steps": 1.5}, "steps must be a whole number from 1 to"),
        ({"stop_psnr": float("nan")}, "stop_psnr must be a number from 0 to 1000, not nan"),
        ({"seed": -1}, "seed must be a whole number from 0 to 4294967295, not -1"),
        ({"step_size": 0.0}, "step_size must be a positive number"),
        ({"locality": -1.0}, "locality must be a number from 0 to"),
    ],
)
def test_settings_out_of_range_are_refused(values: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        TuningConfig(**values)  # type: ignore[arg-type]


def export(*arguments: object) -> subprocess.CompletedProcess[str]:
    return dragonnx_export("invert", *arguments)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    x, y = np.meshgrid(np.linspace(0, 255, 64), np.linspace(0, 255, 48))
    Image.fromarray(np.stack([x, y, 255 - x], 2).astype(np.uint8)).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def test_a_face_is_aligned_first(photo: Path, tmp_path: Path) -> None:
    five = [(20, 15), (44, 15), (32, 25), (24, 36), (40, 36)]
    (tmp_path / "points.txt").write_text("".join(f"{x} {y}\n" for x, y in five))
    arguments = (photo, FIXTURE, "-o", tmp_path / "mine", "--align", "face")
    refused = export(*arguments)
    assert (refused.returncode, "--landmarks FILE" in refused.stderr) == (2, True)
    done = export(
        *arguments, "--landmarks", tmp_path / "points.txt", "--steps", 1, "--tuning-steps", 1,
        "--comparison", tmp_path / "row.webp", "--quality", 100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "row.webp") as row:
        shown = np.asarray(row.crop((0, 0, 32, 32)).convert("RGB"))
    assert np.array_equal(shown, align_face(photo, five, (32, 32)).picture)


def test_a_tuned_bundle_starts_from_the_photo(photo: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    arguments = (photo, FIXTURE, "-o", folder, "--steps", 10, "--tuning-steps", 15)
    done = export(*arguments, "--comparison", tmp_path / "row.png", "--report", tmp_path / "r.json")
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["after"]["psnr"] > report["before"]["psnr"] + 1
    assert (report["tuning_steps"], report["tuning_settings"]["steps"]) == (15, 15)
    generator = Generator.open(folder, device="cpu", threads=1)  # verifies every file
    assert "Tuned to a photo (PTI)" in generator.manifest.source.note
    found = generator.image(load_latent(folder / "latent.npz", generator=generator)).convert("RGB")
    with Image.open(tmp_path / "row.png") as row:
        last = row.crop((row.width - 32, 0, row.width, 32))
        assert (np.asarray(last) == np.asarray(found)).all()
    again = export(*arguments)
    assert again.returncode == 2
    assert "holds a bundle already: pass --overwrite" in again.stderr
    other = export(photo, FIXTURE, "-o", tmp_path / "other", "--model", "critters")
    assert other.returncode == 2
    assert "was made of another checkpoint" in other.stderr
    assert not (tmp_path / "other").exists()


def test_a_tuned_rectangle_is_dragged_in_the_same_block(photo: Path, tmp_path: Path) -> None:
    source = FIXTURE.parent / "field" / "eps_sd_5x3.pt"
    folder, few = tmp_path / "mine", ("--steps", 2, "--tuning-steps", 2)
    done = export(photo, source, "-o", folder, *few, "--comparison", tmp_path / "row.png")
    assert done.returncode == 0, done.stderr
    generator = Generator.open(folder, device="cpu", threads=1)
    assert generator.manifest.feature_map.size == generator.manifest.image_size == (40, 24)
    assert generator.image(load_latent(folder / "latent.npz", generator=generator)).size == (24, 40)
    with Image.open(tmp_path / "row.png") as row:
        assert row.height == 40
