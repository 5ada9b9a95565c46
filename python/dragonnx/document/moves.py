"""What is done to a start before anything else: it goes along directions, or is turned and moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from dragonnx.document.latents import start_w_plus
from dragonnx.document.start import LatentStart
from dragonnx.model.motion import Motion

if TYPE_CHECKING:
    from dragonnx.model.generator import Generator
    from dragonnx.types import Float32

_LONGEST_NAME = 400
"""Characters of a name that tells how a start was made."""


class Move(Protocol):
    """Something that is done to latents of a model.

    Attributes:
        name: For users.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    def applied(self, w_plus: Float32) -> Float32:
        """Latents [N, num_ws, w_dim] after it."""


@dataclass(frozen=True)
class Transform:
    """The picture turned and moved.

    Attributes:
        motion: How far.
        generator: The model's.

    Raises:
        InputError: The model cannot turn and move what it shows.
    """

    motion: Motion
    generator: Generator

    def __post_init__(self) -> None:
        self.generator.check_transform()

    @property
    def name(self) -> str:
        """For users."""
        return self.motion.describe()

    def applied(self, w_plus: Float32) -> Float32:
        """Latents [N, num_ws, w_dim] after it."""
        rotation, translation = self.motion.rotation, self.motion.translation
        return np.concatenate(
            [
                self.generator.transform(each[None], rotation=rotation, translation=translation)
                for each in w_plus
            ]
        )


def moved(start: LatentStart, moves: Sequence[Move], generator: Generator) -> LatentStart:
    """The start after the moves in their order: a latent, whatever it was, if there are any.

    Raises:
        InputError: The start does not fit the model.
    """
    if not moves:
        return start
    w_plus, names = start_w_plus(start, generator), [each.name for each in moves]
    for each in moves:
        w_plus = each.applied(w_plus)
    name = " + ".join([start.describe(), *names])
    if len(name) > _LONGEST_NAME:
        name = " + ".join(["a latent", *names])
    return replace(start, truncation_psi=None, w_plus=w_plus, name=name, directions=())
