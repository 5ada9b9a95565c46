"""A StyleGAN2 checkpoint as every reader returns it: architecture, named arrays, nothing that runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from dragonnx_export.families import checkpoint as families
from dragonnx_export.families.stylegan2.architecture import Architecture


class Contents(families.Contents[Architecture]):
    """What a reader finds in a file of StyleGAN2."""


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
    yield from families.mapping_shapes(a)
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
