"""A whole drag on ONNX Runtime and the Rust kernels against the same method in plain torch."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch
from reference.plain_draggan import PlainDrag
from support.drag_paths import assert_same_path
from support.random_checkpoints import CLAMPED, PLAIN, VARIANTS, random_checkpoint

from dragonnx import DragConfig, DragSession
from dragonnx import Generator as OnnxGenerator
from dragonnx_export.bundle_writer import ExportOptions, write_bundle
from dragonnx_export.families.stylegan2.checkpoint import Checkpoint
from dragonnx_export.families.stylegan2.networks import Generator

STEPS = 8
HANDLES = np.array([[9.0, 12.0], [22.0, 20.0]])
TARGETS = np.array([[15.0, 9.0], [17.5, 26.0]])
"""(x, y) in an image of 32 x 32 px, in proportion in any other."""

MODELS = {"plain": PLAIN, "clamped": CLAMPED, **VARIANTS}


def mask(generator: OnnxGenerator) -> np.ndarray:
    """Two thirds of the image may move."""
    height, width = generator.manifest.image_size
    may_move = np.ones((height, width), bool)
    may_move[:, 22 * width // 32 :] = False
    return may_move


def pairs(generator: OnnxGenerator) -> tuple[np.ndarray, np.ndarray]:
    """Handle points and target points inside the image."""
    height, width = generator.manifest.image_size
    return HANDLES * (width / 32, height / 32), TARGETS * (width / 32, height / 32)


@pytest.fixture(scope="module", params=MODELS)
def model(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Checkpoint, OnnxGenerator]:
    """A checkpoint and the generator of its bundle."""
    checkpoint = random_checkpoint(MODELS[request.param])
    folder = tmp_path_factory.mktemp("model") / "bundle"
    write_bundle(checkpoint, folder, ExportOptions(name="x", feature_resolution=16))
    return checkpoint, OnnxGenerator.open(folder, device="cpu", threads=1)


@pytest.mark.parametrize("preset", ["paper", "released"])
@pytest.mark.parametrize("masked", [False, True], ids=["free", "masked"])
def test_same_path_as_plain_torch(
    model: tuple[Checkpoint, OnnxGenerator], preset: str, masked: bool
) -> None:
    checkpoint, generator = model
    config = DragConfig(preset=preset, r1=48, r2=80, step_size=5e-3, max_steps=STEPS)
    may_move = mask(generator) if masked else None
    handles, targets = pairs(generator)
    w_plus = generator.w_plus(3)
    session = DragSession(generator, w_plus, handles, targets, mask=may_move, config=config)
    make = functools.partial(
        PlainDrag,
        generator=Generator.from_checkpoint(checkpoint).double(),
        feature_resolution=16,
        distance=1 if preset == "paper" else 2,
        inclusive=preset == "released",
        mask=None if may_move is None else torch.tensor(may_move),
    )
    steps = list(session)
    assert len(steps) == STEPS
    moved = assert_same_path(session, steps, make, w_plus, layers=5)
    np.testing.assert_array_equal(moved[:, 6:], 0)


def test_w_space_moves_all_trained_layers_alike(model: tuple[Checkpoint, OnnxGenerator]) -> None:
    generator = model[1]
    w_plus = generator.w_plus(3)
    config = DragConfig(preset="paper", space="w", r1=48, r2=80, max_steps=3)
    session = DragSession(generator, w_plus, *pairs(generator), config=config)
    list(session)
    moved = (session.w_plus - w_plus)[0]
    assert np.abs(moved[0]).max() > 0
    # A 16 px feature map depends on five layers. They start alike and get the same update.
    np.testing.assert_array_equal(moved[:5], np.broadcast_to(moved[0], (5, PLAIN.w_dim)))
    np.testing.assert_array_equal(moved[5:], 0)


def test_the_plain_drag_stays_on_its_device(model: tuple[Checkpoint, OnnxGenerator]) -> None:
    """A tensor made without saying where would lie elsewhere here, as it would beside a card."""
    checkpoint, generator = model
    handles, targets = pairs(generator)
    drag = PlainDrag(
        generator=Generator.from_checkpoint(checkpoint),
        w_plus=torch.tensor(generator.w_plus(3)),
        handles=torch.tensor(handles),
        targets=torch.tensor(targets),
        feature_resolution=16,
        r1=3,
        r2=5,
        step_size=5e-3,
        mask=torch.tensor(mask(generator)),
    )
    drag.step()  # the first step of torch's Adam makes a counter of its own, on any device
    with torch.device("meta"):
        assert np.isfinite([drag.step() for _ in range(2)]).all()
