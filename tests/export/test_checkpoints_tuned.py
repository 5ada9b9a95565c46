"""What inversion and tuning leave behind: whole modules, state dicts, encoders' files."""

from __future__ import annotations

import collections
import dataclasses
import io
import os
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch
from support.checkpoint_files import SMALL, generator_state, notes_besides_lr, random_weights
from support.checkpoint_formats import (
    PERSISTENCE,
    importable,
    nvidia_state_dict,
    python_module,
    rosinality_scaled,
    rosinality_state,
    torch_record,
)
from support.pickle_files import (
    Call,
    PersistentId,
    Raw,
    dumps,
    legacy_storage,
    name,
    opcodes,
    tensor,
    zipped,
)

from dragonnx_export.checkpoints import Checkpoint, CheckpointError, read_checkpoint

PLAIN = dataclasses.replace(SMALL, conv_clamp=None)
AVERAGE = torch.arange(5.0)
NVIDIA_CLASSES = (
    "Generator", "MappingNetwork", "SynthesisNetwork", "SynthesisBlock", "SynthesisLayer",
    "ToRGBLayer", "FullyConnectedLayer", "Conv2dLayer",
)  # fmt: skip


@pytest.fixture
def weights() -> dict[str, Any]:
    return random_weights(PLAIN)


@pytest.fixture(params=["zip", "legacy"])
def saved(request: pytest.FixtureRequest) -> Callable[[Any], bytes]:
    def save(content: Any) -> bytes:
        stream = io.BytesIO()
        zip_form = request.param == "zip"
        torch.save(content, stream, _use_new_zipfile_serialization=zip_form)
        return stream.getvalue()

    return save


@pytest.fixture
def read(tmp_path: Path) -> Callable[[bytes], Checkpoint]:
    def read_bytes(data: bytes) -> Checkpoint:
        path = tmp_path / "model_TCHXKFEIRLQT_face.pt"
        path.write_bytes(data)
        return read_checkpoint(path)

    return read_bytes


Save = Callable[[Any], bytes]
Read = Callable[[bytes], Checkpoint]


def tensors(arrays: dict[str, Any], prefix: str = "") -> dict[str, torch.Tensor]:
    return {prefix + name: torch.tensor(values) for name, values in arrays.items()}


def assert_same(checkpoint: Checkpoint, expected: dict[str, Any]) -> None:
    assert checkpoint.weights.keys() == expected.keys()
    for full_name, values in expected.items():
        np.testing.assert_allclose(checkpoint.weights[full_name], values, rtol=1e-6)
    assert "DRAGONNX_TRAP" not in os.environ


@pytest.mark.parametrize("key", ["", "G_ema"])
def test_whole_modules_with_their_source_code(
    saved: Save, read: Read, weights: dict[str, Any], key: str
) -> None:
    with importable(PERSISTENCE):
        module = torch_record(generator_state(SMALL, weights))
        data = saved({key: module} if key else module)
    checkpoint = read(data)
    assert checkpoint.architecture == SMALL
    assert checkpoint.notes == ()
    assert_same(checkpoint, weights)


def test_whole_modules_of_a_class_in_some_package(
    saved: Save, read: Read, weights: dict[str, Any]
) -> None:
    with importable(*(f"training.networks.{name}" for name in NVIDIA_CLASSES)):
        data = saved(torch_record(generator_state(SMALL, weights), "training.networks"))
    checkpoint = read(data)
    assert checkpoint.architecture == SMALL
    assert_same(checkpoint, weights)


def rosinality_module(weights: dict[str, Any]) -> Any:
    """The tree of modules whose state dict has rosinality's names, of plain torch classes."""
    tree: dict[str, Any] = {}
    for full_name, values in tensors(rosinality_state(PLAIN, weights)).items():
        *path, last = full_name.split(".")
        inner = tree
        for step in path:
            inner = inner.setdefault(step, {})
        inner[last] = values

    def module(node: dict[str, Any], class_name: str = "model.StyledConv") -> Any:
        parameters = {n: v for n, v in node.items() if not isinstance(v, dict)}
        children = {n: module(v) for n, v in node.items() if isinstance(v, dict)}
        hooks: Any = collections.OrderedDict()
        state = {"training": False, "_parameters": parameters, "_buffers": {}, "_hooks": hooks}
        return python_module(class_name, {**state, "_modules": children})

    return module(tree, "model.Generator")


@pytest.mark.parametrize("key", ["", "g_ema"])
def test_whole_modules_in_rosinalitys_names(
    saved: Save, read: Read, weights: dict[str, Any], key: str
) -> None:
    with importable("model.Generator", "model.StyledConv"):
        module = rosinality_module(weights)
        data = saved({key: module, "latent_avg": AVERAGE} if key else module)
    checkpoint = read(data)
    expected = rosinality_scaled(weights)
    average = AVERAGE.numpy() if key else checkpoint.weights["mapping.w_avg"]
    assert_same(checkpoint, {**expected, "mapping.w_avg": average})
    assert bool(notes_besides_lr(checkpoint.notes)) == (not key)


@pytest.mark.parametrize("prefix", ["", "module.", "generator.module."])
def test_state_dicts_in_nvidias_names(
    saved: Save, read: Read, weights: dict[str, Any], prefix: str
) -> None:
    checkpoint = read(saved(tensors(nvidia_state_dict(PLAIN, weights), prefix)))
    assert checkpoint.architecture == PLAIN
    assert checkpoint.format == "StyleGAN2 state dict in NVIDIA's names"
    assert any("clamped" in note for note in checkpoint.notes)
    assert_same(checkpoint, weights)


ARCHITECTURES = {
    "labels": dataclasses.replace(PLAIN, label_dim=3),
    "orig": dataclasses.replace(PLAIN, variant="orig"),
    "resnet": dataclasses.replace(PLAIN, variant="resnet"),
    "half as wide": dataclasses.replace(PLAIN, base_width=2),
    "no noise": dataclasses.replace(PLAIN, use_noise=False),
    "16 px": dataclasses.replace(PLAIN, resolution=16, channels={4: 4, 8: 3, 16: 2}),
}


@pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=ARCHITECTURES.keys())
def test_shapes_give_the_architecture(saved: Save, read: Read, architecture: Any) -> None:
    weights = random_weights(architecture)
    checkpoint = read(saved({"G_ema": tensors(nvidia_state_dict(architecture, weights))}))
    assert checkpoint.architecture == architecture
    assert_same(checkpoint, weights)


def test_a_state_dict_without_w_avg_has_it_estimated(
    saved: Save, read: Read, weights: dict[str, Any]
) -> None:
    del weights["mapping.w_avg"]
    checkpoint = read(saved(tensors(nvidia_state_dict(PLAIN, weights))))
    assert any("10000 samples" in note for note in checkpoint.notes)
    assert np.abs(checkpoint.weights["mapping.w_avg"]).max() > 0


@pytest.mark.parametrize("layers", [1, 18])
def test_decoders_of_encoders(
    saved: Save, read: Read, weights: dict[str, Any], layers: int
) -> None:
    encoder = {"encoder.input_layer.0.weight": torch.ones(2, 3, 3, 3)}
    decoder = tensors(rosinality_state(PLAIN, weights), "decoder.")
    average = AVERAGE.repeat(layers, 1)
    content = {
        "state_dict": {**encoder, **decoder},
        "latent_avg": average,
        "opts": {"stylegan_size": 8, "device": "cuda:0", "namespace": Namespace(lr=1e-4)},
    }
    checkpoint = read(saved(content))
    assert checkpoint.format == "decoder of an e4e or pSp checkpoint"
    expected = rosinality_scaled(weights)
    assert_same(checkpoint, {**expected, "mapping.w_avg": AVERAGE.numpy()})
    assert notes_besides_lr(checkpoint.notes) == ()


def test_safetensors_of_every_naming(tmp_path: Path, weights: dict[str, Any]) -> None:
    path = tmp_path / "model.safetensors"
    contiguous = {n: np.ascontiguousarray(v) for n, v in rosinality_state(PLAIN, weights).items()}
    for arrays, expected in (
        (nvidia_state_dict(PLAIN, weights), weights),
        ({f"g_ema.{n}": v for n, v in contiguous.items()}, rosinality_scaled(weights)),
        ({f"decoder.{n}": v for n, v in contiguous.items()}, rosinality_scaled(weights)),
    ):
        average = weights["mapping.w_avg"]
        safetensors.numpy.save_file({**arrays, "latent_avg": average}, path)
        checkpoint = read_checkpoint(path)
        assert_same(checkpoint, expected)
        assert checkpoint.format.endswith("(safetensors)")


def test_classes_with_their_source_code_beside_them(read: Read) -> None:
    """As PyTorch before 1.6 saved whole modules: the class is a persistent id with its source."""
    trap = "import os; os.environ['DRAGONNX_TRAP'] = 'executed'"
    named = PersistentId(("module", name("model", "Generator"), "model.py", trap))
    entries = {n: tensor(v) for n, v in rosinality_state(PLAIN, random_weights(PLAIN)).items()}
    state = {"_parameters": entries, "_buffers": {}, "_modules": {}}
    module = Raw(opcodes(named) + b")\x81" + opcodes(state) + b"b")
    data = legacy_storage(
        np.zeros(0, np.float32), object=dumps(module), keys=dumps([]), count=b"", raw=b""
    )
    assert_same(
        read(data),
        {
            **rosinality_scaled(random_weights(PLAIN)),
            "mapping.w_avg": read(data).weights["mapping.w_avg"],
        },
    )


TRAPS = {
    "os.system": ("os", "system"),
    "builtins.exec": ("builtins", "exec"),
    "torch.hub.load": ("torch.hub", "load"),
    "persistence": ("torch_utils.persistence", "persistent_class"),
    "a name with dots": ("training.networks", "Generator.__init__.__globals__"),
}


@pytest.mark.parametrize(("module", "attribute"), TRAPS.values(), ids=TRAPS.keys())
def test_traps_are_named_and_refused(read: Read, module: str, attribute: str) -> None:
    content = dumps({"g_ema": {}, "args": Call(module, attribute, ("true",))})
    for data in (
        zipped({"archive/data.pkl": content, "archive/byteorder": b"little"}),
        legacy_storage(np.zeros(4, np.float32), object=content),
        content,
    ):
        with pytest.raises(CheckpointError, match="nothing was run") as caught:
            read(data)
        assert f"{module}.{attribute}" in str(caught.value)
