"""Generators that their files hold wrapped, in parts, in other modules, or with parameters alone."""

from __future__ import annotations

import dataclasses
import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch
from support.checkpoint_files import SMALL, generator_state, random_weights
from support.checkpoint_formats import (
    PERSISTENCE,
    importable,
    nvidia_state_dict,
    rosinality_state,
    torch_record,
)
from support.checkpoint_projects import genforce_state, hammer_state

from dragonnx_export.checkpoints import Checkpoint, CheckpointError, Choices, read_checkpoint
from dragonnx_export.checkpoints.halves import joined

PLAIN = dataclasses.replace(SMALL, conv_clamp=None)
WEIGHTS = random_weights(PLAIN, 2)
ARRAYS = nvidia_state_dict(PLAIN, WEIGHTS)
BUFFERS = re.compile(r".*(?:noise_const|w_avg|filter|noises\.noise_\d+|kernel|\.noise)$")


def tensors(arrays: dict[str, Any]) -> dict[str, Any]:
    return {name: torch.tensor(np.ascontiguousarray(values)) for name, values in arrays.items()}


def read(tmp_path: Path, content: Any, choices: Choices | None = None) -> Checkpoint:
    path = tmp_path / "snapshot.pt"
    torch.save(content, path)
    return read_checkpoint(path, choices or Choices())


def assert_whole(checkpoint: Checkpoint) -> None:
    assert checkpoint.weights.keys() == WEIGHTS.keys()
    for name, values in WEIGHTS.items():
        np.testing.assert_array_equal(checkpoint.weights[name], values)


WRAPPED = {
    "both halves of DataParallel's": (r"^(mapping|synthesis)\.", r"\1.module."),
    "one half compiled": (r"^synthesis\.", "synthesis._orig_mod."),
    "every block compiled": (r"\.b(\d+)\.", r".b\1._orig_mod."),
    "sharded": (r"^", "_fsdp_wrapped_module."),
    "a block recomputed": (r"^synthesis\.b8\.", "synthesis.b8._checkpoint_wrapped_module."),
    "Fabric's": (r"^", "_forward_module."),
}


@pytest.mark.parametrize("container", ["torch", "safetensors"])
@pytest.mark.parametrize(("pattern", "to"), WRAPPED.values(), ids=WRAPPED)
def test_wrappers_within_names_say_nothing(
    tmp_path: Path, pattern: str, to: Any, container: str
) -> None:
    renamed = {re.sub(pattern, to, name, count=1): values for name, values in ARRAYS.items()}
    assert renamed.keys() != ARRAYS.keys()
    if container == "torch":
        assert_whole(read(tmp_path, {"G_ema": tensors(renamed)}))
    else:
        safetensors.numpy.save_file(renamed, tmp_path / "g.safetensors")
        assert_whole(read_checkpoint(tmp_path / "g.safetensors"))


def test_names_that_wrappers_alone_keep_apart_stay_as_they_are(tmp_path: Path) -> None:
    both = {**ARRAYS, "_orig_mod.mapping.fc0.weight": WEIGHTS["mapping.fc0.weight"] * 2}
    with pytest.raises(CheckpointError, match="no place for"):
        read(tmp_path, tensors(both))


def nested(arrays: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, values in arrays.items():
        *path, last = name.split(".")
        inner = made
        for step in path:
            inner = inner.setdefault(step, {})
        inner[last] = values
    return made


def halves(arrays: dict[str, Any], before: str = "") -> dict[str, Any]:
    return {
        before + half: {n.removeprefix(f"{half}."): v for n, v in arrays.items() if half in n}
        for half in ("mapping", "synthesis")
    }


@pytest.mark.parametrize(
    "made",
    [
        halves,
        nested,
        lambda arrays: halves(arrays, "G_"),
        lambda arrays: {"G": halves(arrays), "step": 3},
        lambda arrays: {"params": {"params_ema": nested(arrays)}},
    ],
)
def test_a_dict_for_each_half_or_layer_is_one_generator(tmp_path: Path, made: Any) -> None:
    assert_whole(read(tmp_path, made(tensors(ARRAYS))))


def test_the_average_w_may_lie_beside_the_halves(tmp_path: Path) -> None:
    rest = {name: values for name, values in ARRAYS.items() if name != "mapping.w_avg"}
    average = torch.tensor(WEIGHTS["mapping.w_avg"])
    assert_whole(read(tmp_path, {**halves(tensors(rest)), "latent_avg": average}))


def test_halves_without_end_are_no_bomb() -> None:
    part: dict[str, Any] = {"a": torch.zeros(1)}
    for _ in range(8):
        part = {f"b{k}": part for k in range(100)}
    value = {"mapping": part, "synthesis": part}
    budget = iter(range(10_000))
    assert joined(value, budget) is None
    assert joined({"mapping": {"a": 1}, "synthesis": {"b": 2}}, budget) is None
    assert joined({"mapping": {"a": 1}, "synthesis": {"b": 2}}, iter(range(3))) == {
        "mapping.a": 1, "synthesis.b": 2,
    }  # fmt: skip


def test_records_in_other_modules_keep_their_facts(tmp_path: Path) -> None:
    """As a state dict they would be read with another learning rate and clamp."""
    architecture = dataclasses.replace(SMALL, mapping_lr_multiplier=0.5, conv_clamp=3.0)
    other = random_weights(PLAIN, 1)
    with importable(PERSISTENCE):
        outer = torch.nn.Module()
        outer._modules = {
            "generator": torch_record(generator_state(architecture, other)),
            "G_ema": torch_record(generator_state(architecture, WEIGHTS)),
            "critic": torch.nn.Linear(2, 2),
        }
        found = read(tmp_path, {"trainer": outer})
        parallel = torch.nn.DataParallel(torch.nn.Identity())
        parallel._modules = {"module": outer._modules["G_ema"]}
        alone = read(tmp_path, parallel)
        averaged = torch.optim.swa_utils.AveragedModel(torch.nn.Identity())
        averaged._modules = {"module": outer._modules["G_ema"]}
        chosen = read(tmp_path, {"one": outer._modules["generator"], "other": averaged})
    for checkpoint in (found, alone, chosen):
        assert_whole(checkpoint)
        assert checkpoint.architecture == architecture
        assert not checkpoint.notes
    assert "'trainer.G_ema' of" in found.network
    assert "'other' of" in chosen.network


def test_a_compiled_network_that_was_saved_whole(tmp_path: Path) -> None:
    """It is written as a call with what it wraps."""
    with importable(PERSISTENCE):
        record = torch_record(generator_state(PLAIN, WEIGHTS))
        compiled = torch.compile(torch.nn.Identity())
        object.__setattr__(compiled, "_orig_mod", record)
        assert_whole(read(tmp_path, {"G_ema": compiled}))


@pytest.mark.parametrize("whole", [False, True])
def test_planes_for_a_renderer_are_no_picture(tmp_path: Path, whole: bool) -> None:
    beside = {"superresolution.block0.conv0.weight": torch.zeros(3, 3)}
    with importable(PERSISTENCE):
        outer: Any = {**{f"backbone.{n}": v for n, v in tensors(ARRAYS).items()}, **beside}
        if whole:
            outer = torch.nn.Module()
            outer._modules = {
                "backbone": torch_record(generator_state(PLAIN, WEIGHTS)),
                "superresolution": torch.nn.Linear(2, 2),
            }
        with pytest.raises(CheckpointError, match="EG3D"):
            read(tmp_path, {"G_ema": outer})


NO_BUFFERS: dict[str, tuple[Callable[[Any, Any], dict[str, Any]], str]] = {
    "NVIDIA": (nvidia_state_dict, "NVIDIA"),
    "rosinality": (rosinality_state, "rosinality"),
    "GenForce": (genforce_state, "GenForce"),
    "Hammer": (hammer_state, "Hammer"),
}


def near_one(architecture: Any) -> dict[str, Any]:
    """Weights of which the styles' biases are what training begins with."""
    weights = random_weights(architecture, 2)
    return {
        name: np.float32(1) + values * np.float32(0.1) if name.endswith("affine.bias") else values
        for name, values in weights.items()
    }


@pytest.mark.parametrize(("state", "project"), NO_BUFFERS.values(), ids=NO_BUFFERS)
def test_parameters_alone_are_a_generator_without_noise(
    tmp_path: Path, state: Any, project: str
) -> None:
    weights = near_one(PLAIN)
    arrays = {n: v for n, v in state(PLAIN, weights).items() if not BUFFERS.fullmatch(n)}
    found = read(tmp_path, {"g_ema": tensors(arrays)})
    assert project in found.format
    assert not found.architecture.use_noise
    notes = " ".join(found.notes)
    assert "no noise images" in notes
    assert "no average w" in notes
    assert "no resampling filter" in notes
    assert ("no name in the file says" in notes) == (project in ("GenForce", "Hammer"))
    for name, values in found.weights.items():
        if name.endswith("affine.bias"):
            np.testing.assert_allclose(values, weights[name], rtol=1e-6)


def test_a_record_without_its_buffers_is_read(tmp_path: Path) -> None:
    state = generator_state(PLAIN, WEIGHTS)
    del state["_modules"]["mapping"]["_buffers"]["w_avg"]
    for block in state["_modules"]["synthesis"]["_modules"].values():
        for layer in block["_modules"].values():
            layer["_buffers"].pop("noise_const", None)
    with importable(PERSISTENCE):
        found = read(tmp_path, {"G_ema": torch_record(state)})
    assert not found.architecture.use_noise
    assert len(found.notes) == 2


def test_a_mapping_network_without_layers_is_refused_as_such(tmp_path: Path) -> None:
    state = generator_state(PLAIN, WEIGHTS)
    state["_modules"]["mapping"] |= {"num_layers": 0, "_modules": {}}
    with importable(PERSISTENCE), pytest.raises(CheckpointError, match="has no layers"):
        read(tmp_path, {"G_ema": torch_record(state)})


AVERAGES = {
    "NVIDIA": (nvidia_state_dict, "mapping.w_avg"),
    "GenForce": (genforce_state, "truncation.w_avg"),
    "Hammer": (hammer_state, "w_avg"),
}


@pytest.mark.parametrize("same", [False, True])
@pytest.mark.parametrize(("state", "name"), AVERAGES.values(), ids=AVERAGES)
def test_an_average_for_each_layer(tmp_path: Path, state: Any, name: str, same: bool) -> None:
    arrays = state(PLAIN, WEIGHTS)
    rows = np.stack([arrays[name] + (0 if same else k) for k in range(4)])
    found = read(tmp_path, tensors({**arrays, name: rows}))
    np.testing.assert_allclose(found.weights["mapping.w_avg"], rows.mean(axis=0), rtol=1e-6)
    assert any("for each layer" in note for note in found.notes) != same


@pytest.mark.parametrize("word", ["stylegan2", "", '{"name": "stylegan2", "size": 8}', "[]"])
def test_another_tools_word_for_an_architecture_describes_nothing(
    tmp_path: Path, word: str
) -> None:
    path = tmp_path / "g.safetensors"
    safetensors.numpy.save_file(ARRAYS, path, {"format": "pt", "architecture": word})
    found = read_checkpoint(path)
    assert_whole(found)
    assert any("'architecture' describes no generator" in note for note in found.notes)
    facts = {**json.loads(PLAIN.to_json()), "w_dim": 6}
    safetensors.numpy.save_file(ARRAYS, path, {"architecture": json.dumps(facts)})
    with pytest.raises(CheckpointError, match="where its architecture needs"):
        read_checkpoint(path)


ZIPPED_AGAIN: dict[str, Callable[[str], str]] = {
    "packed": lambda name: name,
    "without its folder": lambda name: name.partition("/")[2],
    "in another folder": lambda name: f"downloads/{name}",
}


@pytest.mark.parametrize("rename", ZIPPED_AGAIN.values(), ids=ZIPPED_AGAIN)
def test_files_that_were_unpacked_and_zipped_again(
    tmp_path: Path, rename: Callable[[str], str]
) -> None:
    saved = io.BytesIO()
    torch.save({**tensors(ARRAYS), "zeros": torch.zeros(20_000)}, saved)
    path = tmp_path / "snapshot.zip"
    with (
        zipfile.ZipFile(saved) as first,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as again,
    ):
        again.writestr("__MACOSX/._data.pkl", b"")
        for name in first.namelist():
            if not name.endswith("serialization_id"):
                again.writestr(rename(name), first.read(name))
    with pytest.raises(CheckpointError, match="'zeros'"):
        read_checkpoint(path)  # that array alone is not of a generator
    folder = tmp_path / "snapshot"
    with zipfile.ZipFile(saved) as first:
        first.extractall(folder)
    with pytest.raises(CheckpointError, match="was unpacked"):
        read_checkpoint(next(folder.iterdir()))
