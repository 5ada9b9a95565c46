"""Which generator of a file is taken: the averaged one, the one asked for, or none without asking."""

from __future__ import annotations

import collections
import dataclasses
import enum
import functools
import pickle
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support.checkpoint_files import FIXTURES, SMALL, generator_state, random_weights
from support.checkpoint_formats import (
    EASY_DICT,
    NETWORK,
    PERSISTENCE,
    importable,
    nvidia_state_dict,
    python_module,
    rosinality_state,
    tensorflow_network,
    torch_record,
)

from dragonnx_export.checkpoints import (
    Checkpoint,
    CheckpointError,
    Choices,
    contents_walk,
    read_checkpoint,
)
from dragonnx_export.checkpoints.averages import is_average

FIELD = FIXTURES / "field"
PLAIN = dataclasses.replace(SMALL, conv_clamp=None)
IN_TRAINING, AVERAGED = 1, 2
"""The seeds of two generators, by which a test sees which was taken."""

NONE = Choices()


def state(seed: int = AVERAGED, prefix: str = "", dtype: Any = np.float32) -> dict[str, Any]:
    arrays = rosinality_state(PLAIN, random_weights(PLAIN, seed))
    return {prefix + name: torch.tensor(v.astype(dtype)) for name, v in arrays.items()}


def read(tmp_path: Path, content: Any, choices: Choices = NONE) -> Checkpoint:
    path = tmp_path / "snapshot.pt"
    torch.save(content, path)
    return read_checkpoint(path, choices)


def seed_of(checkpoint: Checkpoint) -> int:
    """Of the weights that were taken."""
    const = checkpoint.weights["synthesis.b4.const"]
    for seed in (IN_TRAINING, AVERAGED):
        if np.array_equal(const, random_weights(PLAIN, seed)["synthesis.b4.const"]):
            return seed
    raise AssertionError("the weights are of neither network")


LISTED: dict[str, tuple[Any, str]] = {
    name: ({live: state(IN_TRAINING), name: state()}, name)
    for name, live in (
        ("g_running", "g"), ("generator_smooth", "generator"), ("ema_generator", "generator"),
        ("params_ema", "params"), ("gen_ema", "gen"), ("netG_ema", "netG"), ("G_ema", "G"),
        ("g_ema", "g"), ("ema", "model"), ("model_ema", "model"), ("generatorEMA", "generator"),
        ("Gs", "G"), ("G_avg", "G"), ("state_dict_ema", "state_dict"), ("shadow", "g"),
        ("swa_model", "model"), ("ema_model", "online_model"),
    )
}  # fmt: skip
LISTED |= {
    "ema-pytorch": (
        {"ema": {**state(IN_TRAINING, "online_model."), **state(AVERAGED, "ema_model.")}},
        "ema.ema_model",
    ),
    "Lightning, a prefix": (
        {
            "pytorch-lightning_version": "1.9",
            "state_dict": {**state(IN_TRAINING, "generator."), **state(AVERAGED, "generator_ema.")},
            "optimizer_states": [{"state": {0: {"exp_avg": torch.ones(3)}}, "param_groups": [{}]}],
        },
        "state_dict.generator_ema",
    ),
    "Lightning, its averaging": (
        {"state_dict": state(), "current_model_state": state(IN_TRAINING), "averaging_state": {}},
        "state_dict",
    ),
    "DataParallel": (
        {"g": state(IN_TRAINING, "module."), "g_ema": state(AVERAGED, "module.")},
        "g_ema",
    ),
    "torch.compile": (
        {"G": state(IN_TRAINING, "_orig_mod."), "G_ema": state(AVERAGED, "_orig_mod.")},
        "G_ema",
    ),
    "AveragedModel": (
        {
            "model": state(IN_TRAINING),
            "other": {"n_averaged": torch.tensor(7), **state(AVERAGED, "module.")},
        },
        "other",
    ),
    "deep": (
        {"a": [{"b": ({"c": {"generator": state(IN_TRAINING), "generator_ema": state()}},)}]},
        "a.0.b.0.c.generator_ema",
    ),
    "list": ([{"g": state(IN_TRAINING)}, {"g_ema": state()}], "1.g_ema"),
    "an average above a neutral name": (
        {"model": {"generator": state(IN_TRAINING)}, "ema": {"generator": state()}},
        "ema.generator",
    ),
    "a discriminator beside": (
        {
            "g": state(IN_TRAINING),
            "d": {"convs.0.0.weight": torch.ones(2, 3, 1, 1)},
            "d_ema": {"convs.0.0.weight": torch.ones(2, 3, 1, 1)},
            "g_ema": state(),
            "args": Namespace(size=8),
        },
        "g_ema",
    ),
    "both in one dict": ({**state(IN_TRAINING), **state(AVERAGED, "ema.")}, "ema"),
}


@pytest.mark.parametrize(("content", "name"), LISTED.values(), ids=LISTED.keys())
def test_the_averaged_generator_is_taken_and_said_so(
    tmp_path: Path, content: Any, name: str
) -> None:
    checkpoint = read(tmp_path, content)
    assert seed_of(checkpoint) == AVERAGED
    assert checkpoint.network.startswith(f"{name!r} of ")
    assert "average" in checkpoint.network or "in training" in checkpoint.network
    assert not any("average, so" in note for note in checkpoint.notes)


def test_the_order_in_the_file_says_nothing(tmp_path: Path) -> None:
    assert seed_of(read(tmp_path, {"g_running": state(), "g": state(IN_TRAINING)})) == AVERAGED


@pytest.mark.parametrize("name", ["g_running.pt", "ema_pytorch2.pt", "list.pt", "ros_bf16.pt"])
def test_the_given_files_give_the_averaged_network(name: str) -> None:
    """What torch itself reads from the file is the reference."""
    content = torch.load(FIELD / name, weights_only=True)
    expected = {
        "g_running.pt": lambda: content["g_running"]["input.input"],
        "ema_pytorch2.pt": lambda: content["ema"]["ema_model.input.input"],
        "list.pt": lambda: content[0]["g_ema"]["input.input"],
        "ros_bf16.pt": lambda: content["g_ema"]["input.input"],
    }[name]()
    const = read_checkpoint(FIELD / name).weights["synthesis.b4.const"]
    np.testing.assert_array_equal(const, expected[0].float().numpy())


ASKED: dict[str, tuple[Any, tuple[str, ...]]] = {
    "two without an average": (
        {"first": state(), "second": state(IN_TRAINING)},
        ("'first' and 'second'", "none of them marked as the average"),
    ),
    "two averages": (
        {"g_ema": state(), "ema": state(IN_TRAINING), "g": state()},
        ("'g_ema' and 'ema'", "2 generators that are marked as averages"),
    ),
    "a tuple": ((state(), state(IN_TRAINING)), ("'0' and '1'",)),
    "frozen and trainable": (
        {**state(AVERAGED, "generator_frozen."), **state(IN_TRAINING, "generator_trainable.")},
        ("'generator_frozen' and 'generator_trainable'",),
    ),
}


@pytest.mark.parametrize(("content", "texts"), ASKED.values(), ids=ASKED.keys())
def test_where_two_could_be_meant_it_asks(
    tmp_path: Path, content: Any, texts: tuple[str, ...]
) -> None:
    with pytest.raises(CheckpointError) as caught:
        read(tmp_path, content)
    message = str(caught.value)
    assert all(text in message for text in (*texts, "choose with --network NAME"))
    assert "\n" not in message


def test_a_name_chooses(tmp_path: Path) -> None:
    content = {"a": {"g": state(IN_TRAINING, "module."), "g_ema": state(AVERAGED, "module.")}}
    for name, seed in (
        ("g", IN_TRAINING), ("a.g", IN_TRAINING), ("g_ema", AVERAGED), ("a.g_ema", AVERAGED),
        ("a.g.module", IN_TRAINING),
    ):  # fmt: skip
        checkpoint = read(tmp_path, content, Choices(network=name))
        assert seed_of(checkpoint) == seed
        assert "it was asked for" in checkpoint.network
        assert f"--network {name} was given" in checkpoint.notes
    for name, text in (("x", "no generator of the name 'x'"), ("a", "several generators")):
        with pytest.raises(CheckpointError, match=text) as caught:
            read(tmp_path, content, Choices(network=name))
        assert "'a.g' and 'a.g_ema'" in str(caught.value)


def test_one_in_training_is_said_to_be_so_and_one_without_a_name_is_not(
    tmp_path: Path,
) -> None:
    assert any("named as an average" in note for note in read(tmp_path, {"g": state()}).notes)
    for content in (state(), {"state_dict": state()}, {"model": state()}, {"g_ema": state()}):
        checkpoint = read(tmp_path, content)
        assert checkpoint.network == ""
        assert not any("average, so" in note for note in checkpoint.notes)


def parameters(seed: int) -> dict[str, Any]:
    """What a trainer averages: everything but noise images and blur kernels."""
    return {
        name: values
        for name, values in state(seed).items()
        if not name.startswith("noises.") and not name.endswith("kernel")
    }


SHADOWS: dict[str, Any] = {
    "by name": {"g": state(IN_TRAINING), "ema": {"shadow": parameters(AVERAGED)}},
    "in a list": {
        "g": state(IN_TRAINING),
        "ema": {"decay": 0.999, "shadow_params": list(parameters(AVERAGED).values())},
    },
    "without full stops": {
        "state_dict": {
            **state(IN_TRAINING, "model."),
            "model_ema.decay": torch.tensor(0.9),
            **{
                f"model_ema.{name.replace('.', '')}": values
                for name, values in parameters(AVERAGED).items()
            },
        }
    },
    "without full stops, deeper": {
        "state_dict": {
            **state(IN_TRAINING, "model.generator."),
            **{
                f"model_ema.generator{name.replace('.', '')}": values
                for name, values in parameters(AVERAGED).items()
            },
        }
    },
}


@pytest.mark.parametrize("content", SHADOWS.values(), ids=SHADOWS.keys())
def test_averaged_parameters_take_the_rest_from_their_network(tmp_path: Path, content: Any) -> None:
    checkpoint = read(tmp_path, content)
    assert seed_of(checkpoint) == AVERAGED
    noise = checkpoint.weights["synthesis.b8.conv1.noise_const"]
    live = random_weights(PLAIN, IN_TRAINING)
    np.testing.assert_array_equal(noise, live["synthesis.b8.conv1.noise_const"])
    assert any("parameters only" in note for note in checkpoint.notes)


def test_lists_of_other_shapes_are_no_averages(tmp_path: Path) -> None:
    content = {"g": state(IN_TRAINING), "ema": {"shadow_params": [torch.ones(2), torch.ones(3)]}}
    assert seed_of(read(tmp_path, content)) == IN_TRAINING


def test_nvidias_networks_at_any_place(tmp_path: Path) -> None:
    with importable(PERSISTENCE):
        live, averaged = (
            torch_record(generator_state(SMALL, random_weights(SMALL, seed)))
            for seed in (IN_TRAINING, AVERAGED)
        )
        content = {"snapshot": [{"G": live, "G_ema": averaged, "D": None}], "progress": 0.5}
        torch.save(content, tmp_path / "deep.pt")
        (tmp_path / "three.pkl").write_bytes(pickle.dumps((live, None, averaged)))
    checkpoint = read_checkpoint(tmp_path / "deep.pt")
    assert seed_of(checkpoint) == AVERAGED
    assert checkpoint.network.startswith("'snapshot.0.G_ema' of 'snapshot.0.G' and")
    assert seed_of(read_checkpoint(tmp_path / "deep.pt", Choices(network="G"))) == IN_TRAINING
    with pytest.raises(CheckpointError, match="'0' and '2'"):
        read_checkpoint(tmp_path / "three.pkl")
    assert seed_of(read_checkpoint(tmp_path / "three.pkl", Choices(network="2"))) == AVERAGED


def test_tensorflows_three_networks(tmp_path: Path) -> None:
    path = tmp_path / "network.pkl"
    with importable(NETWORK, EASY_DICT):
        live, averaged = (
            tensorflow_network(PLAIN, random_weights(PLAIN, seed))
            for seed in (IN_TRAINING, AVERAGED)
        )
        discriminator = python_module(NETWORK, {"version": 4, "name": "D"})
        path.write_bytes(pickle.dumps((live, discriminator, averaged)))
    checkpoint = read_checkpoint(path)
    assert seed_of(checkpoint) == AVERAGED
    assert checkpoint.network.startswith("'Gs' of 'G' and 'Gs'")
    assert seed_of(read_checkpoint(path, Choices(network="G"))) == IN_TRAINING


def test_facts_that_a_file_states_are_not_given_again(tmp_path: Path) -> None:
    for choices in (Choices(mapping_lr=0.1), Choices(conv_clamp=256.0)):
        with pytest.raises(CheckpointError, match="leave that out"):
            read_checkpoint(FIXTURES / "stylegan2-ada-32px.pkl", choices)
    with pytest.raises(CheckpointError, match="leave --conv-clamp out"):
        read(tmp_path, state(), Choices(conv_clamp=256.0))


def test_facts_of_a_bare_state_dict_are_given(tmp_path: Path) -> None:
    plain = read_checkpoint(FIELD / "ada_sd_lr.pt")
    assert plain.architecture.mapping_lr_multiplier == 0.01
    assert any("look like those of about 0.1" in note for note in plain.notes)
    given_facts = Choices(mapping_lr=0.1, conv_clamp=256.0)
    checkpoint = read_checkpoint(FIELD / "ada_sd_lr.pt", given_facts)
    assert checkpoint.architecture == dataclasses.replace(
        plain.architecture, mapping_lr_multiplier=0.1, conv_clamp=256.0
    )
    assert checkpoint.notes == ("--mapping-lr 0.1 was given", "--conv-clamp 256 was given")
    # The estimated average is of the mapping network as it was said to be.
    arrays = {
        n: torch.tensor(v) for n, v in nvidia_state_dict(PLAIN, random_weights(PLAIN)).items()
    }
    del arrays["mapping.w_avg"]
    averages = [
        read(tmp_path, arrays, Choices(mapping_lr=lr)).weights["mapping.w_avg"]
        for lr in (0.01, 1.0)
    ]
    assert not np.allclose(*averages)


def test_bfloat16_is_read_as_it_is(tmp_path: Path) -> None:
    entries = state()
    halves = {name: values.to(torch.bfloat16) for name, values in entries.items()}
    for legacy in (True, False):
        path = tmp_path / "halves.pt"
        torch.save({"g_ema": halves}, path, _use_new_zipfile_serialization=not legacy)
        weights = read_checkpoint(path).weights
        np.testing.assert_array_equal(
            weights["synthesis.b8.conv1.noise_const"],
            halves["noises.noise_2"][0, 0].float().numpy(),
        )


def test_arrays_of_other_types_do_no_harm_beside_the_weights(tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.torch")
    others = {
        "encoder.num_batches_tracked": torch.tensor(7),
        "encoder.mask": torch.ones(2, dtype=torch.bool),
        "encoder.half": torch.ones(2, dtype=torch.bfloat16),
        "encoder.quarter": torch.ones(2).to(torch.float8_e4m3fn),
        "num_batches_tracked": torch.tensor(7),
    }
    path = tmp_path / "model.safetensors"
    safetensors.save_file({**state(AVERAGED, "decoder."), **others}, path)
    assert seed_of(read_checkpoint(path)) == AVERAGED
    del others["encoder.quarter"]
    content = {**others, "spectrum": torch.ones(2, dtype=torch.complex64), "g_ema": state()}
    assert seed_of(read(tmp_path, content)) == AVERAGED
    quarters = {n: v.to(torch.float8_e4m3fn) for n, v in state().items()}
    safetensors.save_file(quarters, path)
    with pytest.raises(CheckpointError, match="F8_E4M3"):
        read_checkpoint(path)


@given(st.lists(st.text(max_size=12), max_size=4))
def test_any_names_are_looked_at(place: list[str]) -> None:
    assert is_average(place) in (True, False, None)


def test_names_are_taken_apart_into_words() -> None:
    for name in ("g_ema", "EMA", "emaModel", "generatorEMA", "Gs", "net-ema", "G_EMA_0"):
        assert is_average((name,))
    for name in ("schema", "cinema", "emaciated", "g", "generator", "gsm", "semantic"):
        assert is_average((name,)) is None
    assert is_average(("ema", "online_model")) is False
    assert is_average(("non_ema",)) is False


def test_nesting_without_end_is_no_bomb(tmp_path: Path) -> None:
    content: Any = {"g_ema": state()}
    for _ in range(200):
        content = [content]
    with pytest.raises(CheckpointError, match="something else"):
        read(tmp_path, content)


def test_containers_of_every_kind_are_looked_into(tmp_path: Path) -> None:
    ordered = collections.OrderedDict(models=({"g_ema": state()},))
    assert seed_of(read(tmp_path, ordered)) == AVERAGED
    with importable("training.Trainer"):
        trainer = python_module("training.Trainer", {"step": 3, "nets": {"g_ema": state()}})
        assert seed_of(read(tmp_path, trainer)) == AVERAGED


SAME = state()
ONE_NETWORK: dict[str, Any] = {
    "one dict": {"g": SAME, "g_ema": SAME},
    "two dicts of the same tensors": {"g": dict(SAME), "g_ema": dict(SAME)},
    "two dicts of the same storages": {"g": SAME, "g_ema": {n: v[:] if v.ndim else v for n, v in SAME.items()}},
    "two neutral names": {"model": SAME, "kept": [{"model": SAME}]},
}  # fmt: skip


@pytest.mark.parametrize("content", ONE_NETWORK.values(), ids=ONE_NETWORK.keys())
def test_one_network_under_two_names_is_one(tmp_path: Path, content: Any) -> None:
    checkpoint = read(tmp_path, content)
    assert checkpoint.network.endswith("they are one and the same network")
    assert not any("average, so" in note for note in checkpoint.notes)
    for name in ("g", "g_ema") if "g" in content else ("model", "kept.0.model"):
        assert read(tmp_path, content, Choices(network=name)).network.startswith(repr(name))


def test_what_is_averaged_is_told_by_what_lies_beside_it(tmp_path: Path) -> None:
    for content in (
        {"state_dict": state(AVERAGED, "generator."), "averaging_state": {"n_averaged": 3}},
        {"state_dict": {**state(AVERAGED, "g.module.generator."), "g.n_averaged": torch.tensor(3)}},
        {
            "state_dict": state(AVERAGED, "generator."),
            "current_model_state": state(IN_TRAINING, "generator."),
        },
    ):
        checkpoint = read(tmp_path, content)
        assert seed_of(checkpoint) == AVERAGED
        assert not any("average, so" in note for note in checkpoint.notes)


def test_a_list_in_very_many_places_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    doubled: Any = [1]
    for _ in range(40):
        doubled = [doubled, doubled]
    monkeypatch.setattr(contents_walk, "_MAX_LOOKED_AT", 20_000)
    with pytest.raises(CheckpointError, match="more arrays than any"):
        read(tmp_path, {"x": doubled, "g": state()})


class Trainer:
    """Knows itself, as do the parts of many trainers."""

    def __init__(self) -> None:
        self.parts = [{"trainer": self, "g": state(IN_TRAINING)}, {"g_ema": state()}]


def test_objects_that_know_each_other_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert seed_of(read(tmp_path, Trainer())) == AVERAGED
    monkeypatch.setattr(contents_walk, "_MAX_LOOKED_AT", 20_000)
    many: list[Any] = [Trainer() for _ in range(20)]
    for trainer in many:
        vars(trainer).update({f"other{n}": other for n, other in enumerate(many)}, parts=None)
    with pytest.raises(CheckpointError, match="more arrays than any"):
        read(tmp_path, many[0])


class Colour(enum.Enum):
    RED = 1


class Parameter(torch.Tensor):
    """Of a class of its own."""


BESIDE: dict[str, Any] = {
    "uint16": torch.zeros(2, dtype=torch.uint16),
    "float8": torch.zeros(2).to(torch.float8_e5m2),
    "complex": torch.zeros(2, dtype=torch.complex64),
    "meta": torch.zeros(2, device="meta"),
    "sparse": torch.eye(2).to_sparse(),
    "class of its own": torch.zeros(2).as_subclass(Parameter),
    "partial": functools.partial(int),
    "enum": Colour.RED,
    "numpy generator": np.random.default_rng(0),
    "records": np.rec.array([(1, 2.0)]),
    "settings by any key": {0.5: 1, (1, 2): 2, None: 3, Colour.RED: 4},
}


@pytest.mark.filterwarnings("ignore:Sparse invariant checks")
@pytest.mark.parametrize("case", BESIDE)
def test_what_lies_beside_the_generator_refuses_nothing(tmp_path: Path, case: str) -> None:
    assert seed_of(read(tmp_path, {"odd": BESIDE[case], "g_ema": state()})) == AVERAGED
    if isinstance(BESIDE[case], torch.Tensor) and case != "class of its own":
        assert seed_of(read(tmp_path, {"g_ema": {**state(), "a.odd": BESIDE[case]}})) == AVERAGED


def test_counts_and_rates_among_the_weights_are_none(tmp_path: Path) -> None:
    counts = {"epoch": torch.tensor(3.0), "decay": torch.tensor([0.999]), "step": torch.tensor(3)}
    assert seed_of(read(tmp_path, {**state(), **counts, "rate": 0.1})) == AVERAGED
    with pytest.raises(CheckpointError, match="another one"):
        read(tmp_path, {**state(), "convs.0.gain": torch.tensor(3.0)})


def test_weights_of_a_type_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    packed = {name: values.to(torch.float8_e4m3fn) for name, values in state().items()}
    with pytest.raises(CheckpointError, match="holds values of type float8_e4m3fn, where float32"):
        read(tmp_path, {"g_ema": packed})
