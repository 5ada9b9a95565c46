"""A checkpoint as every reader returns it: architecture, named arrays, nothing that runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

A_co = TypeVar("A_co", covariant=True)


@dataclass(frozen=True, kw_only=True)
class Contents(Generic[A_co]):
    """What a reader finds in a file.

    Attributes:
        architecture: What the generator is made of, as its family describes it.
        weights: float32 arrays under NVIDIA's parameter names, exactly those that the family's
            `parameter_shapes` lists: "mapping.fc0.weight", "synthesis.b8.conv0.affine.bias", ...
        format: The recognised file format, in words for the user.
        notes: What the file does not say and what was taken instead, a sentence each.
        network: Of several generators in the file which was taken, and why; empty of one.
    """

    architecture: A_co
    weights: Mapping[str, NDArray[np.float32]]
    format: str
    notes: tuple[str, ...] = ()
    network: str = ""


class MappingArchitecture(Protocol):
    """The facts of a mapping network, which all StyleGANs from the second on share."""

    @property
    def z_dim(self) -> int: ...  # noqa: D102
    @property
    def w_dim(self) -> int: ...  # noqa: D102
    @property
    def label_dim(self) -> int: ...  # noqa: D102
    @property
    def mapping_layers(self) -> int: ...  # noqa: D102
    @property
    def mapping_lr_multiplier(self) -> float: ...  # noqa: D102


def mapping_shapes(architecture: MappingArchitecture) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Name and shape of every array of the mapping network, and of the average w."""
    a = architecture
    mapping_in = a.z_dim + (a.w_dim if a.label_dim else 0)
    if a.label_dim:
        yield "mapping.embed.weight", (a.w_dim, a.label_dim)
        yield "mapping.embed.bias", (a.w_dim,)
    for index in range(a.mapping_layers):
        yield f"mapping.fc{index}.weight", (a.w_dim, a.w_dim if index else mapping_in)
        yield f"mapping.fc{index}.bias", (a.w_dim,)
    yield "mapping.w_avg", (a.w_dim,)
