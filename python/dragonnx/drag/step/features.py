"""Where a step gets its features from, and how their gradient goes back to the latent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from dragonnx.drag.config import DragSettings
from dragonnx.drag.windows import FeatureWindows
from dragonnx.types import Float32, Points

_ROOM_TO_MOVE = 2
"""Pixels that a handle can move in a step before its window must be computed anew, at least."""


@dataclass(frozen=True, eq=False)
class Features:
    """Features of one latent for a step.

    Attributes:
        w_plus: The latent, [1, num_ws, w_dim].
        windows: What the kernels read.
        centres: The points that the windows lie around, [n, 2]; None where they hold everything.
    """

    w_plus: Float32
    windows: FeatureWindows
    centres: Points | None


@dataclass(frozen=True)
class Reach:
    """How far from a handle a step reads, in pixels.

    Attributes:
        patch: Motion supervision: r1, and one pixel further once the patch is moved.
        window: What a window holds: the search for the handle, or the patch once it has moved.
    """

    patch: float
    window: float

    @classmethod
    def of(cls, settings: DragSettings, around: float = 0) -> Reach:
        """The reach of a drag with these settings.

        Args:
            settings: Of the drag.
            around: How far around a pixel its description reads, in pixels.
        """
        patch = settings.r1_pixels + 1
        return cls(patch, max(settings.search_pixels + around, patch + _ROOM_TO_MOVE))

    def holds(self, features: Features, points: Points) -> bool:
        """Whether features hold each point's patch, although points moved since."""
        if features.centres is None:
            return True
        return bool(abs(points - features.centres).max() + self.patch <= self.window)


class FeatureSource(Protocol):
    """Computes the features of one drag, for one thread."""

    def at(self, w_plus: Float32, points: Points) -> Features:
        """The features of a latent, at least those within reach of the points [n, 2]."""
        ...

    def around(self, features: Features, points: Points) -> Features:
        """Features that hold each point's patch: the given ones unless a point moved too far."""
        ...

    def pullback(
        self, features: Features, grad_features: Float32
    ) -> tuple[Float32, Mapping[str, float]]:
        """From dL/dF of the windows, [N, C, h, w], to dL/dw_plus [1, trainable_layers, w_dim].

        Of the source's own terms, those of the whole map that never leave the device, it adds the
        gradient and gives the losses by name.
        """
        ...
