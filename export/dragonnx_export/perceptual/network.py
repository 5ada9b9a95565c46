"""VGG16's convolutions and LPIPS's heads, read from files as users have them.

The convolutions are torchvision's: `features.N.weight` [O, I, 3, 3] and `features.N.bias` [O]. The
heads are those of LPIPS v0.1: `lin0.model.1.weight` [1, C, 1, 1] to `lin4`, for the last ReLU of
each stage. Channels are whatever the arrays have.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dragonnx.reading.pickles.vocabulary import quoted
from dragonnx_export.checkpoints.errors import CheckpointError
from dragonnx_export.checkpoints.opening import open_file
from dragonnx_export.checkpoints.recognise import Format
from dragonnx_export.checkpoints.state_dict import read_state_dict
from dragonnx_export.checkpoints.weights import as_array, finite_float32

Float32 = NDArray[np.float32]

STAGES = ((0, 2), (5, 7), (10, 12, 14), (17, 19, 21), (24, 26, 28))
"""The N of the convolutions between two pooling layers. What follows the last one is not used."""

SHIFT = (-0.030, -0.088, -0.188)
SCALE = (0.458, 0.448, 0.450)
"""LPIPS's: an image -1 to 1 less SHIFT, over SCALE, is normalised as torchvision's training did."""

EPSILON = 1e-10
"""LPIPS's: added to the length by which features are divided."""

_VGG_EXPECTED = (
    "a state dict of VGG16 in torchvision's names (.pth, .pt or .safetensors) is expected"
)
_VGG_ADVICE = "give torchvision's weights of vgg16"
_HEADS_EXPECTED = "the linear heads of LPIPS v0.1 for VGG (.pth, .pt or .safetensors) are expected"
_HEADS_ADVICE = "give LPIPS's own vgg.pth"
_IMAGE_CHANNELS = 3


@dataclass(frozen=True, eq=False)
class Convolution:
    """Weights [O, I, 3, 3] and biases [O]."""

    weight: Float32
    bias: Float32


@dataclass(frozen=True, kw_only=True, eq=False)
class PerceptualNetwork:
    """What the graphs are made from.

    Attributes:
        stages: The convolutions between two pooling layers; each is followed by a ReLU.
        heads: [C] for each stage: how much each channel of its last ReLU counts; None for 1.
        sha256: Of the file of the convolutions.
        heads_sha256: Of the file of the heads; empty without one.
    """

    stages: tuple[tuple[Convolution, ...], ...]
    heads: tuple[Float32, ...] | None
    sha256: str
    heads_sha256: str

    @property
    def name(self) -> str:
        """What a distance of it may be called."""
        return "VGG16 feature distance" if self.heads is None else "LPIPS (VGG16)"

    @property
    def layers(self) -> tuple[str, ...]:
        """The compared layers: the last ReLU of each stage, as relu1_2."""
        return tuple(f"relu{n}_{len(stage)}" for n, stage in enumerate(self.stages, 1))

    @property
    def channels(self) -> tuple[int, ...]:
        """Of the compared layers."""
        return tuple(len(stage[-1].bias) for stage in self.stages)


def read_network(weights: Path, heads: Path | None = None) -> PerceptualNetwork:
    """Read the convolutions, and the heads where there are any. Nothing in a file is run.

    Raises:
        CheckpointError: A file cannot be read, is of another network, or the two do not fit.
    """
    stages, sha256 = open_file(weights, _read_stages, _VGG_EXPECTED, _VGG_ADVICE)
    if heads is None:
        return PerceptualNetwork(stages=stages, heads=None, sha256=sha256, heads_sha256="")
    channels = [len(stage[-1].bias) for stage in stages]
    found, heads_sha256 = open_file(
        heads, lambda kind, data: _read_heads(kind, data, channels), _HEADS_EXPECTED, _HEADS_ADVICE
    )
    return PerceptualNetwork(stages=stages, heads=found, sha256=sha256, heads_sha256=heads_sha256)


def _read_stages(kind: Format, data: bytes) -> tuple[tuple[tuple[Convolution, ...], ...], str]:
    entries = read_state_dict(kind, data, _VGG_EXPECTED)
    _require_vgg16(entries)
    inputs = _IMAGE_CHANNELS
    stages: list[tuple[Convolution, ...]] = []
    for numbers in STAGES:
        stage = []
        for n in numbers:
            weight = _array(entries, f"features.{n}.weight", len(data))
            bias = _array(entries, f"features.{n}.bias", len(data))
            outputs = len(bias) if bias.ndim == 1 else 0
            if not outputs or weight.shape != (outputs, inputs, 3, 3):
                raise CheckpointError(
                    f"its 'features.{n}' has weights of shape {weight.shape} and biases of shape "
                    f"{bias.shape}, where 3x3 taps of {inputs} channels and as many biases as "
                    "outputs are expected"
                )
            stage.append(Convolution(weight, bias))
            inputs = outputs
        stages.append(tuple(stage))
    return tuple(stages), hashlib.sha256(data).hexdigest()


def _require_vgg16(entries: Mapping[str, object]) -> None:
    """Refuse another network, by the names of its arrays.

    Raises:
        CheckpointError: It is one.
    """
    if any(re.fullmatch(r"features\.\d+\.running_mean", name) for name in entries):
        raise CheckpointError("it is a network with batch normalisation, where VGG16 has none")
    found = {
        match[1] for name in entries if (match := re.fullmatch(r"features\.(\d+)\.weight", name))
    }
    expected = {str(n) for numbers in STAGES for n in numbers}
    if not found:
        raise CheckpointError(
            "it has no 'features.0.weight', so it is no VGG16 in torchvision's names"
        )
    if found != expected:
        raise CheckpointError(
            f"it has {len(found)} layers with weights, and not where VGG16 has its "
            f"{len(expected)} convolutions, so it is another network"
        )


def _read_heads(kind: Format, data: bytes, channels: list[int]) -> tuple[tuple[Float32, ...], str]:
    entries = read_state_dict(kind, data, _HEADS_EXPECTED)
    heads = []
    for position, count in enumerate(channels):
        name = f"lin{position}.model.1.weight"
        head = _array(entries, name, len(data))
        if head.shape != (1, count, 1, 1):
            raise CheckpointError(
                f"its {quoted(name)} has the shape {head.shape}, where the network's layer needs "
                f"(1, {count}, 1, 1): these are heads for another network"
            )
        heads.append(head.reshape(-1))
    return tuple(heads), hashlib.sha256(data).hexdigest()


def _array(entries: Mapping[str, object], name: str, max_elements: int) -> Float32:
    if name not in entries:
        raise CheckpointError(f"it has no array {quoted(name)}")
    array = as_array(name, entries[name])
    if array.size > max_elements:
        raise CheckpointError("its arrays have more elements than a file of its size can hold")
    return finite_float32(name, array)
