"""What the editor knows of the model that is open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ModelFacts:
    """What the editor knows of the model that is open.

    Attributes:
        model: As documents name it.
        name: As it names itself.
        image_size: (width, height) of its pictures.
        trainable_layers: How many layers a drag can move.
        label_count: How many classes it has; 0 for one without.
        recommended: Settings of a drag that suit it.
        w_dim: How many numbers a w has, and principal directions there are.
    """

    model: str
    name: str
    image_size: tuple[int, int]
    trainable_layers: int
    label_count: int = 0
    recommended: Mapping[str, float] = field(default_factory=dict)
    w_dim: int = 0
