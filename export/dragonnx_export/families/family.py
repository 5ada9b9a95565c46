"""What a family of generators gives to whoever writes its bundles, and to nobody else.

A family is a folder beside this file. It reads nothing and writes nothing: it has a checkpoint type,
and a `FamilyModel` made of such a checkpoint. `registry` knows all families.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from dragonnx.errors import DragonnxError
from dragonnx.model.facts import FeatureMap, GraphRole, LayerWindowFacts, WindowFacts

if TYPE_CHECKING:
    import onnx

    from dragonnx_export.graphs.weight_file import WeightFile
    from dragonnx_export.parity.reference import ReferenceNetwork


class ArchitectureError(DragonnxError):
    """The description of a generator is incomplete or contradicts itself."""


class FamilyCheckpoint(Protocol):
    """What a checkpoint of any family says of itself.

    Attributes:
        family: Whose it is, as manifests name it.
        format: The recognised file format, in words for the user.
        notes: What the file does not say and what was taken instead, a sentence each.
        sha256: Hash of the file, in hexadecimal.
    """

    @property
    def family(self) -> str: ...  # noqa: D102
    @property
    def format(self) -> str: ...  # noqa: D102
    @property
    def notes(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def sha256(self) -> str: ...  # noqa: D102


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """What a manifest says of a model, as far as the family knows it; see `Manifest`."""

    family: str
    image_size: tuple[int, int]
    feature_map: FeatureMap
    windows: WindowFacts | LayerWindowFacts | None
    z_dim: int
    w_dim: int
    num_ws: int
    label_dim: int
    trainable_layers: int


@dataclass(frozen=True)
class ModelGraph:
    """A graph and what it is run for.

    Attributes:
        role: As in `GraphRecord`, whose file the writer names.
        model: The graph. Its inputs and outputs have the names that `Generator` gives and asks for.
        cut: For windows, where they begin.
    """

    role: GraphRole
    model: onnx.ModelProto
    cut: int | None = None


class FamilyModel(Protocol):
    """A checkpoint with all choices made, ready to become a bundle.

    Attributes:
        facts: For the manifest.
        w_avg: The mean of w, [w_dim].
    """

    @property
    def facts(self) -> ModelFacts: ...  # noqa: D102
    @property
    def w_avg(self) -> NDArray[np.float32]: ...  # noqa: D102

    def graphs(self, weights: WeightFile) -> Iterator[ModelGraph]:
        """Every graph, its large constants in the weight file: required roles and what else there is."""

    def network(self) -> ReferenceNetwork:
        """The network in torch, with which the graphs are compared."""
