"""Pickles of NVIDIA's TensorFlow code, written here from known generators in its structure."""

from __future__ import annotations

import dataclasses
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.checkpoint_files import SMALL, random_weights
from support.checkpoint_formats import (
    EASY_DICT,
    NETWORK,
    importable,
    python_module,
    tensorflow_network,
)
from support.random_checkpoints import random_checkpoint

from dragonnx_export.checkpoints import Checkpoint, CheckpointError, read_checkpoint
from dragonnx_export.checkpoints.choices import NO_CLAMP
from dragonnx_export.checkpoints.weights import NO_FILTER
from dragonnx_export.families.stylegan2.architecture import Architecture
from dragonnx_export.families.stylegan2.networks import Generator

PLAIN = dataclasses.replace(SMALL, conv_clamp=None)
ARCHITECTURES = {
    "config-f": PLAIN,
    "clamped": SMALL,
    "32 px": dataclasses.replace(PLAIN, resolution=32, channels={4: 6, 8: 6, 16: 4, 32: 2}),
    "labels": dataclasses.replace(PLAIN, label_dim=3),
    "orig": dataclasses.replace(PLAIN, variant="orig"),
    "resnet": dataclasses.replace(PLAIN, variant="resnet"),
    "no noise": dataclasses.replace(PLAIN, use_noise=False),
    "another filter": dataclasses.replace(PLAIN, resample_filter=(1.0, 2.0, 3.0, 1.0)),
}

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Checkpoint]:
    def read_bytes(data: bytes) -> Checkpoint:
        path = tmp_path / "network.pkl"
        path.write_bytes(data)
        return read_checkpoint(path)

    return read_bytes


Read = Callable[[bytes], Checkpoint]


def pickled(
    architecture: Architecture = PLAIN,
    change: Change | None = None,
    protocol: int = 4,
) -> bytes:
    """A pickle (G, D, Gs), the averaged generator's state changed as asked."""
    with importable(NETWORK, EASY_DICT):
        raw = tensorflow_network(architecture, random_weights(architecture, seed=1))
        averaged = tensorflow_network(architecture, random_weights(architecture))
        if change is not None:
            change(vars(averaged))
        discriminator = python_module(NETWORK, {"version": 4, "name": "D"})
        return pickle.dumps((raw, discriminator, averaged), protocol)


@pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=ARCHITECTURES.keys())
def test_architecture_and_weights_come_back(read: Read, architecture: Architecture) -> None:
    checkpoint = read(pickled(architecture))
    assert checkpoint.architecture == architecture
    assert checkpoint.format == "TensorFlow StyleGAN2 pickle"
    expected = random_weights(architecture)
    assert checkpoint.weights.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(checkpoint.weights[name], values, atol=2e-7)
    assert "DRAGONNX_TRAP" not in os.environ


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("spelling", ["numpy.core", "numpy._core"])
def test_every_protocol_and_spelling(read: Read, protocol: int, spelling: str) -> None:
    data = pickled(protocol=protocol)
    if protocol < 4:  # later ones state the length of names
        data = data.replace(b"numpy._core", spelling.encode())
    np.testing.assert_array_equal(
        read(data).weights["mapping.fc0.weight"], random_weights(PLAIN)["mapping.fc0.weight"]
    )


def test_the_image_is_that_of_the_generator_it_was_written_from(read: Read) -> None:
    """A plain transposed convolution, unlike TensorFlow's, which hence stores its kernel flipped."""
    source = random_checkpoint(ARCHITECTURES["32 px"])
    with importable(NETWORK, EASY_DICT):
        network = tensorflow_network(source.architecture, source.weights)
        checkpoint = read(pickle.dumps((network, network, network)))
    z = torch.randn(2, PLAIN.z_dim, generator=torch.Generator().manual_seed(0))
    images = []
    for each in (source, checkpoint):
        generator = Generator.from_checkpoint(each)
        images.append(generator.synthesis(generator.w_plus(z, truncation_psi=0.7)))
    assert (images[0] - images[1]).abs().max() <= 2e-6 * images[0].abs().max()


def test_upsampling_layers_alone_are_flipped(read: Read) -> None:
    weights = read(pickled()).weights
    expected = random_weights(PLAIN)
    for layer in ("conv0", "conv1"):
        name = f"synthesis.b8.{layer}.weight"
        np.testing.assert_array_equal(weights[name], expected[name])
        assert not np.array_equal(expected[name], expected[name][:, :, ::-1, ::-1])


def test_colours_named_by_level_of_detail(read: Read) -> None:
    """The architecture 'orig' of some pickles names its only colour layer so."""
    architecture = ARCHITECTURES["orig"]

    def rename(state: dict[str, Any]) -> None:
        synthesis = vars(state["components"]["synthesis"])
        synthesis["variables"] = [
            (name.replace("8x8/ToRGB/", "ToRGB_lod0/"), values)
            for name, values in synthesis["variables"]
        ]

    checkpoint = read(pickled(architecture, rename))
    assert checkpoint.architecture == architecture


def test_shapes_and_defaults_stand_in_for_missing_arguments(read: Read) -> None:
    def forget(state: dict[str, Any]) -> None:
        state["static_kwargs"].clear()
        del state["version"]

    checkpoint = read(pickled(change=forget))
    assert checkpoint.architecture == PLAIN
    rate, clamp, taps = checkpoint.notes
    assert "so 0.01 was taken" in rate
    assert (clamp, taps) == (NO_CLAMP, NO_FILTER)
    assert read(pickled()).notes == ()
    with pytest.raises(CheckpointError, match="neither True nor False"):
        read(pickled(change=_argument(use_noise=0)))


def _set(**values: Any) -> Change:
    return lambda state: state.update(values)


def _argument(**values: Any) -> Change:
    return lambda state: state["static_kwargs"].update(values)


def _variables(component: str, change: Callable[[dict[str, Any]], object]) -> Change:
    def changed(state: dict[str, Any]) -> None:
        inner = vars(state["components"][component])
        variables = dict(inner["variables"])
        change(variables)
        inner["variables"] = list(variables.items())

    return changed


REFUSED: dict[str, tuple[Change, str]] = {
    "StyleGAN1": (
        _variables("synthesis", lambda v: v.update({"4x4/Const/StyleMod/weight": np.zeros(3)})),
        "StyleGAN1",
    ),
    "old version": (_set(version=3), "before StyleGAN2"),
    "no mapping": (_variables("mapping", lambda v: v.clear()), "mapping/Dense0/weight"),
    "relu": (_argument(nonlinearity="relu"), "'nonlinearity' is 'relu'"),
    "labels joined otherwise": (_argument(label_size=4), "conditional generator of the first"),
    "resolution": (_argument(resolution=16), "'synthesis/16x16/Conv1/weight'"),
    "resolution 12": (_argument(resolution=12), "power of two"),
    "resolution of text": (_argument(resolution="8"), "'resolution'"),
    "10**12 layers": (_argument(mapping_layers=10**12), "more than any has"),
    "long names": (_set(variables=[("x" * 1000, np.zeros(1))]), "damaged"),
    "many variables": (_set(variables=[("x", 0.5)] * 10_001), "larger than"),
    "width": (_argument(dlatent_size=7), "where its architecture needs"),
    "filter of text": (_argument(resample_kernel="1331"), "resample_kernel"),
    "clamp of text": (_argument(conv_clamp="a"), "conv_clamp"),
    "rate of text": (_argument(mapping_lrmul="a"), "mapping_lrmul"),
    "no constant": (_variables("synthesis", lambda v: v.pop("4x4/Const/const")), "Const/const"),
    "a layer less": (_variables("mapping", lambda v: v.pop("Dense1/weight")), "mapping.fc1.weight"),
    "an unknown layer": (
        _variables("synthesis", lambda v: v.update({"8x8/Attention/weight": np.zeros(3)})),
        "no place for",
    ),
    "no components": (_set(components={}), "Const/const"),
    "no variables": (_set(variables=None), "damaged"),
    "variables of text": (_set(variables=["lod"]), "damaged"),
    "a value of text": (_set(variables=[("dlatent_avg", "text")]), "no tensor"),
    "arguments of text": (_set(static_kwargs="x"), "damaged"),
    "components of text": (_set(components={"mapping": "x"}), "damaged"),
}


@pytest.mark.parametrize(("change", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_other_networks_are_refused(read: Read, change: Change, reason: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        read(pickled(change=change))
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_network_inside_itself_is_refused(read: Read) -> None:
    def nest(state: dict[str, Any]) -> None:
        components = state["components"]
        deep: Any = components["mapping"]
        for _ in range(6):
            deep = python_module(NETWORK, {**vars(deep), "components": {"a": deep, "b": deep}})
        components["mapping"] = deep

    with pytest.raises(CheckpointError, match="larger than"):
        read(pickled(change=nest))
