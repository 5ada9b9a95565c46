"""Dragging StyleGAN3, whose feature maps reach beyond the image."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest
import torch
from reference.plain_stylegan3 import PlainStyleGAN3Drag
from support.drag_paths import assert_same_path
from support.random_stylegan3 import random_stylegan3, stylegan3

from dragonnx import DragConfig, DragSession, _core
from dragonnx import Generator as OnnxGenerator
from dragonnx_export.bundle_writer import ExportOptions, write_bundle
from dragonnx_export.checkpoints import read_checkpoint
from dragonnx_export.families.stylegan3.checkpoint import Checkpoint
from dragonnx_export.families.stylegan3.network import Generator

FIXTURE = Path(__file__).parents[1] / "fixtures" / "stylegan3-t-32px.pkl"
STEPS, LAYER = 6, 1
HANDLES = np.array([[9.0, 12.0], [29.0, 20.0]])
TARGETS = np.array([[15.0, 9.0], [24.5, 26.0]])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> tuple[Checkpoint, OnnxGenerator]:
    """A small model of 32 px whose second layer has 16 cells across the image, and 5 beyond."""
    checkpoint = random_stylegan3(stylegan3(32, 4, margin=5))
    folder = tmp_path_factory.mktemp("model") / "bundle"
    write_bundle(checkpoint, folder, ExportOptions(name="x", feature_layer=LAYER))
    return checkpoint, OnnxGenerator.open(folder, device="cpu", threads=1)


@pytest.mark.parametrize("masked", [False, True], ids=["free", "masked"])
@pytest.mark.parametrize("on_device", [False, True])
def test_same_path_as_plain_torch(
    model: tuple[Checkpoint, OnnxGenerator], masked: bool, on_device: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    checkpoint, generator = model
    if on_device:  # as on CUDA: the map stays there, and windows of it come to the host
        from dragonnx.drag import session as module
        from dragonnx.drag import step

        monkeypatch.setattr(
            module, "step_for", lambda g, problem: step.step_for(g, problem, map_on_device=True)
        )
    w_plus = generator.w_plus(3)
    config = DragConfig(preset="paper", r1=48, r2=80, step_size=5e-3, max_steps=STEPS)
    may_move = np.ones((32, 32), bool)
    may_move[:, 22:] = False
    mask = may_move if masked else None
    session = DragSession(generator, w_plus, HANDLES, TARGETS, mask=mask, config=config)
    steps = list(session)
    make = functools.partial(
        PlainStyleGAN3Drag,
        generator=Generator.from_checkpoint(checkpoint).double(),
        feature_resolution=LAYER,
        trainable_layers=generator.manifest.trainable_layers,
        distance=1,
        inclusive=False,
        mask=torch.tensor(may_move) if masked else None,
    )
    assert len(steps) == STEPS
    assert_same_path(session, steps, make, w_plus, layers=LAYER + 2)


@pytest.mark.parametrize("shift", [(2, 0), (-3, 1), (1, -4)])
def test_tracking_follows_a_known_motion(shift: tuple[int, int], tmp_path: Path) -> None:
    """The input is moved, so that every feature moves with it: tracking must find it within half a pixel."""
    checkpoint = read_checkpoint(FIXTURE)
    assert isinstance(checkpoint, Checkpoint)
    generator = Generator.from_checkpoint(checkpoint)
    w_plus = torch.randn(1, 16, 64, generator=torch.Generator().manual_seed(1))
    layer = checkpoint.architecture.layers[6]
    threads, margin = _core.Threads(1), (layer.out_size - layer.out_rate) // 2
    # In the middle and at every border, where a map without its margin would be off by most.
    points = np.array([[15.0, 16.0], [6.0, 6.0], [26.0, 5.0], [5.0, 25.0], [25.0, 26.0]])
    plan = _core.WindowPlan.whole((layer.out_size,) * 2, (32, 32), len(points), margin)
    with torch.no_grad():
        before = np.ascontiguousarray(generator.features(w_plus, 6), np.float32)
        transform = generator.array("synthesis.input.transform")
        # A transform says where each place of the image is read: it moves the other way.
        transform[:2, 2] -= torch.tensor(shift) / 32
        after = np.ascontiguousarray(generator.features(w_plus, 6), np.float32)
    first = _core.sample(before, plan, points)
    found = _core.point_tracking(after, plan, points, first, 6.0, True, _core.Distance.L1, threads)
    assert np.abs(found - points - shift).max() <= 0.5
