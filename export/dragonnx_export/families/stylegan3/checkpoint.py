"""A StyleGAN3 checkpoint as every reader returns it: architecture, named arrays, nothing that runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from dragonnx_export.families.stylegan3.architecture import Architecture


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a reader finds in a file.

    Attributes:
        architecture: What the generator is made of.
        weights: float32 arrays under NVIDIA's parameter names, exactly those that
            `parameter_shapes` lists: "mapping.fc0.weight", "synthesis.L0_36_512.up_filter", ...
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

    family: ClassVar[str] = "stylegan3"

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
    first = a.layers[0].inputs
    yield "synthesis.input.weight", (first, first)
    yield "synthesis.input.affine.weight", (4, a.w_dim)
    yield "synthesis.input.affine.bias", (4,)
    yield "synthesis.input.freqs", (first, 2)
    yield "synthesis.input.phases", (first,)
    yield "synthesis.input.transform", (3, 3)
    for layer in a.layers:
        name = f"synthesis.{layer.name}"
        yield f"{name}.weight", (layer.outputs, layer.inputs, layer.kernel, layer.kernel)
        yield f"{name}.bias", (layer.outputs,)
        yield f"{name}.affine.weight", (layer.inputs, a.w_dim)
        yield f"{name}.affine.bias", (layer.inputs,)
        yield f"{name}.magnitude_ema", ()
        if layer.up_taps > 1:
            yield f"{name}.up_filter", (layer.up_taps,)
        if layer.down_taps > 1:
            yield f"{name}.down_filter", (layer.down_taps,) * (1 + layer.radial)
