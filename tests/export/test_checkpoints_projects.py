"""Generators in the names of further projects: what they hold comes back, to the last array."""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.checkpoint_files import FIXTURES, SMALL, random_weights
from support.checkpoint_formats import (
    importable,
    nvidia_state_dict,
    python_module,
    rosinality_scaled,
    rosinality_state,
)
from support.checkpoint_projects import (
    adriansahlman_state,
    basicsr_state,
    genforce_state,
    hammer_state,
    mmgeneration_state,
    paddle_state,
)

from dragonnx_export.checkpoints import Checkpoint, CheckpointError, Choices, read_checkpoint
from dragonnx_export.families.stylegan2.architecture import Architecture
from dragonnx_export.families.stylegan2.networks import Generator

FIELD = FIXTURES / "field"
PLAIN = dataclasses.replace(SMALL, conv_clamp=None)
LARGER = dataclasses.replace(
    PLAIN, resolution=32, channels={4: 6, 8: 6, 16: 4, 32: 2}, mapping_layers=3
)
WIDE_FILTER = dataclasses.replace(LARGER, resample_filter=(1.0, 2.0, 2.0, 1.0))
LABELLED = dataclasses.replace(PLAIN, label_dim=3)
# Both sides compute in float32; the project's bound for images is ten times this.
TOLERANCE = 2e-6

State = Callable[[Architecture, Any], dict[str, Any]]
Scaled = Callable[[Any], dict[str, Any]]


def unscaled(weights: Any) -> dict[str, Any]:
    return dict(weights)


CASES: dict[str, tuple[State, str, Architecture, Scaled]] = {
    "GenForce": (genforce_state, "GenForce", PLAIN, rosinality_scaled),
    "GenForce, 32 px": (genforce_state, "GenForce", WIDE_FILTER, rosinality_scaled),
    "GenForce, classes": (genforce_state, "GenForce", LABELLED, rosinality_scaled),
    "GenForce, orig": (
        genforce_state,
        "GenForce",
        dataclasses.replace(LARGER, variant="orig"),
        rosinality_scaled,
    ),
    "Hammer": (hammer_state, "Hammer", WIDE_FILTER, unscaled),
    "Hammer, classes": (hammer_state, "Hammer", LABELLED, unscaled),
    "Hammer, resnet": (
        hammer_state,
        "Hammer",
        dataclasses.replace(LARGER, variant="resnet"),
        unscaled,
    ),
    "BasicSR": (basicsr_state, "BasicSR", LARGER, rosinality_scaled),
    "MMGeneration": (mmgeneration_state, "MMGeneration", WIDE_FILTER, rosinality_scaled),
    "PaddleGAN": (paddle_state, "PaddleGAN", WIDE_FILTER, rosinality_scaled),
    "adriansahlman": (
        adriansahlman_state,
        "adriansahlman",
        dataclasses.replace(WIDE_FILTER, use_noise=False),
        rosinality_scaled,
    ),
    "adriansahlman, resnet": (
        adriansahlman_state,
        "adriansahlman",
        dataclasses.replace(LARGER, use_noise=False, variant="resnet"),
        rosinality_scaled,
    ),
}


def tensors(arrays: dict[str, Any]) -> dict[str, Any]:
    return {
        name: torch.tensor(np.ascontiguousarray(v)) if isinstance(v, np.ndarray) else v
        for name, v in arrays.items()
    }


def read(tmp_path: Path, content: Any, choices: Choices = Choices()) -> Checkpoint:  # noqa: B008
    path = tmp_path / "generator.pth"
    torch.save(content, path)
    return read_checkpoint(path, choices)


@pytest.mark.parametrize(
    ("state", "project", "architecture", "scaled"), CASES.values(), ids=CASES.keys()
)
def test_every_projects_arrays_come_back(
    tmp_path: Path, state: State, project: str, architecture: Architecture, scaled: Scaled
) -> None:
    weights = random_weights(architecture)
    checkpoint = read(tmp_path, tensors(state(architecture, weights)))
    assert checkpoint.architecture == architecture
    assert project in checkpoint.format
    expected = scaled(weights)
    assert checkpoint.weights.keys() == expected.keys()
    stored_average = project in ("GenForce", "Hammer", "adriansahlman")
    for name, values in expected.items():
        if name != "mapping.w_avg" or stored_average:
            np.testing.assert_allclose(checkpoint.weights[name], values, rtol=1e-6, atol=1e-6)
    estimated = any("estimated" in note for note in checkpoint.notes)
    assert estimated == (not stored_average)


@pytest.mark.parametrize("name", ["genforce-32px", "basicsr-32px"])
def test_the_fixtures_give_what_their_own_code_gives(name: str) -> None:
    generator = Generator.from_checkpoint(read_checkpoint(FIELD / f"{name}.pth"))
    expected = np.load(FIELD / f"{name}.npz")
    z = torch.tensor(expected["z"])
    w_plus = generator.w_plus(z)
    assert_close(w_plus[:, 0], expected["w"])
    assert_close(generator.synthesis(w_plus), expected["image"])
    if "w_psi07" in expected:
        assert_close(generator.w_plus(z, truncation_psi=0.7)[:, 0], expected["w_psi07"])


def assert_close(measured: torch.Tensor, reference: Any) -> None:
    assert measured.shape == reference.shape
    assert np.abs(measured.numpy() - reference).max() <= TOLERANCE * np.abs(reference).max()


def test_adriansahlmans_own_save_keeps_parts_and_arguments(tmp_path: Path) -> None:
    architecture = dataclasses.replace(LARGER, use_noise=False, mapping_lr_multiplier=0.1)
    flat = tensors(adriansahlman_state(architecture, random_weights(architecture)))

    def part(name: str, **kwargs: Any) -> dict[str, Any]:
        state = {n.removeprefix(f"{name}."): v for n, v in flat.items() if n.startswith(f"{name}.")}
        return {"name": name, "kwargs": kwargs, "state_dict": state}

    def saved(**synthesis: Any) -> dict[str, Any]:
        return {
            "name": "Generator",
            "kwargs": {"dlatent_avg_beta": 0.995},
            "state_dict": {"dlatent_avg": flat["dlatent_avg"]},
            "G_mapping": part("G_mapping", lr_mul=0.1, activation="leaky:0.2"),
            "G_synthesis": part("G_synthesis", **synthesis),
        }

    checkpoint = read(tmp_path, saved())
    assert checkpoint.architecture == architecture
    assert not any("learning rate" in note for note in checkpoint.notes)
    with pytest.raises(CheckpointError, match="leave that out"):
        read(tmp_path, saved(), Choices(mapping_lr=0.01))
    for arguments, name in (
        ({"demodulate": False}, "demodulate"),
        ({"activation": "swish"}, "swish"),
        ({"fused_resample": False}, "fused_resample"),
    ):
        with pytest.raises(CheckpointError, match=name):
            read(tmp_path, saved(**arguments))


@pytest.mark.parametrize("square", [False, True])
@pytest.mark.parametrize("nested", [False, True])
def test_paddles_weights_are_turned_round(tmp_path: Path, square: bool, nested: bool) -> None:
    architecture = dataclasses.replace(PLAIN, z_dim=4, w_dim=4, channels={4: 4, 8: 4})
    if not square:
        architecture = dataclasses.replace(architecture, w_dim=5)
    weights = random_weights(architecture)
    state = paddle_state(architecture, weights)
    path = tmp_path / "iter_1.pdparams"
    path.write_bytes(pickle.dumps({"gen_ema": state, "opt": {}} if nested else state, 2))
    checkpoint = read_checkpoint(path)
    assert checkpoint.format == "PaddleGAN StyleGAN2 checkpoint"
    for name in ("mapping.fc0.weight", "synthesis.b8.conv0.affine.weight"):
        np.testing.assert_array_equal(checkpoint.weights[name], weights[name])


def test_paddles_weights_are_told_by_their_shapes_too(tmp_path: Path) -> None:
    """As PaddleGAN's trainer writes them: plain arrays, or pairs of a name and an array."""
    weights = random_weights(PLAIN)
    state = paddle_state(PLAIN, weights)
    del state["StructuredToParameterName@@"]
    for number, entries in enumerate((state, {n: (f"p_{n}", v) for n, v in state.items()})):
        path = tmp_path / f"{number}.pdparams"
        path.write_bytes(pickle.dumps({"gen_ema": entries}, 4))
        checkpoint = read_checkpoint(path)
        assert checkpoint.format == "PaddleGAN StyleGAN2 checkpoint"
        np.testing.assert_array_equal(
            checkpoint.weights["mapping.fc0.weight"], weights["mapping.fc0.weight"]
        )


def test_rosinalitys_weights_stay_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "g.pkl"
    path.write_bytes(pickle.dumps({"g_ema": rosinality_state(PLAIN, random_weights(PLAIN))}))
    assert read_checkpoint(path).format == "rosinality StyleGAN2 checkpoint"


@pytest.mark.parametrize("name", ["paddle_square", "paddle_gen_ema"])
def test_the_given_files_of_paddle(name: str) -> None:
    path = FIELD / f"{name}.pdparams"
    stored = pickle.loads(path.read_bytes(), encoding="latin1")
    stored = stored.get("gen_ema", stored)
    checkpoint = read_checkpoint(path)
    assert checkpoint.format == "PaddleGAN StyleGAN2 checkpoint"
    for ours, theirs in (
        ("mapping.fc1.weight", "style.2.weight"),
        ("synthesis.b32.torgb.affine.weight", "to_rgbs.2.conv.modulation.weight"),
    ):
        np.testing.assert_array_equal(checkpoint.weights[ours], stored[theirs].T)


def test_mmgeneration_may_begin_with_blue(tmp_path: Path) -> None:
    content = {
        "meta": {"mmgen_version": "0.7"},
        "state_dict": {
            f"{network}.{name}": values
            for network in ("generator", "generator_ema")
            for name, values in tensors(mmgeneration_state(PLAIN, random_weights(PLAIN))).items()
        },
    }
    checkpoint = read(tmp_path, content)
    assert "'state_dict.generator_ema' of" in checkpoint.network
    assert any("--channels 2,1,0" in note for note in checkpoint.notes)


HANDED: dict[str, tuple[str, str]] = {
    "genforce-32px.pth": ("GenForce", "'generator_smooth' of 'generator' and 'generator_smooth'"),
    "basicsr-32px.pth": ("BasicSR", "'params_ema' of 'params_ema' and 'params'"),
    "g_running.pt": ("rosinality", "'g_running' of 'g' and 'g_running'"),
    "ema_pytorch2.pt": ("rosinality", "'ema.ema_model' of 'ema.online_model' and 'ema.ema_model'"),
    "list.pt": ("rosinality", ""),
    "e4e.safetensors": ("decoder of an e4e or pSp checkpoint (safetensors)", ""),
    "ros_bf16.pt": ("rosinality", ""),
    "paddle_square.pdparams": ("PaddleGAN", ""),
    "paddle_gen_ema.pdparams": ("PaddleGAN", ""),
    "ada_sd_lr.pt": ("StyleGAN2 state dict in NVIDIA's names", ""),
    "six_channels.pt": ("StyleGAN2 state dict in NVIDIA's names", ""),
}


@pytest.mark.parametrize(("name", "found"), HANDED.items(), ids=HANDED.keys())
def test_files_as_people_have_them(name: str, found: tuple[str, str]) -> None:
    checkpoint = read_checkpoint(FIELD / name)
    kind, network = found
    assert kind in checkpoint.format
    assert checkpoint.network.partition(":")[0] == network
    assert any("learning rate multiplier" in note for note in checkpoint.notes)


PARTS = {
    "mmgen.pth": ("MMGeneration or MMagic", "give the complete file that training wrote"),
    "adrian_sd.pth": (
        "adriansahlman's stylegan2_pytorch",
        "give the complete file that its `save`",
    ),
}


@pytest.mark.parametrize(("name", "texts"), PARTS.items(), ids=PARTS.keys())
def test_parts_of_generators_are_refused_by_name(name: str, texts: tuple[str, str]) -> None:
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(FIELD / name)
    assert all(text in str(caught.value) for text in texts)


ODD = (
    np.zeros((), np.float32), np.zeros(0, np.float32), np.ones(3, np.float32),
    np.ones((2, 3), np.float32), np.ones((1, 2, 3, 3, 3), np.float32), np.ones((2, 2), np.int64),
    np.ones((1, 1, 4, 4), np.float32), np.ones((1, 2, 1, 1), np.float32), np.array([True]),
)  # fmt: skip


@pytest.mark.parametrize(
    "state",
    [
        adriansahlman_state,
        basicsr_state,
        genforce_state,
        hammer_state,
        mmgeneration_state,
        nvidia_state_dict,
        paddle_state,
        rosinality_state,
    ],
)
def test_arrays_that_do_not_fit_are_told_in_a_sentence(tmp_path: Path, state: State) -> None:
    """Every array in turn is left out, or is of another shape or type."""
    path = tmp_path / "odd.pkl"
    entries = state(PLAIN, random_weights(PLAIN))
    refusals = []
    for number, name in enumerate(entries):
        odd = ODD[number % len(ODD)]
        for changed in ({**entries, name: odd}, {n: v for n, v in entries.items() if n != name}):
            path.write_bytes(pickle.dumps({"g_ema": changed, "latent_avg": np.zeros(5)}))
            try:
                read_checkpoint(path)
            except CheckpointError as error:
                refusals.append(str(error))
    assert len(refusals) > len(entries) / 2
    for refusal in refusals:
        assert "holds what no checkpoint has" not in refusal
        assert "; " in refusal


def test_the_first_way_of_joining_labels_is_refused(tmp_path: Path) -> None:
    state = tensors(genforce_state(PLAIN, random_weights(PLAIN)))
    with pytest.raises(CheckpointError, match="classes in the way of the first StyleGAN2"):
        read(tmp_path, {**state, "mapping.label_weight": torch.ones(3, 6)})


def test_whole_modules_of_other_projects_are_read(tmp_path: Path) -> None:
    entries = tensors(basicsr_state(PLAIN, random_weights(PLAIN)))
    with importable("model.Generator"):
        state = {"_parameters": entries, "_buffers": {}, "_modules": {}}
        checkpoint = read(tmp_path, python_module("model.Generator", state))
    assert checkpoint.format == "BasicSR StyleGAN2 checkpoint"
