"""From files of weights to an inversion that uses them; files that are something else."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from support.perceptual_weights import FEW, head_state, saved, vgg_state
from support.program import dragonnx, dragonnx_export

from dragonnx.document.latent_file import load_latent
from dragonnx.inversion.perceptual import CombinedLoss, PerceptualLoss
from dragonnx.inversion.photo import Photo, target_of
from dragonnx.model.generator import Generator
from dragonnx_export.checkpoints.errors import CheckpointError
from dragonnx_export.perceptual.network import read_network


def test_from_weights_to_a_report(tmp_path: Path) -> None:
    folder = tmp_path / "lpips"
    weights = saved(tmp_path / "vgg.pth", vgg_state())
    heads = saved(tmp_path / "heads.pth", head_state())
    done = dragonnx_export(
        "perceptual", weights, "-o", folder, "--lpips", heads, "--licence", "CC0"
    )
    assert done.returncode == 0, done.stderr
    for part in ("LPIPS (VGG16)", "grad_image", "bound 1e-04", "CC0", "dragonnx invert"):
        assert part in done.stderr
    assert json.loads((folder / "manifest.json").read_text())["source"]["licence"] == "CC0"
    again = dragonnx_export("perceptual", weights, "-o", folder)
    assert again.returncode == 2
    assert "--overwrite" in again.stderr

    generator = Generator.open("critters", device="cpu", threads=1)
    photo = generator.image(generator.w_plus(seed=3))
    photo.save(tmp_path / "photo.png")
    report, latent = tmp_path / "report.json", tmp_path / "photo.npz"
    arguments = (
        "invert",
        tmp_path / "photo.png",
        "-o",
        latent,
        "--steps",
        3,
        "--perceptual",
        folder,
    )
    done = dragonnx(*arguments, "--perceptual-weight", 0.5, "--report", report)
    assert done.returncode == 0, done.stderr
    facts = json.loads(report.read_text())
    assert facts["loss"].endswith("+ 0.5 x LPIPS (VGG16)")
    found = target_of(Photo(generator.image(load_latent(latent, generator=generator))))
    network = PerceptualLoss.open(folder)
    expected = network.distance(found, target_of(Photo(photo)))
    assert facts["perceptual"] == {"LPIPS (VGG16)": pytest.approx(expected, abs=1e-4)}


def test_progress_of_another_loss_is_refused(tmp_path: Path) -> None:
    weights = saved(tmp_path / "vgg.pth", vgg_state())
    done = dragonnx_export("perceptual", weights, "-o", tmp_path / "vgg")
    assert done.returncode == 0, done.stderr
    generator = Generator.open("critters", device="cpu", threads=1)
    generator.image(generator.w_plus(seed=3)).save(tmp_path / "photo.png")
    files = ("invert", tmp_path / "photo.png", "-o", tmp_path / "a.npz")
    progress = ("--progress", tmp_path / "p.npz", "--steps", 2)
    assert dragonnx(*files, *progress).returncode == 0
    done = dragonnx(*files, *progress, "--perceptual", tmp_path / "vgg")
    assert done.returncode == 2
    assert "other settings" in done.stderr


def test_the_descent_lowers_the_distance(tmp_path: Path) -> None:
    """Of a network of random weights, too: its features tell images apart."""
    from dragonnx.inversion.config import InversionConfig
    from dragonnx.inversion.image_loss import PyramidLoss
    from dragonnx.inversion.session import InversionSession
    from dragonnx_export.perceptual.writer import write_perceptual

    vgg = read_network(saved(tmp_path / "vgg.pth", vgg_state()))
    write_perceptual(vgg, tmp_path / "vgg", licence="")
    network = PerceptualLoss.open(tmp_path / "vgg")
    generator = Generator.open("critters", device="cpu", threads=1)
    photo = Photo(generator.image(generator.w_plus(seed=5)))
    session = InversionSession(
        generator,
        photo,
        InversionConfig(steps=25, candidates=0, noise=0),
        loss=CombinedLoss(PyramidLoss(), network, 1.0),
    )
    next(session)
    target = target_of(photo)
    before = network.distance(target_of(Photo(generator.image(session.w_plus))), target)
    for _ in session:
        pass
    after = network.distance(target_of(Photo(generator.image(session.w_plus))), target)
    assert after < 0.8 * before


@pytest.mark.parametrize("form", ["zip", "legacy", "safetensors", "float16", "parameters"])
def test_every_container_reads_alike(tmp_path: Path, form: str) -> None:
    state = vgg_state()
    path = tmp_path / "weights"
    match form:
        case "zip":
            torch.save(state, path)
        case "legacy":
            torch.save(state, path, _use_new_zipfile_serialization=False)
        case "safetensors":
            safetensors.torch.save_file(state, path)
        case "float16":
            torch.save({name: values.half() for name, values in state.items()}, path)
        case "parameters":
            torch.save({n: torch.nn.Parameter(values) for n, values in state.items()}, path)
    network = read_network(path)
    assert network.channels == FEW
    assert network.layers == ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")
    stored = state["features.21.weight"]
    expected = stored.half().float() if form == "float16" else stored
    assert torch.equal(torch.tensor(network.stages[3][2].weight), expected)


class Run:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("echo this must not run",)


def without(state: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in state.items() if key != name}


VGG = vgg_state()
BAD_WEIGHTS: dict[str, tuple[object, str]] = {
    "no network": ({"x": torch.zeros(3)}, "is no VGG16 in torchvision's names"),
    "batch normalisation": (
        {**VGG, "features.1.running_mean": torch.zeros(3)},
        "batch normalisation",
    ),
    "VGG19": ({**VGG, "features.30.weight": torch.zeros(5, 5, 3, 3)}, "14 layers with weights"),
    "another shape": (
        {**VGG, "features.5.weight": torch.zeros(4, 9, 3, 3)},
        "where 3x3 taps of 3 channels",
    ),
    "no bias": (without(VGG, "features.28.bias"), "it has no array 'features.28.bias'"),
    "not finite": ({**VGG, "features.0.bias": torch.full((3,), torch.nan)}, "not finite"),
    "whole numbers": ({**VGG, "features.0.bias": torch.zeros(3).long()}, "float32 is expected"),
    "a list": ([torch.zeros(3)], "holds no state dict"),
    "what is no tensor": ({**VGG, "features.0.bias": "x"}, "is no tensor"),
    "code": ({**VGG, "x": Run()}, "nothing was run"),
}


@pytest.mark.parametrize("case", BAD_WEIGHTS)
def test_other_weights_are_refused(
    tmp_path: Path, case: str, capfd: pytest.CaptureFixture[str]
) -> None:
    state, message = BAD_WEIGHTS[case]
    torch.save(state, tmp_path / "weights.pth")
    with pytest.raises(CheckpointError, match=message) as refusal:
        read_network(tmp_path / "weights.pth")
    assert str(refusal.value).startswith("'weights.pth' cannot be read: ")
    assert "StyleGAN2" not in str(refusal.value)
    assert "this must not run" not in capfd.readouterr().out


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    expected = "a state dict of VGG16 in torchvision's names"
    for content in (b"", b"\x89PNG\r\n\x1a\n", b"?" * 99, pickle.dumps({"x": 1})):
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match=expected):
            read_network(path)
    with pytest.raises(CheckpointError, match="no such file"):
        read_network(tmp_path / "nowhere")
    whole = saved(path, VGG).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match="truncated or damaged"):
        read_network(path)


@pytest.mark.parametrize(
    ("heads", "message"),
    [
        (head_state((64, 192, 384, 256, 256)), "these are heads for another network"),
        (without(head_state(), "lin4.model.1.weight"), "has no array 'lin4.model.1.weight'"),
        (VGG, "has no array 'lin0.model.1.weight'"),
    ],
    ids=["AlexNet's", "one missing", "not heads"],
)
def test_wrong_heads_are_refused(tmp_path: Path, heads: dict[str, Any], message: str) -> None:
    weights, file = saved(tmp_path / "vgg.pth", VGG), saved(tmp_path / "heads.pth", heads)
    with pytest.raises(CheckpointError, match=message) as refusal:
        read_network(weights, file)
    assert str(refusal.value).startswith("'heads.pth' cannot be read: ")


def test_a_refusal_is_one_line(tmp_path: Path) -> None:
    weights = saved(tmp_path / "vgg.pth", {"x": torch.zeros(3)})
    done = dragonnx_export("perceptual", weights, "-o", tmp_path / "x")
    assert done.returncode == 2
    assert "no VGG16" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "x").exists()
