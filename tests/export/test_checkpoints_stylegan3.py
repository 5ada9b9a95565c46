"""Reading StyleGAN3: what its pickles and state dicts say, and what is refused."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file
from support.checkpoint_files import nvidia_pickle
from support.random_stylegan3 import random_stylegan3, stylegan3, stylegan3_state

from dragonnx_export.checkpoints import CheckpointError, Choices, of_stylegan2, read_checkpoint
from dragonnx_export.checkpoints.summary import facts

FIXTURES = Path(__file__).parents[1] / "fixtures"
SMALL = random_stylegan3(stylegan3(num_layers=3, label_dim=2))

State = dict[str, Any]


@pytest.mark.parametrize("config", ["t", "r"])
def test_the_fixtures_state_their_facts_and_run_nothing(config: str) -> None:
    trap = Path(tempfile.gettempdir()) / "dragonnx-trap-ran"
    checkpoint = read_checkpoint(FIXTURES / f"stylegan3-{config}-32px.pkl")
    assert not trap.exists()
    a = checkpoint.architecture
    assert (checkpoint.family, checkpoint.format) == ("stylegan3", "NVIDIA StyleGAN3 pickle")
    assert (a.image_size, a.num_ws, a.mapping_layers, len(a.layers)) == ((32, 32), 16, 2, 15)
    assert a.layers[0].kernel == (1 if config == "r" else 3)
    assert [layer.radial for layer in a.layers] == [config == "r"] * 12 + [False] * 3
    assert checkpoint.notes == ()
    assert any("48 waves" in line for line in facts(checkpoint))


@pytest.mark.parametrize(
    "architecture",
    [
        stylegan3(64, 6, label_dim=3, margin=10),
        stylegan3(128, 12, radial=True, kernel=1, margin=10),
        stylegan3(num_layers=3, filter_size=4, clamp=None, num_critical=1),
    ],
)
def test_a_pickle_of_any_size_gives_back_what_it_was_made_of(
    architecture: Any, tmp_path: Path
) -> None:
    made = random_stylegan3(architecture)
    path = tmp_path / "made.pkl"
    path.write_bytes(nvidia_pickle(stylegan3_state(made)))
    found = read_checkpoint(path)
    assert found.architecture == architecture
    assert found.weights.keys() == made.weights.keys()
    for name, values in made.weights.items():
        np.testing.assert_array_equal(found.weights[name], values)


@pytest.mark.parametrize("config", ["t", "r"])
def test_a_state_dict_is_read_as_the_pickle_that_it_is_of(config: str, tmp_path: Path) -> None:
    pickled = read_checkpoint(FIXTURES / f"stylegan3-{config}-32px.pkl")
    path = tmp_path / "bare.safetensors"
    save_file({f"G_ema.{name}": values for name, values in pickled.weights.items()}, path)
    found = read_checkpoint(path)
    assert found.architecture == pickled.architecture
    assert found.format == "StyleGAN3 state dict in NVIDIA's names (safetensors)"
    assert len(found.notes) == 3
    assert read_checkpoint(path, Choices(conv_clamp=9)).architecture.layers[0].clamp == 9


def _at(state: State, path: str) -> State:
    for step in path.split("."):
        state = state["_modules"][step]
    return state


def _set(path: str, **facts: Any) -> Callable[[State], None]:
    return lambda state: _at(state, path).update(facts)


def _array(path: str, name: str, values: Any) -> Callable[[State], None]:
    return lambda state: _at(state, path)["_buffers"].update({name: np.asarray(values, "f")})


REFUSED: dict[str, tuple[Callable[[State], None], str]] = {
    "StyleGAN-XL": (_array("mapping", "embed_proj.weight", 1), "StyleGAN-XL"),
    "StyleGAN-T": (_array("synthesis", "b8.conv0.weight", 1), "StyleGAN-T"),
    "another layer class": (
        _set("synthesis.L0_24_8", class_name="AttentionLayer"),
        "'AttentionLayer', which StyleGAN3 does not have there",
    ),
    "another input class": (_set("synthesis.input", class_name="ConstInput"), "'ConstInput'"),
    "layers in no order": (_set("synthesis", layer_names=["L0_24_8"]), "no order"),
    "other layers": (_set("synthesis", layer_names=["a", "b", "c", "d"]), "other layers"),
    "not square": (_set("synthesis.L0_24_8", in_size=[24, 12]), "not square"),
    "padding": (_set("synthesis.L0_24_8", padding=[1, 2, 3, 4]), "pads its maps"),
    "input": (_set("synthesis.input", size=12), "another map than its input gives"),
    "bandwidth": (_set("synthesis.input", bandwidth="a"), "no usable bandwidth"),
    "rate": (_set("synthesis.L0_24_8", in_sampling_rate=15), "cells across"),
    "rate of text": (_set("synthesis.L0_24_8", out_sampling_rate="16"), "no usable out_sampling"),
    "magnitude": (_array("synthesis.L0_24_8", "magnitude_ema", 0), "not above 0"),
    "not finite": (_array("synthesis.input", "phases", [np.nan] * 8), "not finite"),
    "further array": (_array("synthesis.L0_24_8", "noise_const", 1), "relative of StyleGAN3"),
    "activation": (_set("mapping.fc0", activation="relu"), "another activation"),
    "num_ws": (lambda state: state.update(num_ws=9), "takes 9 w's"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_relatives_and_damage_are_refused_in_a_sentence(case: str, tmp_path: Path) -> None:
    change, message = REFUSED[case]
    state = stylegan3_state(SMALL)
    change(state)
    path = tmp_path / "other.pkl"
    path.write_bytes(nvidia_pickle(state))
    with pytest.raises(CheckpointError, match=message):
        read_checkpoint(path)


def test_what_only_stylegan2_can_do_says_so() -> None:
    with pytest.raises(Exception, match="one of StyleGAN3, and only generators of StyleGAN2"):
        of_stylegan2(SMALL)


def test_facts_that_the_pickle_states_are_not_to_be_given() -> None:
    path = FIXTURES / "stylegan3-t-32px.pkl"
    with pytest.raises(CheckpointError, match="--conv-clamp"):
        read_checkpoint(path, Choices(conv_clamp=9))


def test_a_state_dict_without_a_layer_is_refused(tmp_path: Path) -> None:
    weights = {n: v for n, v in SMALL.weights.items() if not n.startswith("synthesis.L1_")}
    save_file(weights, tmp_path / "part.safetensors")
    with pytest.raises(CheckpointError, match="lacks layers"):
        read_checkpoint(tmp_path / "part.safetensors")


def test_the_choice_of_the_averaged_network_holds_here_too(tmp_path: Path) -> None:
    other = replace(SMALL, weights={n: np.asarray(v * 2) for n, v in SMALL.weights.items()})
    both = {f"G.{n}": v for n, v in other.weights.items()}
    both |= {f"G_ema.{n}": v for n, v in SMALL.weights.items()}
    save_file(both, tmp_path / "both.safetensors")
    found = read_checkpoint(tmp_path / "both.safetensors")
    np.testing.assert_array_equal(found.weights["mapping.w_avg"], SMALL.weights["mapping.w_avg"])


def test_a_header_of_any_length_is_one_of_safetensors(tmp_path: Path) -> None:
    """A length whose first byte is that of a pickle, 0x80, is no pickle."""
    path = tmp_path / "named.safetensors"
    for extra in range(256):
        save_file(dict(SMALL.weights), path, metadata={"note": "x" * extra})
        if path.read_bytes()[0] == 0x80:
            break
    assert path.read_bytes()[0] == 0x80
    assert read_checkpoint(path).format.endswith("(safetensors)")


def _beside(arrays: dict[str, Any], average: Any) -> dict[str, Any]:
    return {"state_dict": arrays, "latent_avg": average}


AVERAGES: dict[str, tuple[Callable[[dict[str, Any], Any], Any], int]] = {
    "estimated": (lambda arrays, _: arrays, 1),
    "beside": (_beside, 0),
    "beside, for each layer": (lambda arrays, w: _beside(arrays, w[None].repeat(4, 0)), 0),
    "for each layer": (lambda arrays, w: {**arrays, "mapping.w_avg": w[None].repeat(4, 0)}, 0),
}


@pytest.mark.parametrize(("made", "notes"), AVERAGES.values(), ids=AVERAGES)
def test_the_average_w_may_lie_elsewhere_or_nowhere(tmp_path: Path, made: Any, notes: int) -> None:
    arrays = {
        # Some ways of saving arrays turn a single number into a list of one.
        name: values.reshape(1) if name.endswith("magnitude_ema") else values
        for name, values in SMALL.weights.items()
        if name != "mapping.w_avg"
    }
    (tmp_path / "made.pkl").write_bytes(pickle.dumps(made(arrays, SMALL.weights["mapping.w_avg"])))
    (tmp_path / "whole.pkl").write_bytes(pickle.dumps(dict(SMALL.weights)))
    found, whole = read_checkpoint(tmp_path / "made.pkl"), read_checkpoint(tmp_path / "whole.pkl")
    assert len(found.notes) == len(whole.notes) + notes
    for name, values in whole.weights.items():
        if name != "mapping.w_avg":
            np.testing.assert_array_equal(found.weights[name], values)
        elif not notes:
            np.testing.assert_allclose(found.weights[name], values, rtol=1e-6)


def test_a_pickle_without_an_average_w_has_it_estimated(tmp_path: Path) -> None:
    state = stylegan3_state(SMALL)
    del state["_modules"]["mapping"]["_buffers"]["w_avg"]
    (tmp_path / "made.pkl").write_bytes(nvidia_pickle(state))
    found = read_checkpoint(tmp_path / "made.pkl")
    assert "estimated" in found.notes[0]
    assert found.weights["mapping.w_avg"].any()
