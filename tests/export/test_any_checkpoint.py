"""Checkpoints of every architecture and shape, from the file to the dragged picture, by command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from support.bundled import EYE, SEED, point_option
from support.checkpoint_files import generator_state, nvidia_pickle
from support.program import dragonnx, dragonnx_export
from support.random_checkpoints import LABELLED, TALL, random_checkpoint
from support.trained_checkpoints import critters

from dragonnx import Generator, open_picture
from dragonnx_export.checkpoints import Checkpoint
from dragonnx_export.families.stylegan2.networks import Generator as Network

TRAINED = {
    "orig": ("orig", 4),
    "resnet": ("resnet", 4),
    "tall": ("skip", 2),
    "tall-resnet": ("resnet", 2),
}
DRAG_SETTINGS = (
    "--drag-setting",
    "step_size=0.01",
    "--drag-setting",
    "r1=12",
    "--drag-setting",
    "r2=40",
)
"""What suits the trained weights, as the bundled model's do."""


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of models."""
    monkeypatch.setenv("DRAGONNX_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def add_model(folder: Path, checkpoint: Checkpoint, *options: str) -> None:
    """Write a checkpoint, export it and add it as `mine`."""
    source = folder / "network.pkl"
    source.write_bytes(nvidia_pickle(generator_state(checkpoint.architecture, checkpoint.weights)))
    done = dragonnx_export(source, "-o", folder / "bundle", *options)
    assert done.returncode == 0, done.stderr
    done = dragonnx("models", "add", folder / "bundle", "--name", "mine")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "kind", ["orig", "resnet", "tall", pytest.param("tall-resnet", marks=pytest.mark.slow)]
)
def test_a_drag_reaches_its_target(tmp_path: Path, models: Path, kind: str) -> None:
    checkpoint = critters(*TRAINED[kind])
    add_model(tmp_path, checkpoint, "--feature-resolution", "64", *DRAG_SETTINGS)
    height, width = checkpoint.architecture.image_size
    assert f"mine: {width} x {height} px" in dragonnx("models").stdout
    # Of a narrower image only the left part is there.
    point = point_option() if width == height else point_option(EYE, (85, 132))
    done = dragonnx(
        "drag", "--model", "mine", "--seed", SEED, "--point", point, "--threads", "1", "--preset", "paper",
        "-o", tmp_path / "out.png", "--report", tmp_path / "out.json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "out.json").read_text())
    assert (report["outcome"], report["model"]) == ("reached", "mine")
    assert report["steps"] > 10
    with Image.open(tmp_path / "out.png") as picture:
        assert picture.size == (width, height)


def test_masks_have_the_images_shape(tmp_path: Path, models: Path) -> None:
    add_model(tmp_path, random_checkpoint(TALL))
    mask = np.full((32, 16), 255, np.uint8)
    mask[24:] = 0
    Image.fromarray(mask).save(tmp_path / "mask.png")
    Image.fromarray(mask.T).save(tmp_path / "turned.png")
    drag = ("drag", "--model", "mine", "--point", "5,12:8,9", "-o", tmp_path / "out.png")
    refused = dragonnx(*drag, "--mask", tmp_path / "turned.png")
    assert refused.returncode == 2
    assert "is 32 x 16 pixels, but the image is 16 x 32" in refused.stderr
    beside = dragonnx("drag", *drag[1:4], "20,12:8,9", *drag[5:])
    assert beside.returncode == 2
    assert "handle point (20, 12) lies outside the image" in beside.stderr
    done = dragonnx(
        *drag, "--mask", tmp_path / "mask.png", "--max-steps", "5",
        "--comparison", tmp_path / "pair.png", "--video", tmp_path / "drag.gif",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "pair.png") as pair, Image.open(tmp_path / "drag.gif") as drag_:
        assert pair.width > pair.height * 0.9, "two tall pictures side by side"
        assert drag_.height == 2 * drag_.width


def test_several_classes_and_weights(tmp_path: Path, models: Path) -> None:
    checkpoint = random_checkpoint(LABELLED)
    add_model(tmp_path, checkpoint)
    network = Network.from_checkpoint(checkpoint)
    generator = Generator.open(models / "mine", "cpu", threads=1)
    z = np.random.default_rng(0).standard_normal((2, LABELLED.z_dim)).astype(np.float32)
    for text, label, row in (
        ("4", 4, [0, 0, 0, 0, 1]),
        ("0,4", [4, 0], [1, 0, 0, 0, 1]),
        ("0:0.75,3:0.25", {3: 0.25, 0: 0.75}, [0.75, 0, 0, 0.25, 0]),
    ):
        with torch.no_grad():
            expected = network.mapping(torch.tensor(z), torch.tensor([row, row]).float()).numpy()
        found = generator.w_plus(z=z, label=label, truncation_psi=1)
        # Both compute in float32; numbers are about one.
        np.testing.assert_allclose(found[:, 0], expected, atol=1e-5)
        out, latent, report = (tmp_path / f"{text}{s}" for s in (".png", ".npz", ".json"))
        done = dragonnx(
            "drag", "--model", "mine", "--label", text, "--seed", "7", "--point", "5,5:7,7",
            "--max-steps", "1", "-o", out, "--latent-out", latent, "--report", report,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        kept = json.loads(report.read_text())["label"]
        assert kept == (4 if text == "4" else {str(k): w for k, w in enumerate(row) if w})
        start = open_picture(out).start
        np.testing.assert_array_equal(
            generator.w_plus(start.seed, label=start.label), generator.w_plus(7, label=label)
        )


def test_classes_are_chosen_by_label(tmp_path: Path, models: Path) -> None:
    add_model(tmp_path, random_checkpoint(LABELLED))
    pictures = []
    for label in (0, 4):
        out = tmp_path / f"{label}.png"
        done = dragonnx("generate", "--model", "mine", "--label", label, "-o", out)
        assert done.returncode == 0, done.stderr
        with Image.open(out) as picture:
            assert json.loads(picture.text["dragonnx"])["start"]["label"] == label
            pictures.append(picture.tobytes())
    assert pictures[0] != pictures[1]
    drag = ("drag", "--model", "mine", "--point", "5,5:7,7", "--max-steps", "3")
    out = tmp_path / "dragged.png"
    done = dragonnx(*drag, "--label", "4", "-o", out)
    assert done.returncode == 0, done.stderr
    for arguments, told in (
        ((), ": choose by --label"),
        (("--label", "5"), ", not 5"),
        (("--label", "-1"), ", not -1"),
        (("--label", "0:0.7,5:0.3"), ", not 5"),
    ):
        refused = dragonnx(*drag, *arguments, "-o", out)
        assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
        assert f"has 5 classes and needs a label from 0 to 4{told}" in refused.stderr
    assert "5 classes" in dragonnx("info", "mine").stdout
