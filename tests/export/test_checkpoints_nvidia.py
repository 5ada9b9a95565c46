"""Which generators in NVIDIA's pickles are read, and why others are refused."""

from __future__ import annotations

import dataclasses
import os
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.checkpoint_files import SMALL, generator_state, nvidia_pickle, random_weights, record
from support.checkpoint_formats import PERSISTENCE, Persistent, importable, torch_record
from support.pickle_files import Call, dumps

from dragonnx_export.checkpoints import Checkpoint, CheckpointError, read_checkpoint
from dragonnx_export.families.stylegan2.architecture import Architecture

State = dict[str, Any]
Change = Callable[[State], object]


@pytest.fixture
def read(tmp_path: Path) -> Callable[[bytes], Checkpoint]:
    def read_bytes(data: bytes) -> Checkpoint:
        path = tmp_path / "network.pkl"
        path.write_bytes(data)
        return read_checkpoint(path)

    return read_bytes


Read = Callable[[bytes], Checkpoint]

ARCHITECTURES = {
    "small": SMALL,
    "labels": dataclasses.replace(SMALL, label_dim=3),
    "no clamp": dataclasses.replace(SMALL, conv_clamp=None),
    "no noise": dataclasses.replace(SMALL, use_noise=False),
    "grey": dataclasses.replace(SMALL, image_channels=1),
    "fast mapping": dataclasses.replace(SMALL, mapping_lr_multiplier=1.0, mapping_layers=5),
    "box filter": dataclasses.replace(SMALL, resample_filter=(0.0, 1.0, 1.0, 0.0)),
    "wide filter": dataclasses.replace(SMALL, resample_filter=(1.0, 2.0, 2.0, 1.0)),
    "asymmetric filter": dataclasses.replace(SMALL, resample_filter=(1.0, 3.0, 5.0, 1.0)),
    "orig": dataclasses.replace(SMALL, variant="orig"),
    "resnet": dataclasses.replace(SMALL, variant="resnet"),
    "half as wide": dataclasses.replace(SMALL, base_width=2),
    "16 px": dataclasses.replace(SMALL, resolution=16, channels={4: 4, 8: 3, 16: 2}),
}


@pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=ARCHITECTURES.keys())
def test_architecture_and_weights_come_back(read: Read, architecture: Architecture) -> None:
    weights = random_weights(architecture)
    checkpoint = read(nvidia_pickle(generator_state(architecture, weights)))
    assert checkpoint.architecture == architecture
    assert checkpoint.weights.keys() == weights.keys()
    for name, values in weights.items():
        np.testing.assert_array_equal(checkpoint.weights[name], values)


def test_filter_without_whole_taps_keeps_its_proportions(read: Read) -> None:
    taps = (1.0, 2.7183, 2.7183, 1.0)
    architecture = dataclasses.replace(SMALL, resample_filter=taps)
    found = read(nvidia_pickle(generator_state(architecture, random_weights(SMALL))))
    ratio = np.array(found.architecture.resample_filter) / taps
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-6)


def flat_options(state: State) -> None:
    """The generator class of the stylegan3 repository takes synthesis arguments flat."""
    state["_init_kwargs"] |= {"channel_base": 64, "conv_clamp": 7, "use_noise": True}
    _each_layer(state, lambda layer: layer.pop("conv_clamp"))


def nested_options(state: State) -> None:
    state["_init_kwargs"]["synthesis_kwargs"] = {"conv_clamp": 7}
    _each_layer(state, lambda layer: layer.pop("conv_clamp"))


def nested_options_without_suffix(state: State) -> None:
    state["_init_kwargs"] = {"synthesis": {"conv_clamp": 7}, "mapping": {"num_layers": 2}}
    _each_layer(state, lambda layer: layer.pop("conv_clamp"))
    del _module(state, "mapping")["num_layers"]


@pytest.mark.parametrize("later", [True, False])
def test_the_stylegan3_repository_clamps_where_nothing_is_said(read: Read, later: bool) -> None:
    state = generator_state(SMALL, random_weights(SMALL))
    _each_layer(state, lambda layer: layer.pop("conv_clamp"))
    if later:
        for name in ("b4", "b8"):
            _module(state, f"synthesis.{name}")["fused_modconv_default"] = "inference_only"
    checkpoint = read(nvidia_pickle(state))
    assert checkpoint.architecture.conv_clamp == (256 if later else None)
    (note,) = checkpoint.notes
    assert ("so 256 was taken" if later else "so they are not clamped") in note


def test_half_precision_blocks_are_read_as_float32(read: Read) -> None:
    state = generator_state(SMALL, random_weights(SMALL))
    state["_init_kwargs"] |= {"num_fp16_res": 4}
    _module(state, "synthesis.b8").update(use_fp16=True, channels_last=True)
    checkpoint = read(nvidia_pickle(state))
    assert checkpoint.architecture == SMALL
    assert all(values.dtype == np.float32 for values in checkpoint.weights.values())


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_pickles_that_python_writes_in_every_protocol(read: Read, protocol: int) -> None:
    """Protocol 2 spells the bytes of a tensor as text in latin-1."""
    architecture = dataclasses.replace(SMALL, label_dim=3)
    weights = random_weights(architecture)
    with importable(PERSISTENCE):
        networks = torch_record(generator_state(architecture, weights))
        discriminator = Persistent("Discriminator", {"_modules": {}})
        snapshot = {"G": networks, "D": discriminator, "G_ema": networks, "augment_pipe": None}
        data = pickle.dumps(snapshot, protocol)
    checkpoint = read(data)
    assert checkpoint.architecture == architecture
    for name, values in weights.items():
        np.testing.assert_array_equal(checkpoint.weights[name], values)
    assert "DRAGONNX_TRAP" not in os.environ


@pytest.mark.parametrize("change", [flat_options, nested_options, nested_options_without_suffix])
def test_options_stand_in_for_missing_attributes(read: Read, change: Change) -> None:
    state = generator_state(SMALL, random_weights(SMALL))
    change(state)
    checkpoint = read(nvidia_pickle(state))
    assert checkpoint.architecture.conv_clamp == 7
    assert checkpoint.notes == ()


def test_positional_arguments_stand_in_for_missing_attributes(read: Read) -> None:
    state = generator_state(SMALL, random_weights(SMALL))
    for name in ("z_dim", "c_dim", "w_dim", "img_resolution", "img_channels", "num_ws"):
        del state[name]
    state["_init_args"] = (6, 0, 5, 8, 3)
    assert read(nvidia_pickle(state)).architecture == SMALL


def test_attributes_win_over_options(read: Read) -> None:
    state = generator_state(SMALL, random_weights(SMALL))
    state["_init_kwargs"] |= {"conv_clamp": 7, "z_dim": 99}
    assert read(nvidia_pickle(state)).architecture == SMALL


def test_numpy_numbers_are_numbers(read: Read) -> None:
    state = generator_state(SMALL, random_weights(SMALL))
    layer = _module(state, "mapping.fc0")
    dtype = Call("numpy", "dtype", ("f8", False, True))
    gain = np.float64(layer["weight_gain"]).tobytes()
    layer["weight_gain"] = Call("numpy.core.multiarray", "scalar", (dtype, gain))
    assert read(nvidia_pickle(state)).architecture == SMALL


def test_a_lone_generator_is_read(read: Read) -> None:
    state = generator_state(SMALL, random_weights(SMALL))
    assert read(dumps(record(state))).architecture == SMALL


def test_a_generator_that_is_not_averaged_is_read_and_said_so(read: Read) -> None:
    averaged, raw = random_weights(SMALL), random_weights(SMALL, seed=1)
    records = {"G": record(generator_state(SMALL, raw))}
    checkpoint = read(dumps(records))
    assert any("no network is named as an average" in note for note in checkpoint.notes)
    np.testing.assert_array_equal(checkpoint.weights["mapping.w_avg"], raw["mapping.w_avg"])
    checkpoint = read(dumps({**records, "G_ema": record(generator_state(SMALL, averaged))}))
    assert checkpoint.notes == ()
    np.testing.assert_array_equal(checkpoint.weights["mapping.w_avg"], averaged["mapping.w_avg"])


def _module(state: State, path: str) -> State:
    for step in path.split("."):
        state = state["_modules"][step]
    return state


def _each_layer(state: State, change: Change) -> None:
    for block in _module(state, "synthesis")["_modules"].values():
        for layer in block["_modules"].values():
            change(layer)


def _fill(path: str, value: float) -> Change:
    module, _, array = path.rpartition(".")
    return lambda state: _module(state, module)["_parameters"][array].fill(value)


def _set(path: str, **values: Any) -> Change:
    return lambda state: (_module(state, path) if path else state).update(values)


def _set_array(path: str, values: Any) -> Change:
    module, _, array = path.rpartition(".")
    return lambda state: _module(state, module)["_parameters"].update({array: values})


def _stylegan3(state: State) -> None:
    tables: State = {"_parameters": {}, "_buffers": {}, "_modules": {}}
    _module(state, "synthesis")["_modules"]["input"] = {"class_name": "SynthesisInput", **tables}


def _whole_filter(values: Any) -> Change:
    def change(state: State) -> None:
        for name in ("b4", "b8"):
            block = _module(state, f"synthesis.{name}")
            for module in (block, *block["_modules"].values()):
                if "resample_filter" in module["_buffers"]:
                    module["_buffers"]["resample_filter"] = np.float32(values)

    return change


REFUSED: dict[str, tuple[Change, str]] = {
    "variants differ": (_set("synthesis.b8", architecture="resnet"), "'resnet', where 'skip'"),
    "unknown variant": (_set("synthesis.b8", architecture="dense"), "'dense', where 'skip'"),
    "resnet without its way around": (
        lambda s: [_set(f"synthesis.{b}", architecture="resnet")(s) for b in ("b4", "b8")],
        "b8.skip.weight",
    ),
    "StyleGAN3": (_stylegan3, "StyleGAN3"),
    "unknown class": (_set("synthesis.b8.conv0", class_name="AttentionLayer"), "AttentionLayer"),
    "relu": (_set("synthesis.b8.conv0", activation="relu"), "another activation"),
    "clamps differ": (_set("synthesis.b8.conv0", conv_clamp=1), "different conv_clamp"),
    "clamp of text": (lambda s: _each_layer(s, lambda x: x.update(conv_clamp="a")), "conv_clamp"),
    "clamp below 0": (lambda s: _each_layer(s, lambda x: x.update(conv_clamp=-1)), "conv_clamp"),
    "noise differs": (_set("synthesis.b8.conv0", use_noise=False), "noise"),
    "gains contradict": (_set("mapping.fc0", bias_gain=0.5), "learning rate"),
    "gain is nan": (_set("mapping.fc0", bias_gain=float("nan")), "bias_gain"),
    "layers differ": (_set("mapping.fc0", bias_gain=1, weight_gain=6**-0.5), "different learning"),
    "affine gain": (_set("synthesis.b4.conv1.affine", bias_gain=2, weight_gain=2 / 5**0.5), "rate"),
    "num_ws": (_set("", num_ws=6), "takes 6 w's"),
    "z_dim of text": (_set("", z_dim="6"), "z_dim"),
    "z_dim": (_set("", z_dim=7), "6"),
    "resolution": (_set("", img_resolution=16), "b16"),
    "resolution 12": (_set("", img_resolution=12), "power of two"),
    "resolution 2**31": (_set("", img_resolution=(1 << 31) - 1), "no module"),
    "layers": (_set("mapping", num_layers=3), "fc2"),
    "too many layers": (_set("mapping", num_layers=1 << 30), "more than any"),
    "no layers": (_set("mapping", num_layers=0), "mapping"),
    "nan": (_fill("synthesis.b8.conv1.weight", float("nan")), "not finite"),
    "infinity": (_fill("synthesis.b8.conv1.bias", float("inf")), "not finite"),
    "double that overflows": (
        _set_array("synthesis.b8.conv1.bias", np.full(3, 1e300)),
        "not finite",
    ),
    "whole numbers": (_set_array("synthesis.b8.conv1.bias", np.arange(3)), "type int64"),
    "missing weight": (lambda s: _module(s, "synthesis.b8.conv1")["_parameters"].clear(), "conv1"),
    "unknown array": (_set_array("synthesis.b8.conv1.extra", np.zeros(2, np.float32)), "extra"),
    "no mapping": (lambda s: s["_modules"].pop("mapping"), "mapping"),
    "tensor of text": (_set_array("synthesis.b8.conv1.bias", "text"), "no tensor"),
    "module of text": (lambda s: s["_modules"].update(mapping="text"), "no module"),
    "flat const": (_set_array("synthesis.b4.const", np.zeros((4, 4), np.float32)), "constant"),
    "half-size const": (
        _set_array("synthesis.b4.const", np.zeros((4, 4, 2), np.float32)),
        "(4, 4) where its architecture needs (4, 2)",
    ),
    "tilted filter": (_whole_filter(np.eye(4) / 4), "outer product"),
    "zero filter": (_whole_filter(np.zeros((4, 4))), "outer product"),
    "infinite filter": (_whole_filter(np.full((4, 4), np.inf)), "outer product"),
    "nan filter": (_whole_filter(np.full((4, 4), np.nan)), "filter"),
    "long filter": (_whole_filter(np.full((6, 6), 1 / 36)), "4x4"),
    "flat filter": (_whole_filter(np.full(8, 1 / 8)), "4x4"),
}


@pytest.mark.parametrize(("change", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_other_generators_are_refused(read: Read, change: Change, reason: str) -> None:
    state = generator_state(SMALL, random_weights(SMALL))
    change(state)
    with pytest.raises(CheckpointError, match=r"network\.pkl") as caught:
        read(nvidia_pickle(state))
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "; " in str(caught.value), "a refusal says what to do"


def test_contents_without_a_generator_are_refused(read: Read) -> None:
    generator = record(generator_state(SMALL, random_weights(SMALL)))
    discriminator = Call(
        *generator[:2], ({**generator.arguments[0], "class_name": "Discriminator"},)
    )
    cases: list[tuple[Any, str]] = [
        ({"args": {}}, "no StyleGAN2 generator such as 'G_ema' or 'g_ema' but 'args'"),
        ({}, "but nothing"),
        ({"G_ema": None}, "something else"),
        ({"D": discriminator}, "no StyleGAN2 generator such as 'G_ema' or 'g_ema' but 'D'"),
        (discriminator, "discriminator only"),
        ([1, 2, 3], "something else"),
        (Call("dnnlib.tflib.network", "Network", ()), "damaged"),
        (Call("torch_utils.persistence", "_reconstruct_persistent_obj", (3,)), "damaged"),
        (Call("torch_utils.persistence", "persistent_class", ()), "persistent_class"),
    ]
    for content, reason in cases:
        with pytest.raises(CheckpointError) as caught:
            read(dumps(content))
        assert reason in str(caught.value)


def test_modules_that_are_shared_many_times_are_refused(read: Read) -> None:
    """A hundred children, each the same module with a hundred children, and so on."""
    module: Any = {"class_name": "X", "_parameters": {}, "_buffers": {}, "_modules": {}}
    for _ in range(8):
        module = {**module, "_modules": dict.fromkeys(map(str, range(3)), module)}
    data = dumps({"G_ema": record({**module, "class_name": "Generator"})})
    started = time.process_time()
    with pytest.raises(CheckpointError, match="larger than"):
        read(data)
    assert time.process_time() - started < 5
