"""What commands make of a StyleGAN3 bundle."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.program import dragonnx
from support.random_stylegan3 import random_stylegan3, stylegan3

from dragonnx import Generator, InputError, load_latent, open_picture
from dragonnx.batch import JobFileError, read_jobs
from dragonnx.document import Document, LatentStart, open_document, save_document
from dragonnx.document.latents import current_w_plus
from dragonnx.document.start import Along
from dragonnx.model.motion import Motion
from dragonnx.types import Array
from dragonnx_export.bundle_writer import ExportOptions, write_bundle

MOTION = ("--rotate", "30", "--translate", "-2,1")
CLOSE = 1e-5
"""Sums of numbers of about 1 in float32, in another order."""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "waves"
    checkpoint = random_stylegan3(stylegan3(num_layers=3))
    upright = {**checkpoint.weights, "synthesis.input.transform": np.eye(3, dtype=np.float32)}
    checkpoint = dataclasses.replace(checkpoint, weights=upright)
    write_bundle(checkpoint, folder, ExportOptions(name="waves", feature_layer=1))
    return folder


@pytest.fixture(scope="module")
def generator(bundle: Path) -> Iterator[Generator]:
    with Generator.open(bundle, "cpu", threads=1) as opened:
        yield opened


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(bundle: Path, command: str, *arguments: object) -> None:
    one = ("--model", bundle, "--device", "cpu", "--threads", "1")
    done = dragonnx(command, *one, *arguments)
    assert done.returncode == 0, done.stderr


def moved(generator: Generator, w_plus: Array) -> Array:
    return generator.transform(w_plus, rotation=30, translation=(-2, 1))


def pixels(path: str) -> Array:
    with Image.open(path) as picture:
        return np.asarray(picture)


def test_a_seed_is_turned_and_moved_after_it_went_along_directions(
    bundle: Path, generator: Generator
) -> None:
    step = np.random.default_rng(0).standard_normal((1, generator.manifest.w_dim), np.float32)
    np.save("d.npy", step)
    run(
        bundle, "generate", "--seed", "4", "--direction", "d.npy:0.5", *MOTION, "-o", "a.png",
        "--latent-out", "a.npz",
    )  # fmt: skip
    wanted = moved(generator, generator.w_plus(4) + 0.5 * step)
    np.testing.assert_allclose(load_latent("a.npz"), wanted, atol=CLOSE)
    document = open_picture("a.png")
    latent = current_w_plus(document, generator)
    np.testing.assert_array_equal(latent, load_latent("a.npz"))
    assert document.start.describe() == "seed 4 + d.npy:0.5 + turned 30 degrees, moved -2,1 px"
    upright = replace(document, start=replace(document.start, motion=None))
    np.testing.assert_array_equal(
        current_w_plus(upright.with_directions(()), generator), generator.w_plus(4)
    )
    run(bundle, "generate", "--latent", "a.png", "-o", "again.png")
    np.testing.assert_array_equal(pixels("again.png"), pixels("a.png"))


@pytest.mark.parametrize("is_seed", [True, False])
def test_a_document_keeps_how_it_is_turned_and_every_reader_agrees(
    bundle: Path, generator: Generator, *, is_seed: bool
) -> None:
    motion = Motion(30, (-2, 1))
    w_plus = None if is_seed else generator.w_plus(6)
    start = LatentStart(6, w_plus=w_plus, name="" if is_seed else "found.npz", motion=motion)
    wanted = moved(generator, generator.w_plus(6))
    save_document(Document(model=str(bundle), start=start), "a.dragonnx")
    opened = open_document("a.dragonnx")
    assert opened.start.motion == motion
    assert not opened.start.is_seed
    np.testing.assert_array_equal(current_w_plus(opened, generator), wanted)
    for given in (generator, None):
        np.testing.assert_array_equal(load_latent("a.dragonnx", generator=given), wanted)
    run(bundle, "generate", "--latent", "a.dragonnx", "-o", "a.png")
    wanted_picture = np.asarray(generator.image(wanted))
    np.testing.assert_array_equal(pixels("a.png"), wanted_picture)
    Path("jobs.jsonl").write_text(json.dumps({"id": "a", "document": "a.dragonnx"}))
    [job] = read_jobs("jobs.jsonl")
    assert job.document.start.motion == motion


def test_what_is_turned_is_refused_for_a_model_that_cannot() -> None:
    small = Path(__file__).parents[1] / "fixtures" / "bundle-v2"
    document = Document(model=str(small), start=LatentStart(motion=Motion(30)))
    save_document(document, "a.dragonnx")
    refused = pytest.raises(InputError, match="cannot turn and move what it shows")
    with Generator.open(small, "cpu", threads=1) as other, refused:
        current_w_plus(document, other)
    Path("jobs.jsonl").write_text(json.dumps({"id": "a", "document": "a.dragonnx"}))
    with pytest.raises(JobFileError) as job:
        read_jobs("jobs.jsonl")
    assert "cannot turn and move what it shows" in job.value.lines[0]


def test_several_seeds_are_turned_and_moved_alike(bundle: Path, generator: Generator) -> None:
    run(bundle, "generate", "--seeds", "3,5", *MOTION, "-o", "out")
    for seed in (3, 5):
        document = open_picture(f"out/seed000{seed}.png")
        np.testing.assert_array_equal(
            current_w_plus(document, generator), moved(generator, generator.w_plus(seed))
        )
    assert open_picture("out/seed0003.png").start.describe().startswith("seed 3 + turned 30")


def test_a_drag_starts_turned(bundle: Path, generator: Generator) -> None:
    run(
        bundle, "drag", "--seed", "3", "--rotate", "20", "--point", "8,8:10,8", "--max-steps", "1",
        "-o", "a.png",
    )  # fmt: skip
    turned = generator.transform(generator.w_plus(3), rotation=20)
    dragged = open_picture("a.png")
    np.testing.assert_array_equal(current_w_plus(dragged.at_start(), generator), turned)
    assert dragged.result is not None
    np.testing.assert_array_equal(dragged.result.latents[:1], turned)
    step = Along("d", 1, np.ones_like(turned))
    gone_on = dragged.with_directions((step,))
    np.testing.assert_allclose(
        current_w_plus(gone_on, generator), dragged.result.w_plus + 1, atol=CLOSE
    )
    assert gone_on.start.motion is None, "what the drag reached is turned already"


def test_a_walk_goes_through_what_was_turned(
    bundle: Path, generator: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown, image = [], Generator.image

    def seen(self: Generator, w_plus: Array) -> Image.Image:
        shown.append(w_plus)
        return image(self, w_plus)

    monkeypatch.setattr(Generator, "image", seen)
    through = ("--through", "3", "--through", "4")
    run(bundle, "walk", *through, "--rotate", "20", "--frames", "2", "-o", "w.webp")
    for seed, w_plus in zip((3, 4), shown, strict=True):
        turned = generator.transform(generator.w_plus(seed), rotation=20)
        np.testing.assert_allclose(w_plus.reshape(turned.shape), turned, atol=CLOSE)
