"""Checkpoints in rosinality's names: the given one, and tiny ones that torch.save writes."""

from __future__ import annotations

import dataclasses
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from support.checkpoint_files import FIXTURES, SMALL, notes_besides_lr, random_weights
from support.checkpoint_formats import rosinality_scaled, rosinality_state
from support.pickle_files import zipped
from support.random_checkpoints import random_checkpoint

from dragonnx_export.checkpoints import Checkpoint, CheckpointError, read_checkpoint
from dragonnx_export.checkpoints.w_avg import ESTIMATED, w_of
from dragonnx_export.checkpoints.weights import NO_FILTER
from dragonnx_export.families.stylegan2.architecture import Architecture
from dragonnx_export.families.stylegan2.networks import Generator

FIXTURE = FIXTURES / "rosinality-16px.pt"
EXPECTED = np.load(FIXTURES / "rosinality-16px.npz")

# Both sides compute in float32; the project's bound for images is ten times this.
TOLERANCE = 2e-6

PLAIN = dataclasses.replace(SMALL, conv_clamp=None)
SIZES = {
    "8 px": PLAIN,
    "32 px": dataclasses.replace(PLAIN, resolution=32, channels={4: 6, 8: 6, 16: 4, 32: 2}),
    "half as wide": dataclasses.replace(PLAIN, base_width=2),
    "other filter": dataclasses.replace(PLAIN, resample_filter=(1.0, 2.0, 2.0, 1.0)),
    "z unlike w": dataclasses.replace(PLAIN, z_dim=9, mapping_layers=4),
}

Read = Callable[[Any], Checkpoint]


def tensors(arrays: dict[str, NDArray[Any]]) -> dict[str, torch.Tensor]:
    return {name: torch.tensor(values) for name, values in arrays.items()}


def state(architecture: Architecture = PLAIN, **more: Any) -> dict[str, torch.Tensor]:
    weights = random_weights(architecture)
    return {**tensors(rosinality_state(architecture, weights)), **more}


@pytest.fixture(params=["zip", "legacy"])
def read(request: pytest.FixtureRequest, tmp_path: Path) -> Read:
    """Save as torch does, and read the file."""

    def saved_and_read(content: Any) -> Checkpoint:
        path = tmp_path / "550000.pt"
        torch.save(content, path, _use_new_zipfile_serialization=request.param == "zip")
        return read_checkpoint(path)

    return saved_and_read


def assert_close(measured: Any, reference: NDArray[Any]) -> None:
    assert measured.shape == reference.shape
    assert np.abs(np.asarray(measured) - reference).max() <= TOLERANCE * np.abs(reference).max()


def test_the_fixture_gives_what_its_own_code_gives() -> None:
    checkpoint = read_checkpoint(FIXTURE)
    generator = Generator.from_checkpoint(checkpoint)
    w_plus = generator.w_plus(torch.tensor(EXPECTED["z"]))
    latent_avg = torch.tensor(EXPECTED["latent_avg"])
    assert_close(w_plus[:, 0], EXPECTED["w"])
    assert_close(generator.synthesis(w_plus), EXPECTED["image"])
    truncated = latent_avg + 0.7 * (w_plus - latent_avg)
    assert_close(generator.synthesis(truncated), EXPECTED["image_psi07"])
    assert checkpoint.format == "rosinality StyleGAN2 checkpoint"
    assert notes_besides_lr(checkpoint.notes) == (ESTIMATED,)


def test_the_mapping_in_numpy_gives_what_the_formats_own_code_gives() -> None:
    checkpoint = read_checkpoint(FIXTURE)
    assert_close(w_of(checkpoint.architecture, checkpoint.weights, EXPECTED["z"]), EXPECTED["w"])


def test_the_estimated_average_is_that_of_many_w() -> None:
    """The standard error of a mean over 10000 is a hundredth of w's spread, here about 1."""
    checkpoint = read_checkpoint(FIXTURE)
    generator = Generator.from_checkpoint(checkpoint)
    w = generator.mapping(torch.randn(20_000, 48, generator=torch.Generator().manual_seed(5)))
    spread = float(w.std(dim=0).max())
    difference = np.abs(checkpoint.weights["mapping.w_avg"] - w.mean(dim=0).numpy()).max()
    assert difference < 0.05 * spread


@pytest.mark.parametrize("labels", [0, 4])
def test_the_mapping_in_numpy_is_that_in_torch(labels: int) -> None:
    architecture = dataclasses.replace(PLAIN, label_dim=labels, mapping_layers=3)
    checkpoint = random_checkpoint(architecture)
    random = np.random.default_rng(1)
    z = random.standard_normal((7, architecture.z_dim)).astype(np.float32)
    numbers = random.integers(labels, size=7) if labels else None
    one_hot = torch.eye(labels)[torch.tensor(numbers)] if labels else None
    expected = Generator.from_checkpoint(checkpoint).mapping(torch.tensor(z), one_hot)
    assert_close(w_of(architecture, checkpoint.weights, z, numbers), expected.numpy())


@pytest.mark.parametrize("architecture", SIZES.values(), ids=SIZES.keys())
def test_architecture_and_weights_come_back(read: Read, architecture: Architecture) -> None:
    latent_avg = torch.arange(5.0)
    checkpoint = read({"g_ema": state(architecture), "latent_avg": latent_avg})
    assert checkpoint.architecture == architecture
    assert notes_besides_lr(checkpoint.notes) == ()
    expected = rosinality_scaled(random_weights(architecture))
    assert checkpoint.weights.keys() == expected.keys()
    for name, values in {**expected, "mapping.w_avg": latent_avg.numpy()}.items():
        np.testing.assert_allclose(checkpoint.weights[name], values, rtol=1e-6)


def test_the_averaged_generator_is_taken_from_a_trainers_file(read: Read) -> None:
    raw = {name: values * 0 for name, values in state().items()}
    optimiser = torch.optim.Adam([torch.nn.Parameter(torch.ones(3))], lr=0.002)
    content = {
        "g": raw,
        "d": {"convs.0.0.weight": torch.ones(3, 3)},
        "g_ema": state(),
        "g_optim": optimiser.state_dict(),
        "args": Namespace(size=8, channel_multiplier=1, path="/data/lmdb", mixing=0.9),
        "ada_aug_p": torch.tensor(0.25),
    }
    weights = read(content).weights
    np.testing.assert_array_equal(
        weights["synthesis.b4.const"], random_weights(PLAIN)["synthesis.b4.const"]
    )


def test_a_file_without_an_averaged_generator_says_so(read: Read) -> None:
    assert any("no network is named as an average" in note for note in read({"g": state()}).notes)


@pytest.mark.parametrize("rows", [1, 4])
def test_the_average_may_be_given_for_each_layer(read: Read, rows: int) -> None:
    average = torch.arange(5.0).repeat(rows, 1)
    checkpoint = read({"g_ema": state(), "latent_avg": average})
    np.testing.assert_array_equal(checkpoint.weights["mapping.w_avg"], average[0])
    assert notes_besides_lr(checkpoint.notes) == ()
    average = average + torch.arange(rows)[:, None]
    checkpoint = read({"g_ema": state(), "latent_avg": average})
    np.testing.assert_allclose(checkpoint.weights["mapping.w_avg"], average.mean(dim=0))
    assert bool(notes_besides_lr(checkpoint.notes)) == (rows > 1)


def test_without_noise_images_no_noise_is_added(read: Read) -> None:
    entries = {name: v for name, v in state().items() if not name.startswith("noises.")}
    checkpoint = read({"g_ema": entries})
    assert not checkpoint.architecture.use_noise
    assert any("no noise images" in note for note in checkpoint.notes)


def test_a_filter_that_is_not_there_is_taken_and_told(read: Read) -> None:
    entries = {name: v for name, v in state().items() if not name.endswith("kernel")}
    checkpoint = read({"g_ema": entries, "latent_avg": torch.zeros(5)})
    assert checkpoint.architecture == PLAIN
    assert NO_FILTER in checkpoint.notes
    whole = dict(state())
    assert NO_FILTER not in read({"g_ema": whole}).notes
    for name in whole.keys() - entries.keys():
        whole[name] = torch.ones(4, 4, dtype=torch.int32)
    # A filter of whole numbers is a filter, and not one to be guessed.
    with pytest.raises(CheckpointError, match="outer product"):
        read({"g_ema": whole})


def test_half_precision_is_read(read: Read) -> None:
    halves = {name: values.half() for name, values in state().items()}
    weights = read({"g_ema": halves}).weights
    assert all(values.dtype == np.float32 for values in weights.values())


def _without(*names: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda entries: {n: v for n, v in entries.items() if not n.startswith(names)}


def _with(**values: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda entries: {**entries, **{n.replace("__", "."): v for n, v in values.items()}}


DAMAGED: dict[str, tuple[Callable[[dict[str, Any]], dict[str, Any]], str]] = {
    "no constant": (_without("input."), "'input.input'"),
    "no mapping": (_without("style."), "'style.1.weight'"),
    "a layer less": (_without("convs.1."), "'convs.1.conv.weight'"),
    "no modulation bias": (_without("convs.0.conv.modulation.bias"), "conv0.affine.bias"),
    "nan": (_with(input__input=torch.full((1, 4, 4, 4), torch.nan)), "not finite"),
    "flat constant": (_with(input__input=torch.ones(4, 4)), "'input.input'"),
    "unknown array": (_with(attention__query=torch.ones(2)), "no place for"),
    "whole numbers": (_with(input__input=torch.ones(1, 4, 4, 4, dtype=torch.int64)), "int64"),
    "tilted blur": (_with(convs__0__conv__blur__kernel=torch.eye(4)), "one filter"),
    "weights without bound": (
        _with(style__1__weight=torch.full((5, 6), 3e38), style__2__weight=torch.full((5, 5), 3e38)),
        "not finite",
    ),
    "kernels that are not numbers": (
        _with(convs__1__conv__weight=torch.full((1, 3, 3, 3, 3), torch.inf)),
        "not finite",
    ),
    "latent_avg without rows": (_with(latent_avg=torch.ones(0, 5)), "no w of its generator"),
    "latent_avg of another size": (_with(latent_avg=torch.ones(7)), "no w of its generator"),
}


@pytest.mark.parametrize(("change", "reason"), DAMAGED.values(), ids=DAMAGED.keys())
def test_damaged_state_dicts_are_refused(read: Read, change: Any, reason: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        read({"g_ema": change(state())})
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    "beside",
    [
        {"step": torch.tensor(3)},
        {"num_batches_tracked": torch.arange(3), "flag": torch.tensor([True])},
    ],
)
def test_counts_and_flags_may_lie_among_the_weights(read: Read, beside: Any) -> None:
    expected = read({"g_ema": state()})
    found = read({"g_ema": {**state(), **beside}, "classes": np.array(["cat", "dog"])})
    assert found.weights.keys() == expected.weights.keys()
    assert found.notes == expected.notes


def test_views_of_one_storage_are_copied(read: Read) -> None:
    """A non-contiguous tensor that shares its storage with another."""
    both = torch.randn(2, 4, 4, 4)
    entries = state()
    entries["input.input"] = both[1:].transpose(2, 3)
    entries["unused.kernel"] = both[0, 0] * 0 + entries["convs.0.conv.blur.kernel"]
    const = read({"g_ema": entries}).weights["synthesis.b4.const"]
    np.testing.assert_array_equal(const, both[1].transpose(1, 2))
    assert const.flags.c_contiguous


def test_programs_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "traced.pt"
    path.write_bytes(zipped({"a/data.pkl": b"\x80\x02}.", "a/code/model.py": b"def forward"}))
    with pytest.raises(CheckpointError, match="TorchScript program"):
        read_checkpoint(path)
