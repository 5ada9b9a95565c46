"""Where a drag gets its features: around the handles only, or from the whole map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dragonnx import _core
from dragonnx.drag.config import DragSettings
from dragonnx.drag.cost import cheapest_cut
from dragonnx.drag.windows import FeatureWindows, Geometry, plan_windows
from dragonnx.model.generator import FeaturePass, Generator
from dragonnx.types import Points

_ROOM_TO_MOVE = 2
"""Pixels that a handle can move in a step before its window must be computed anew, at least."""


@dataclass(frozen=True)
class Features:
    """Features of one latent for a step.

    Attributes:
        windows: What the kernels read.
        forward: What the pullback needs.
        centres: The points that the windows lie around, [n, 2]; None where the map is whole.
    """

    windows: FeatureWindows
    forward: FeaturePass
    centres: Points | None


class FeatureSource:
    """Computes features for a drag and takes their gradient back to the latent.

    Args:
        generator: The model.
        settings: Of the drag: how far tracking and supervision read.
        point_count: How many handles there are.
        whole: Whether the whole map is needed, as a mask does.
    """

    def __init__(
        self, generator: Generator, settings: DragSettings, point_count: int, *, whole: bool
    ) -> None:
        m = generator.manifest
        self._generator = generator
        self._geometry = Geometry.of(m)
        # A patch reaches r1 around its handle, and one pixel further once it is moved.
        self._patch = settings.r1_pixels + 1
        self._reach = max(settings.r2_pixels, self._patch + _ROOM_TO_MOVE)
        self.cut: int | None = None
        if m.windows and not whole:
            channels, cuts = m.windows.channels, m.windows.cuts
            self.cut = cheapest_cut(self._geometry, channels, cuts, self._reach, point_count)

    def at(self, w_plus: NDArray[np.float32], points: Points) -> Features:
        """The features of a latent, at least those within reach of the points [n, 2]."""
        geometry = self._geometry
        if self.cut is None:
            forward = self._generator.features(w_plus)
            plan = _core.WindowPlan.whole(geometry.feature_size, geometry.image_size, len(points))
            return Features(FeatureWindows(forward.features, plan), forward, None)
        graphs = plan_windows(points, self._reach, geometry, self.cut)
        forward = self._generator.features(w_plus, cut=self.cut, windows=graphs.inputs)
        plan = _core.WindowPlan(
            graphs.origins,
            graphs.size,
            geometry.feature_size,
            geometry.image_size,
            np.arange(len(points)),
        )
        return Features(FeatureWindows(forward.features, plan), forward, points)

    def around(self, features: Features, points: Points) -> Features:
        """Features that hold each point's patch: the given ones unless a point moved too far."""
        if features.centres is None:
            return features
        moved = np.abs(points - features.centres).max()
        if moved + self._patch <= self._reach:
            return features
        return self.at(features.forward.w_plus, points)

    def pullback(
        self, features: Features, grad_features: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """dL/dw_plus [1, trainable_layers, w_dim] from dL/dF of the windows [N, C, h, w]."""
        return self._generator.pullback(features.forward, grad_features)
