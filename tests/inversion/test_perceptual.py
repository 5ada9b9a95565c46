"""Perceptual losses: what needs no network, and how a bad folder is answered."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from dragonnx.errors import BundleError, InputError
from dragonnx.inversion.image_loss import PyramidLoss
from dragonnx.inversion.perceptual import (
    CombinedLoss,
    PerceptualLoss,
    averaged,
    averaged_adjoint,
    shrink_factor,
)
from dragonnx.inversion.perceptual_bundle import PerceptualManifest, open_perceptual
from dragonnx.model.facts import FileRecord
from dragonnx.model.library import find_bundle
from dragonnx.runtime import choose_device

FIXTURE = Path(__file__).parents[1] / "fixtures" / "perceptual-v1"
"""A network of few channels with random weights, as the exporter wrote it."""

Float32 = NDArray[np.float32]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the network, to be damaged."""
    return Path(shutil.copytree(FIXTURE, tmp_path / "network"))


def replace(folder: Path, name: str, content: bytes) -> None:
    """Put another file in a file's place, as one that was always there."""
    (folder / name).write_bytes(content)
    facts = json.loads((folder / "manifest.json").read_text())
    facts["files"][name] = vars(FileRecord.of(content))
    (folder / "manifest.json").write_text(json.dumps(facts))


def edited(edit: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        facts = json.loads((folder / "manifest.json").read_text())
        edit(facts)
        (folder / "manifest.json").write_text(json.dumps(facts))

    return damage


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "no manifest": (lambda f: (f / "manifest.json").unlink(), "is no perceptual network"),
    "no JSON": (lambda f: (f / "manifest.json").write_text("{"), "cannot be read"),
    "a list": (lambda f: (f / "manifest.json").write_text("[]"), "cannot be read"),
    "another kind": (edited(lambda m: m.update(kind="x")), "is no perceptual network"),
    "another version": (edited(lambda m: m.update(format_version=2)), "has format version 2"),
    "an unknown entry": (edited(lambda m: m.update(more=1)), "unknown entries more"),
    "a name that is none": (edited(lambda m: m.update(name=3)), "name must be a text, not 3"),
    "a graph not listed": (
        edited(lambda m: m["files"].pop("perceptual_distance.onnx")),
        "does not list perceptual_distance.onnx",
    ),
    "a path out of it": (
        edited(lambda m: m["files"].update({"../x": m["files"]["perceptual_features.onnx"]})),
        "leaves the folder",
    ),
    "a missing file": (lambda f: (f / "perceptual_features.onnx").unlink(), "is missing"),
    "an altered file": (
        lambda f: (f / "weights.bin").write_bytes(bytes((f / "weights.bin").stat().st_size)),
        "is not the file that was exported",
    ),
    "a graph that is none": (
        lambda f: replace(f, "perceptual_features.onnx", b"no graph"),
        "perceptual_features.onnx of the network .* cannot be used: it is no ONNX graph",
    ),
    "a graph of another kind": (
        lambda f: replace(
            f, "perceptual_distance.onnx", (f / "perceptual_features.onnx").read_bytes()
        ),
        "perceptual_distance.onnx of the network .* does not take 'target_relu1_2'",
    ),
    "a graph of another network": (
        lambda f: replace(f, "weights.bin", (f / "weights.bin").read_bytes()[:-4]),
        "its data lies beyond the end of 'weights.bin'",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_folder_is_refused_in_one_sentence(folder: Path, case: str) -> None:
    open_perceptual(folder)
    damage, message = BAD[case]
    damage(folder)
    with pytest.raises(BundleError, match=message) as refusal:
        open_perceptual(folder)
    assert "\n" not in str(refusal.value)


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    Image.new("RGB", (64, 64), (200, 100, 50)).save(photo)

    def invert(*arguments: object) -> str:
        code = "from dragonnx.cli import main; main()"
        output = tmp_path / "out.npz"
        done = subprocess.run(
            [sys.executable, "-c", code, "invert", photo, "-o", output, *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        assert not output.exists()
        assert len(done.stderr.splitlines()) == 1
        return done.stderr

    model = find_bundle("critters")
    assert "is no perceptual network: make one with" in invert("--perceptual", model)
    assert "is no perceptual network" in invert("--perceptual", tmp_path / "nowhere")
    assert "needs a network" in invert("--perceptual-weight", 2)


def test_a_manifest_survives_writing_and_reading(folder: Path) -> None:
    content = (folder / "manifest.json").read_text()
    assert PerceptualManifest.from_json(content).to_json() == content


def test_a_folder_gives_distances(folder: Path) -> None:
    loss = PerceptualLoss.open(folder, device=choose_device("cpu"), threads=1)
    image = np.linspace(-1, 1, 3 * 32 * 48, dtype=np.float32).reshape(1, 3, 32, 48)
    assert loss.distance(image, image) == pytest.approx(0, abs=1e-9)
    assert loss.distance(image, -image) > 0


def test_images_are_averaged_down_to_256() -> None:
    sizes = {(16, 16): 1, (256, 999): 1, (257, 999): 2, (512, 512): 2, (1024, 768): 4, (9, 9): 1}
    for size, factor in sizes.items():
        assert shrink_factor(*size) == factor


def test_the_adjoint_of_averaging_is_one() -> None:
    """<A x, y> = <x, A' y>; both sums are of float32, so they differ by its rounding."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1, 3, 24, 40)).astype(np.float32)
    for factor in (1, 2, 4):
        means = averaged(x, factor)
        y = rng.standard_normal(means.shape).astype(np.float32)
        assert np.vdot(means, y) == pytest.approx(np.vdot(x, averaged_adjoint(y, factor)), rel=1e-4)
    np.testing.assert_allclose(averaged(x, 4)[0, 1, 2, 3], x[0, 1, 8:12, 12:16].mean(), rtol=1e-5)


class Squares:
    """A loss of which everything is known."""

    name = "squares"

    def set_target(self, target: Float32) -> None:
        self.target = target

    def __call__(self, image: Float32) -> tuple[float, Float32]:
        return float(np.sum((image - self.target) ** 2)), 2 * (image - self.target)


def test_two_losses_add_up() -> None:
    rng = np.random.default_rng(0)
    image, target = rng.standard_normal((2, 1, 3, 16, 16)).astype(np.float32)
    parts = PyramidLoss(), Squares()
    both = CombinedLoss(*parts, weight=0.5)
    both.set_target(target)
    (first, grad_first), (second, grad_second) = (part(image) for part in parts)
    value, gradient = both(image)
    assert value == pytest.approx(first + 0.5 * second)
    np.testing.assert_allclose(gradient, grad_first + 0.5 * grad_second, rtol=1e-6)
    assert gradient.dtype == np.float32
    assert both.name.endswith("+ 0.5 x squares")
    for weight in (-1, float("nan"), float("inf")):
        with pytest.raises(InputError, match="from 0 to"):
            CombinedLoss(*parts, weight=weight)
