"""The torch generator against what the formats' own code gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from dragonnx_export.checkpoints import read_checkpoint
from dragonnx_export.families.stylegan2.networks import Generator

FIXTURES = Path(__file__).parents[1] / "fixtures"

# Both sides compute in float32; the issue of order of summation is worth a few roundoffs a layer.
TOLERANCE = 2e-6


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator.from_checkpoint(read_checkpoint(FIXTURES / "stylegan2-ada-32px.pkl"))


@pytest.fixture(scope="module")
def expected() -> dict[str, np.ndarray]:
    return dict(np.load(FIXTURES / "stylegan2-ada-32px.npz"))


def assert_close(measured: torch.Tensor, reference: np.ndarray) -> None:
    assert measured.shape == reference.shape
    assert np.abs(measured.numpy() - reference).max() <= TOLERANCE * np.abs(reference).max()


def test_mapping_and_truncation(generator: Generator, expected: dict[str, np.ndarray]) -> None:
    z = torch.tensor(expected["z"])
    assert_close(generator.w_plus(z)[:, 0], expected["w"])
    assert_close(generator.w_plus(z, truncation_psi=0.7)[:, 0], expected["w_psi07"])


def test_features(generator: Generator, expected: dict[str, np.ndarray]) -> None:
    w_plus = generator.w_plus(torch.tensor(expected["z"][:1]))
    for resolution in (16, 32):
        features = generator.synthesis.features(w_plus, resolution)
        assert_close(features, expected[f"features_{resolution}"])


def test_images(generator: Generator, expected: dict[str, np.ndarray]) -> None:
    z = torch.tensor(expected["z"])
    assert_close(generator.synthesis(generator.w_plus(z)), expected["image"])
    assert_close(generator.synthesis(generator.w_plus(z), noise=False), expected["image_no_noise"])
    truncated = generator.w_plus(z, truncation_psi=0.7)
    assert_close(generator.synthesis(truncated), expected["image_psi07"])


def test_a_lower_block_gives_a_lower_image(generator: Generator) -> None:
    w_plus = generator.w_plus(torch.zeros(1, 64))
    assert generator.synthesis(w_plus, resolution=8).shape == (1, 3, 8, 8)
