"""Generators whose first block is not 4 x 4: read from every project's names, to the last array."""

from __future__ import annotations

import dataclasses
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.checkpoint_files import (
    FIXTURES,
    SMALL,
    generator_state,
    notes_besides_lr,
    nvidia_pickle,
    random_weights,
)
from support.checkpoint_formats import (
    EASY_DICT,
    NETWORK,
    importable,
    nvidia_state_dict,
    rosinality_scaled,
    rosinality_state,
    tensorflow_network,
)
from support.checkpoint_projects import (
    adriansahlman_state,
    basicsr_state,
    genforce_state,
    hammer_state,
    mmgeneration_state,
    paddle_state,
)

from dragonnx_export.checkpoints import Checkpoint, CheckpointError, read_checkpoint
from dragonnx_export.families.stylegan2.architecture import Architecture, ArchitectureError

FIELD = FIXTURES / "field"
BASE = dataclasses.replace(SMALL, resolution=16, channels={4: 6, 8: 5, 16: 4}, conv_clamp=None)
FIRST_BLOCKS = [(5, 3), (3, 4), (9, 16), (8, 4), (1, 2), (8, 8)]
"""Heights and widths: tall and wide, odd and even, small and large, and square."""
UNUSED = "noise images are not of its layers' sizes"

State = Callable[[Architecture, Any], dict[str, Any]]

SCALED = {
    "rosinality": rosinality_state,
    "BasicSR": basicsr_state,
    "MMGeneration": mmgeneration_state,
    "PaddleGAN": paddle_state,
    "GenForce": genforce_state,
    "adriansahlman": adriansahlman_state,
}
UNSCALED = {"Hammer": hammer_state, "NVIDIA": nvidia_state_dict}
"""Those whose weights are kept as NVIDIA's code uses them."""


def shaped(first_block: tuple[int, int], **changes: Any) -> Architecture:
    height, width = first_block
    return dataclasses.replace(BASE, base_height=height, base_width=width, **changes)


def read(tmp_path: Path, content: Any) -> Checkpoint:
    path = tmp_path / "network.pt"
    path.write_bytes(pickle.dumps(content))
    return read_checkpoint(path)


def assert_same(checkpoint: Checkpoint, expected: dict[str, Any]) -> None:
    """The weights, but for an average that the file may not hold."""
    assert checkpoint.weights.keys() == {*expected, "mapping.w_avg"}
    for name, values in expected.items():
        if name != "mapping.w_avg":
            np.testing.assert_allclose(checkpoint.weights[name], values, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("first_block", FIRST_BLOCKS, ids=str)
@pytest.mark.parametrize("project", [*SCALED, *UNSCALED])
def test_any_first_block_comes_back(
    tmp_path: Path, project: str, first_block: tuple[int, int]
) -> None:
    variant = "resnet" if project in ("Hammer", "adriansahlman", "NVIDIA") else "skip"
    noise = project != "adriansahlman"
    architecture = shaped(first_block, variant=variant, use_noise=noise)
    weights = random_weights(architecture)
    state = {**SCALED, **UNSCALED}[project](architecture, weights)
    checkpoint = read(tmp_path, {"g_ema": state})
    assert checkpoint.architecture == architecture
    assert checkpoint.architecture.image_size == (4 * first_block[0], 4 * first_block[1])
    assert_same(checkpoint, rosinality_scaled(weights) if project in SCALED else weights)
    assert not any(UNUSED in note for note in checkpoint.notes)


def test_in_half_precision_and_with_classes(tmp_path: Path) -> None:
    architecture = shaped((5, 3), label_dim=3)
    weights = {n: v.astype(np.float16) for n, v in random_weights(architecture).items()}
    # What has no dimensions gets one, as NumPy's ways of making arrays contiguous do it.
    arrays = nvidia_state_dict(architecture, weights)
    state = {n: torch.tensor(np.ascontiguousarray(v)) for n, v in arrays.items()}
    torch.save({"G_ema": state}, tmp_path / "network.pt")
    checkpoint = read_checkpoint(tmp_path / "network.pt")
    assert checkpoint.architecture == architecture
    assert_same(checkpoint, weights)


def without_square_noise(state: dict[str, Any], key: str) -> dict[str, Any]:
    """The state with noise images as they are where the first block is 4 x 4."""
    square = {name: v for name, v in state.items() if key in name and v.ndim > 1}
    assert square, "it has noise images"
    sizes = {name: 4 << (number + 1) // 2 for number, name in enumerate(square)}
    return {
        **state,
        **{n: np.ones((*v.shape[:-2], sizes[n], sizes[n]), v.dtype) for n, v in square.items()},
    }


@pytest.mark.parametrize(
    ("project", "key"),
    [
        ("rosinality", "noises."),
        ("BasicSR", "noises."),
        ("MMGeneration", "injected_noise_"),
        ("PaddleGAN", "noises."),
        ("GenForce", ".noise"),
        ("Hammer", ".noise"),
        ("NVIDIA", "noise_const"),
    ],
)
def test_noise_images_that_do_not_fit_are_left_out_and_told(
    tmp_path: Path, project: str, key: str
) -> None:
    architecture = shaped((4, 8))
    weights = random_weights(architecture)
    state = {**SCALED, **UNSCALED}[project](architecture, weights)
    checkpoint = read(tmp_path, {"g_ema": without_square_noise(state, key)})
    assert checkpoint.architecture == dataclasses.replace(architecture, use_noise=False)
    silent = {name: v for name, v in weights.items() if ".noise_" not in name}
    assert_same(checkpoint, rosinality_scaled(silent) if project in SCALED else silent)
    (note,) = (note for note in checkpoint.notes if UNUSED in note)
    assert re.search(r"\(\d+ x \d+ where a layer has \d+ x \d+\)", note)


@pytest.mark.parametrize("first_number", [5, 8, 3])
def test_blocks_of_other_numbers_are_read(tmp_path: Path, first_number: int) -> None:
    """Some name the first block by its height."""
    architecture = shaped((first_number, 4), variant="resnet")
    weights = random_weights(architecture)
    state = {
        re.sub(r"\.b(\d+)\.", lambda m: f".b{int(m[1]) * first_number // 4}.", name): values
        for name, values in nvidia_state_dict(architecture, weights).items()
    }
    assert f"synthesis.b{first_number}.const" in state
    checkpoint = read(tmp_path, {"model": {f"G_ema.{n}": v for n, v in state.items()}})
    assert checkpoint.architecture == architecture
    assert_same(checkpoint, weights)
    odd = {**state, f"synthesis.b{first_number + 1}.conv1.bias": np.ones(6, np.float32)}
    with pytest.raises(CheckpointError, match=r"no place for|each twice the one before"):
        read(tmp_path, {"G_ema": odd})
    del state[f"synthesis.b{2 * first_number}.conv1.weight"]
    with pytest.raises(CheckpointError, match=r"b8|blocks"):
        read(tmp_path, {"G_ema": state})


@pytest.mark.parametrize("first_number", [4, 5])
def test_nvidias_records_are_read(tmp_path: Path, first_number: int) -> None:
    """Those of eps696 say in `img_resolution` what a square image of as many blocks would have."""
    architecture = shaped((5, 3), label_dim=2)
    weights = random_weights(architecture)
    state = generator_state(architecture, weights)
    synthesis = state["_modules"]["synthesis"]["_modules"]
    renamed = {f"b{int(n[1:]) * first_number // 4}": m for n, m in synthesis.items()}
    state["_modules"]["synthesis"]["_modules"] = renamed
    state["init_res"] = [5, 3]
    (tmp_path / "network.pkl").write_bytes(nvidia_pickle(state))
    checkpoint = read_checkpoint(tmp_path / "network.pkl")
    assert checkpoint.architecture == architecture
    assert_same(checkpoint, weights)
    renamed[f"b{2 * first_number}"]["_modules"]["conv0"]["size"] = [12, 12]
    (tmp_path / "network.pkl").write_bytes(nvidia_pickle(state))
    with pytest.raises(CheckpointError, match="another size"):
        read_checkpoint(tmp_path / "network.pkl")


@pytest.mark.parametrize("named_by_size", [False, True])
def test_tensorflows_pickles_are_read(tmp_path: Path, *, named_by_size: bool) -> None:
    architecture = shaped((5, 3), variant="resnet")
    weights = random_weights(architecture)

    def saved(**options: Any) -> Path:
        with importable(NETWORK, EASY_DICT):
            network = tensorflow_network(architecture, weights, **options)
            inner = network.components["synthesis"]
            if named_by_size:
                inner.variables = [
                    (re.sub(r"^(\d+)x\d+", lambda m: _size(int(m[1])), name), values)
                    for name, values in inner.variables
                ]
            (tmp_path / "network.pkl").write_bytes(pickle.dumps((None, None, network)))
        return tmp_path / "network.pkl"

    checkpoint = read_checkpoint(saved(resolution="20x12" if named_by_size else 16))
    assert checkpoint.architecture == architecture
    assert_same(checkpoint, weights)
    with pytest.raises(CheckpointError, match="argument 'size'"):
        read_checkpoint(saved(size=(40, 20)))
    assert read_checkpoint(saved(size=(20, 12))).architecture == architecture


def _size(number: int) -> str:
    return f"{5 * number // 4}x{3 * number // 4}"


@pytest.mark.parametrize(
    ("name", "image_size", "noise", "notes"),
    [
        ("eps_sd_5x3", (40, 24), True, 0),
        ("ros_rect_8x4", (64, 32), True, 1),
        ("ros_rect_squarenoise", (32, 64), False, 2),
    ],
)
def test_files_as_people_have_them(
    name: str, image_size: tuple[int, int], *, noise: bool, notes: int
) -> None:
    checkpoint = read_checkpoint(FIELD / f"{name}.pt")
    assert checkpoint.architecture.image_size == image_size
    assert checkpoint.architecture.use_noise == noise
    about = [n for n in notes_besides_lr(checkpoint.notes) if "--conv-clamp" not in n]
    assert len(about) == notes
    assert any(UNUSED in note for note in about) != noise


def test_descriptions_say_the_first_block(tmp_path: Path) -> None:
    for facts in ({"base_height": 5, "base_width": 3}, {"init_res": [5, 3]}):
        described = BASE.to_json().replace('"base_height": 4, "base_width": 4, ', "")
        for name, value in facts.items():
            described = described.replace("{", f'{{"{name}": {value}, ', 1)
        assert Architecture.from_json(described) == shaped((5, 3))
    for wrong in ("0", "[5]", '"wide"', "{}"):
        with pytest.raises(ArchitectureError):
            Architecture.from_json(described.replace("[5, 3]", wrong))
