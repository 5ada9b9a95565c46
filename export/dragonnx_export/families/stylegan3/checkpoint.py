"""A StyleGAN3 checkpoint as every reader returns it: architecture, named arrays, nothing that runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from dragonnx_export.families import checkpoint as families
from dragonnx_export.families.stylegan3.architecture import Architecture


class Contents(families.Contents[Architecture]):
    """What a reader finds in a file of StyleGAN3."""


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
    yield from families.mapping_shapes(a)
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
