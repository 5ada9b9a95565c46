"""Networks of other kinds: recognised by the names of their arrays, refused with advice."""

from __future__ import annotations

import io
import pickle
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch
from support.checkpoint_files import SMALL, generator_state, nvidia_pickle, random_weights
from support.checkpoint_formats import importable, python_module
from support.pickle_files import Call, Raw, dumps, opcodes, tensor

from dragonnx_export.checkpoints import CheckpointError, read_checkpoint
from dragonnx_export.checkpoints.foreign_networks import refuse_foreign

NETWORKS: dict[str, tuple[tuple[str, ...], str]] = {
    "StyleGAN3 without its input": (
        ("G_ema.synthesis.L13_256_64.bias", "G_ema.synthesis.L0_36_512.weight"),
        "a part of a StyleGAN3 generator",
    ),
    "StyleGAN-T": (
        ("synthesis.input.freqs", "synthesis.b8.conv0.weight", "mapping.fc0.weight"),
        "a StyleGAN-T model",
    ),
    "StyleGAN-XL": (
        ("synthesis.input.freqs", "mapping.embed_proj.weight", "synthesis.L0_36_512.weight"),
        "a StyleGAN-XL model",
    ),
    "MobileStyleGAN": (
        ("mapping_net.layers.0.fc.weight", "student.layers.0.conv1.weight", "style_mean"),
        "a MobileStyleGAN model",
    ),
    "lucidrains": (
        ("G.blocks.0.to_style1.weight", "S.net.0.weight", "GE.initial_block"),
        "a model of lucidrains'",
    ),
    "StyleGAN1 of PyTorch": (
        ("g_mapping.dense0.weight", "g_synthesis.blocks.4x4.const", "x.style_mod.lin.weight"),
        "a StyleGAN1 generator",
    ),
    "StyleGAN1 of rosinality": (
        ("generator.progression.0.conv1.conv.weight_orig", "style.1.linear.weight_orig"),
        "a StyleGAN1 generator",
    ),
    "Stable Diffusion": (
        ("model.diffusion_model.input_blocks.0.0.weight", "first_stage_model.encoder.conv_in.bias"),
        "a diffusion model",
    ),
    "diffusers": (("down_blocks.0.resnets.0.conv1.weight", "mid_block.x"), "a diffusion model"),
    "LoRA": (("lora_unet_down_blocks_0.lora_up.weight",), "a diffusion model"),
    "GFPGAN": (("stylegan_decoder.style_convs.0.modulated_conv.weight",), "a network of GFPGAN"),
    "MMGeneration": (("generator_ema.constant_input.const",), "MMagic"),
    "GFPGAN beside its generator": (
        ("stylegan_decoder.style_conv1.modulated_conv.modulation.weight", "condition_scale.0.bias"),
        "a network of GFPGAN",
    ),
    "GPEN": (("generator.conv1.conv.modulation.weight", "ecd0.0.0.weight"), "a network of GPEN"),
    "VToonify": (
        ("generator.conv1.conv.modulation.weight", "fusion_out.0.conv.weight"),
        "GLEAN or VToonify",
    ),
    "DualStyleGAN": (
        ("generator.conv1.conv.modulation.weight", "res.0.conv.weight"),
        "DualStyleGAN",
    ),
    "FastGAN": (("init.init.1.weight_orig", "feat_8.1.weight_orig"), "a FastGAN generator"),
    "FastGAN of ProjectedGAN": (("synthesis.feat_16.1.weight_orig",), "a FastGAN generator"),
    "a part of GenForce's": (("synthesis.layer3.weight",), "names of GenForce"),
    "stylegan2-ada-lightning": (
        ("G.synthesis.first_block.conv1.affine.weight", "G.mapping.layers.0.weight"),
        "a generator of stylegan2-ada-lightning",
    ),
    "alias-free-gan-pytorch": (
        ("input.freq", "affine_fourier.weight", "convs.0.activation.bias"),
        "a generator of alias-free-gan-pytorch",
    ),
    "StarGAN v2": (("module.decode.0.norm1.fc.weight", "shared.0.weight"), "a StarGAN v2 network"),
    "PGGAN": (("scaleLayers.0.0.module.weight", "formatLayer.weight"), "a progressive GAN"),
    "SWAGAN": (("to_rgbs.0.iwt.ll", "input.input"), "a SWAGAN generator"),
    "discriminator of NVIDIA's": (("b4.out.weight", "b8.fromrgb.weight"), "a discriminator only"),
    "discriminator of rosinality's": (
        ("convs.0.0.weight", "final_linear.0.weight"),
        "a discriminator only",
    ),
    "encoder": (("encoder.input_layer.0.weight", "encoder.body.0.weight"), "an encoder only"),
}


def save_zip(arrays: dict[str, Any]) -> bytes:
    stream = io.BytesIO()
    torch.save({"state_dict": {n: torch.tensor(v) for n, v in arrays.items()}}, stream)
    return stream.getvalue()


def save_pickle(arrays: dict[str, Any]) -> bytes:
    return pickle.dumps(arrays)


CONTAINERS: dict[str, Callable[[dict[str, Any]], bytes]] = {
    "torch.save": save_zip,
    "pickle": save_pickle,
    "safetensors": safetensors.numpy.save,
}


@pytest.mark.parametrize("save", CONTAINERS.values(), ids=CONTAINERS.keys())
@pytest.mark.parametrize(("names", "kind"), NETWORKS.values(), ids=NETWORKS.keys())
def test_other_networks_are_recognised(
    tmp_path: Path, names: tuple[str, ...], kind: str, save: Callable[[dict[str, Any]], bytes]
) -> None:
    path = tmp_path / "stylegan2-ffhq.pkl"
    path.write_bytes(save({name: np.zeros((2, 2), np.float32) for name in names}))
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(path)
    message = str(caught.value)
    assert kind in message
    assert message.startswith("'stylegan2-ffhq.pkl' cannot be read: it holds ")
    assert "; " in message, "a refusal says what to do"
    assert "\n" not in message


def test_a_generator_is_taken_for_nothing_else() -> None:
    refuse_foreign(random_weights(SMALL).keys())


def with_modules(state: Any, *paths: str) -> Any:
    """A generator's state with an array more at each path."""
    for path in paths:
        *steps, name = path.split(".")
        module = state
        for step in steps:
            empty = {"class_name": "X", "_parameters": {}, "_buffers": {}, "_modules": {}}
            module = module["_modules"].setdefault(step, empty)
        module["_parameters"][name] = np.zeros(2, np.float32)
    return state


@pytest.mark.parametrize(
    ("paths", "kind"),
    [
        (("synthesis.input.freqs",), "StyleGAN3"),
        (("synthesis.input.freqs", "mapping.embed_proj.weight"), "StyleGAN-XL"),
    ],
)
def test_other_networks_in_nvidias_pickles(
    tmp_path: Path, paths: tuple[str, ...], kind: str
) -> None:
    state = with_modules(generator_state(SMALL, random_weights(SMALL)), *paths)
    path = tmp_path / "network.pkl"
    path.write_bytes(nvidia_pickle(state))
    with pytest.raises(CheckpointError, match=kind):
        read_checkpoint(path)


def test_trainers_objects_do_not_hide_what_a_file_is(tmp_path: Path) -> None:
    """A Lightning checkpoint names classes of many packages; all of them stay inert."""
    names = ("pytorch_lightning.callbacks.ModelCheckpoint", "omegaconf.dictconfig.DictConfig")
    with importable(*names):
        callbacks = {
            name: python_module(name, {"best": 0.5, "_content": {"a": 1}}) for name in names
        }
        weights = {"student.conv1.conv.weight": torch.ones(2)}
        content = {"state_dict": weights, "callbacks": callbacks, "optimizer_states": [{}]}
        torch.save(content, tmp_path / "mobile.ckpt")
    with pytest.raises(CheckpointError, match="a MobileStyleGAN model"):
        read_checkpoint(tmp_path / "mobile.ckpt")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (torch.zeros(1, 18, 512), "perhaps a latent code"),
        (
            {"w": torch.zeros(1, 18, 512)},
            "no StyleGAN2 generator such as 'G_ema' or 'g_ema' but 'w'",
        ),
        ([torch.zeros(3)], "something else"),
        ({}, "but nothing"),
        ({"mapping.fc0.weight": torch.zeros(2, 2)}, "but 'mapping.fc0.weight'"),
    ],
)
def test_files_without_a_network_say_what_they_hold(
    tmp_path: Path, content: Any, reason: str
) -> None:
    torch.save(content, tmp_path / "0.pt")
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(tmp_path / "0.pt")
    assert reason in str(caught.value)


def module(children: dict[str, Any], parameters: dict[str, Any] | None = None) -> Call:
    """A whole module of some class, opcode by opcode."""
    state = {"_parameters": parameters or {}, "_buffers": {}, "_modules": children}
    return Call("torch_utils.persistence", "_reconstruct_persistent_obj", (
        {"type": "class", "class_name": "Generator", "state": state},
    ))  # fmt: skip


def shared(value: Any, key: int) -> tuple[Raw, Raw]:
    """A value put into a pickle's memo, and what recalls it."""
    return Raw(opcodes(value) + bytes([ord("q"), key])), Raw(bytes([ord("h"), key]))


def test_modules_in_many_places_are_no_bomb(tmp_path: Path) -> None:
    """4000 times 4000 modules in a file of some hundred kilobytes."""
    inner, recalled = shared(module({}), 1)
    children: dict[str, Any] = {"first": inner, **{f"m{i}": recalled for i in range(4000)}}
    middle, again = shared(module(children), 2)
    outer = {"first": middle, **{f"m{i}": again for i in range(4000)}}
    assert_refused_soon(tmp_path, dumps(module(outer)), "larger than")


def test_long_names_are_refused_before_they_are_joined(tmp_path: Path) -> None:
    long_name = Raw(opcodes("x" * 1_000_000))
    children = Raw(b"}(" + long_name + opcodes(module({})) + b"u")
    assert_refused_soon(tmp_path, dumps(module(children)), "damaged")  # type: ignore[arg-type]


def test_many_prefixes_are_no_bomb(tmp_path: Path) -> None:
    names = [f"p{i}.conv1.conv.modulation.weight" for i in range(20_000)]
    array, recalled = shared(tensor(np.zeros(2, np.float32)), 1)
    content = {"first": array, **dict.fromkeys(names, recalled)}
    assert_refused_soon(tmp_path, dumps(content), "larger than")


def assert_refused_soon(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "bomb.pkl"
    path.write_bytes(data)
    tracemalloc.start()
    started = time.process_time()
    try:
        with pytest.raises(CheckpointError) as caught:
            read_checkpoint(path)
        assert reason in str(caught.value)
        assert time.process_time() - started < 5
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()
