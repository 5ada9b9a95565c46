"""How well inversion does at full length, on the bundled model. Slow: minutes a test."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
import pytest
from PIL import Image
from support.trained_checkpoints import CRITTERS

from dragonnx import (
    DragSession,
    Generator,
    InversionConfig,
    InversionSession,
    Outcome,
    PyramidLoss,
)
from dragonnx.inversion.photo import Photo, align
from dragonnx.types import Space
from dragonnx_critters.factors import factors_of_z, random_z
from dragonnx_critters.landmarks import LANDMARK_NAMES, landmarks
from dragonnx_critters.render import render
from dragonnx_critters.scene import scene_of
from dragonnx_export.bundle_writer import ExportOptions, write_bundle
from dragonnx_export.checkpoints import read_checkpoint
from dragonnx_export.tuning.pti import Tuning, TuningConfig

pytestmark = pytest.mark.slow

# Critters that nobody's training saw: shards of training data are numbered from 0.
HELD_OUT_SEED = 987_654


@cache
def generator() -> Generator:
    return Generator.open("critters", device="cpu", threads=1)


def found(photo: Photo, space: Space) -> InversionSession:
    session = InversionSession(generator(), photo, InversionConfig(space=space))
    for _ in session:
        pass
    return session


def held_out(kind: str) -> Photo:
    """A render, as it is or as a camera and the world would have it."""
    picture = Image.fromarray(render(factors_of_z(random_z(HELD_OUT_SEED)[0]), 256))
    pixels = np.asarray(picture, np.float64)
    random = np.random.default_rng(0)
    if kind == "noise":
        pixels = pixels + random.normal(scale=12, size=pixels.shape)
        picture = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    if kind == "JPEG":
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=40)
        picture = Image.open(file).convert("RGB")
    if kind == "background":
        rows = np.linspace(30, 220, 256)[:, None, None]
        striped = np.where(np.arange(256)[None, :, None] // 16 % 2, rows, 255 - rows)
        backdrop = pixels[2, 2]
        same = np.abs(pixels - backdrop).max(axis=2, keepdims=True) < 24
        picture = Image.fromarray(np.where(same, striped, pixels).astype(np.uint8))
    return align(Photo(picture), generator().manifest.image_size)


@pytest.mark.parametrize(("space", "decibels"), [("w+", 35), ("w", 28)])
@pytest.mark.parametrize("seed", [102, 107])
def test_a_generated_picture_is_found_again(seed: int, space: Space, decibels: float) -> None:
    photo = Photo(generator().image(generator().w_plus(seed)))
    assert found(photo, space).psnr >= decibels


@pytest.mark.parametrize("seed", [HELD_OUT_SEED, HELD_OUT_SEED + 1, HELD_OUT_SEED + 2])
def test_an_unseen_render_is_found_in_w_plus(seed: int) -> None:
    picture = Image.fromarray(render(factors_of_z(random_z(seed)[0]), 256))
    photo = align(Photo(picture), generator().manifest.image_size)
    assert found(photo, "w+").psnr >= 27


@pytest.mark.parametrize("kind", ["plain", "noise", "JPEG", "background"])
def test_a_render_becomes_itself_by_tuning(kind: str) -> None:
    photo = held_out(kind)
    pivot = found(photo, "w+")
    checkpoint = read_checkpoint(CRITTERS)
    tuning = Tuning(checkpoint, pivot.w_plus, pivot.target, PyramidLoss(), TuningConfig())
    for _ in tuning:
        pass
    # Noise of 12 levels leaves 26.5 dB to whatever does not copy the noise, and w+ is near it.
    gain = 0 if kind == "noise" else 4
    assert tuning.psnr >= min(pivot.psnr + gain, tuning.config.stop_psnr)
    if kind == "plain":
        assert tuning.psnr >= 33


def test_a_tuned_bundle_drags_the_photo(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("tuned") / "bundle"
    photo = held_out("plain")
    pivot = found(photo, "w")
    checkpoint = read_checkpoint(CRITTERS)
    tuning = Tuning(checkpoint, pivot.w_plus, pivot.target, PyramidLoss(), TuningConfig())
    for _ in tuning:
        pass
    settings = generator().manifest.drag_settings
    options = ExportOptions(name="tuned", feature_resolution=64, drag_settings=settings)
    write_bundle(tuning.checkpoint(), folder, options)
    tuned = Generator.open(folder, device="cpu", threads=1)
    scene = scene_of(factors_of_z(random_z(HELD_OUT_SEED)[0]))
    nose = landmarks(scene, 256).points[LANDMARK_NAMES.index("nose")]
    drag = DragSession(tuned, pivot.w_plus, [nose], [np.add(nose, (12, 0))])
    for _ in drag:
        pass
    assert drag.outcome is Outcome.REACHED
    before, after = (np.asarray(tuned.image(w), float) for w in (pivot.w_plus, drag.w_plus))
    # It moved, and most of the picture, among it the backdrop's corners, is as it was.
    assert 1 < np.abs(after - before).mean() < 20
    assert np.abs(after - before)[:8, :8].mean() < 12
