"""All families, by the name that manifests give them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dragonnx.errors import InputError
from dragonnx_export.families.family import FamilyCheckpoint, FamilyModel
from dragonnx_export.families.stylegan2.model import StyleGAN2Model
from dragonnx_export.families.stylegan3.model import StyleGAN3Model


@dataclass(frozen=True)
class Dragged:
    """Which output of a network is dragged, where the user says it; else it is the family's choice.

    Attributes:
        resolution: Of the block whose output it is.
        layer: The layer whose output it is, counted from 0.
    """

    resolution: int | None = None
    layer: int | None = None


def model_of(checkpoint: FamilyCheckpoint, dragged: Dragged, trainable_layers: int) -> FamilyModel:
    """A checkpoint as its family makes a bundle of it.

    Args:
        checkpoint: Of any family.
        dragged: What the user says of the feature map.
        trainable_layers: For how many of the first w's a gradient is wanted; there may be fewer.

    Raises:
        InputError: The family has no such feature map.
    """
    return _MODELS[checkpoint.family](checkpoint, dragged, trainable_layers)


def _stylegan2(checkpoint: Any, dragged: Dragged, trainable_layers: int) -> FamilyModel:
    if dragged.layer is not None:
        raise InputError(
            "the feature map of StyleGAN2 is the output of a block; give --feature-resolution in "
            "place of --feature-layer"
        )
    return StyleGAN2Model(checkpoint, dragged.resolution, trainable_layers)


def _stylegan3(checkpoint: Any, dragged: Dragged, trainable_layers: int) -> FamilyModel:
    if dragged.resolution is not None:
        raise InputError(
            "several layers of StyleGAN3 have the same resolution; give --feature-layer in place of "
            "--feature-resolution"
        )
    return StyleGAN3Model(checkpoint, dragged.layer, trainable_layers)


_MODELS: Mapping[str, Callable[[Any, Dragged, int], FamilyModel]] = {
    "stylegan2": _stylegan2,
    "stylegan3": _stylegan3,
}
