"""All families, by the name that manifests give them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dragonnx_export.families.family import FamilyCheckpoint, FamilyModel
from dragonnx_export.families.stylegan2.model import StyleGAN2Model

_MODELS: Mapping[str, Callable[[Any, int | None, int], FamilyModel]] = {
    "stylegan2": StyleGAN2Model,
}


def model_of(
    checkpoint: FamilyCheckpoint, feature_resolution: int | None, trainable_layers: int
) -> FamilyModel:
    """A checkpoint as its family makes a bundle of it.

    Args:
        checkpoint: Of any family.
        feature_resolution: Of the block whose output is dragged; None is the family's choice.
        trainable_layers: For how many of the first w's a gradient is wanted; there may be fewer.

    Raises:
        InputError: The family has no such block.
    """
    return _MODELS[checkpoint.family](checkpoint, feature_resolution, trainable_layers)
