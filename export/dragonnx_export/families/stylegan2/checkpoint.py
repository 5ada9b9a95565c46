"""A StyleGAN2 checkpoint as every reader returns it: architecture, named arrays, nothing that runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from dragonnx_export.families.stylegan2.architecture import Architecture


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a reader finds in a file.

    Attributes:
        architecture: What the generator is made of.
        weights: float32 arrays under NVIDIA's parameter names, exactly those that
            `parameter_shapes` lists: "mapping.fc0.weight", "synthesis.b8.conv0.affine.bias", ...
        format: The recognised file format, in words for the user.
        notes: What the file does not say and what was taken instead, a sentence each.
        network: Of several generators in the file which was taken, and why; empty of one.
    """

    architecture: Architecture
    weights: Mapping[str, NDArray[np.float32]]
    format: str
    notes: tuple[str, ...] = ()
    network: str = ""


@dataclass(frozen=True, kw_only=True)
class Checkpoint(Contents):
    """A generator read from a file, and which file that was.

    Attributes:
        sha256: Hash of the file, in hexadecimal.
        family: As manifests name it.
    """

    family: ClassVar[str] = "stylegan2"

    sha256: str


def parameter_shapes(architecture: Architecture) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Name and shape of every array that a generator of this architecture has."""
    a = architecture
    mapping_in = a.z_dim + (a.w_dim if a.label_dim else 0)
    if a.label_dim:
        yield "mapping.embed.weight", (a.w_dim, a.label_dim)
        yield "mapping.embed.bias", (a.w_dim,)
    for index in range(a.mapping_layers):
        yield f"mapping.fc{index}.weight", (a.w_dim, a.w_dim if index else mapping_in)
        yield f"mapping.fc{index}.bias", (a.w_dim,)
    yield "mapping.w_avg", (a.w_dim,)
    yield "synthesis.b4.const", (a.channels[4], *a.block_size(4))
    previous = a.channels[4]
    for resolution, channels in a.channels.items():
        block = f"synthesis.b{resolution}"
        if resolution > 4:
            yield from _layer_shapes(f"{block}.conv0", previous, channels, resolution, a)
        yield from _layer_shapes(f"{block}.conv1", channels, channels, resolution, a)
        if a.variant == "resnet" and resolution > 4:
            yield f"{block}.skip.weight", (channels, previous, 1, 1)
        if a.has_colour(resolution):
            yield f"{block}.torgb.weight", (a.image_channels, channels, 1, 1)
            yield f"{block}.torgb.bias", (a.image_channels,)
            yield f"{block}.torgb.affine.weight", (channels, a.w_dim)
            yield f"{block}.torgb.affine.bias", (channels,)
        previous = channels


def _layer_shapes(
    layer: str, inputs: int, outputs: int, resolution: int, architecture: Architecture
) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{layer}.weight", (outputs, inputs, 3, 3)
    yield f"{layer}.bias", (outputs,)
    yield f"{layer}.affine.weight", (inputs, architecture.w_dim)
    yield f"{layer}.affine.bias", (inputs,)
    if architecture.use_noise:
        yield f"{layer}.noise_const", architecture.block_size(resolution)
        yield f"{layer}.noise_strength", ()
