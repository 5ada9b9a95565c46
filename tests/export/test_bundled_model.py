"""The bundle that ships: what its checkpoint gives today, and good enough to show."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from pictures import ShownDrag, shown_drags
from support.bundled import LANDMARKS
from support.trained_checkpoints import CRITTERS, TRACKING

from dragonnx import DragSession, Generator, Outcome
from dragonnx.model.library import open_bundle
from dragonnx_critters.estimator import FindLandmarks, as_images
from dragonnx_critters.estimator_graph import open_estimator
from dragonnx_critters.factors import factors_of_z, random_z
from dragonnx_critters.interpolation import measure_unevenness
from dragonnx_critters.landmarks import LANDMARK_NAMES
from dragonnx_critters.loss import psnr
from dragonnx_critters.mixing import measure_mixing
from dragonnx_critters.render import render
from dragonnx_export.bundle_writer import ExportOptions, write_bundle
from dragonnx_export.checkpoints import read_checkpoint
from dragonnx_export.families.stylegan2 import networks

UNSEEN = 27_182
"""Training data is numbered from 0."""
LIKENESS = 32.0
"""Decibels on unseen renders."""
LANDMARK_OF = {"nose": "nose", "ear": "left ear tip", "mouth": "chin"}
"""Which landmark a shown drag moves, by a word of what it says."""


@pytest.fixture(scope="module")
def generator() -> networks.Generator:
    return networks.Generator.from_checkpoint(read_checkpoint(CRITTERS))


@pytest.fixture(scope="module")
def find() -> FindLandmarks:
    return open_estimator(LANDMARKS)


def test_the_checkpoint_gives_the_bundled_graphs_again(tmp_path: Path) -> None:
    shipped = open_bundle("critters").manifest
    options = ExportOptions(
        name=shipped.name,
        licence=shipped.source.licence,
        note=shipped.source.note,
        feature_resolution=shipped.feature_map.size[0],
        truncation_psi=shipped.truncation_psi,
        drag_settings=shipped.drag_settings,
        tracking=np.load(TRACKING),
    )
    made = write_bundle(read_checkpoint(CRITTERS), tmp_path / "critters", options)
    # Measured differences and versions belong to the machine that measured.
    same = {"parity": (), "versions": {}}
    assert dataclasses.replace(made, **same) == dataclasses.replace(shipped, **same)


@torch.no_grad()
def test_it_shows_renders_that_it_never_saw(generator: networks.Generator) -> None:
    z = random_z(UNSEEN, 16)
    made = generator.synthesis(generator.w_plus(torch.tensor(z)))
    size = generator.architecture.resolution
    renders = as_images(np.stack([render(factors_of_z(code), size) for code in z]))
    assert float(psnr(made, renders).mean()) >= LIKENESS


@pytest.mark.parametrize("count", [8, pytest.param(32, marks=pytest.mark.slow)])
def test_shape_and_colour_are_kept_apart(
    generator: networks.Generator, find: FindLandmarks, count: int
) -> None:
    mixing = measure_mixing(generator, find, count)
    assert np.median(mixing.landmark_shift) <= 0.5
    assert np.median(mixing.colour_shift) <= 0.5


@pytest.mark.parametrize("lines", [2, pytest.param(8, marks=pytest.mark.slow)])
def test_interpolation_is_smooth(generator: networks.Generator, lines: int) -> None:
    assert measure_unevenness(generator, lines).max() <= 2


@pytest.mark.parametrize("drag", shown_drags(), ids=lambda drag: drag.what)
def test_the_shown_drags_bring_the_landmark_to_its_target(
    drag: ShownDrag, find: FindLandmarks
) -> None:
    critters = Generator.open("critters", device="cpu", threads=1)
    session = DragSession(critters, critters.w_plus(drag.seed), [drag.handle], [drag.target])
    for _ in session:
        pass
    assert session.outcome is Outcome.REACHED
    (name,) = (mark for word, mark in LANDMARK_OF.items() if word in drag.what)
    before, after = (
        find(critters.image_layers(w).image)[0, LANDMARK_NAMES.index(name)]
        for w in (critters.w_plus(drag.seed), session.w_plus)
    )
    assert np.linalg.norm(before - drag.handle) <= 4, "the handle is on the landmark"
    assert np.linalg.norm(after - drag.target) <= 4


def test_three_drags_are_shown() -> None:
    assert len(shown_drags()) == 3
