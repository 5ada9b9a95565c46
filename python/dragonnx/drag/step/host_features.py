"""Features that come to the host: windows around the handles, or the whole map."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dragonnx.drag.config import DragSettings
from dragonnx.drag.cost import cheapest_cut
from dragonnx.drag.step.features import Features, Reach
from dragonnx.drag.windows import FeatureWindows, Geometry, plan_windows
from dragonnx.model.generator import Generator
from dragonnx.model.passes import BoundPass
from dragonnx.types import Array, Float32, Points


class HostFeatures:
    """See `FeatureSource`.

    Args:
        generator: The model.
        settings: Of the drag: how far tracking and supervision read.
        point_count: How many handles there are.
        whole: Whether the whole map is needed.
        around: How many cells on each side of a cell tracking reads with it.
    """

    def __init__(
        self,
        generator: Generator,
        settings: DragSettings,
        point_count: int,
        *,
        whole: bool,
        around: int = 0,
    ) -> None:
        m = generator.manifest
        self._generator = generator
        self._geometry = Geometry.of(m)
        self._reach = Reach.of(settings, self._geometry.pixels(around))
        self.cut: int | None = None
        if m.windows and not whole:
            self.cut = cheapest_cut(self._geometry, m.cuts, self._reach.window, point_count)
        self._pass: BoundPass | None = None
        self._held: Features | None = None
        """The features that the pass was last run for; None while it runs, which may be cut short."""

    def at(self, w_plus: Float32, points: Points) -> Features:
        """See `FeatureSource`."""
        geometry = self._geometry
        inputs: Mapping[str, Array] = {}
        if self.cut is None:
            plan = geometry.whole_plan(len(points))
        else:
            graphs = plan_windows(points, self._reach.window, geometry, self.cut)
            plan, inputs = geometry.window_plan(graphs.origins, graphs.size), graphs.inputs
        windows = FeatureWindows(self._computed(w_plus, inputs), plan)
        self._held = Features(w_plus, windows, None if self.cut is None else points)
        return self._held

    def around(self, features: Features, points: Points) -> Features:
        """See `FeatureSource`."""
        if self._reach.holds(features, points):
            return features
        return self.at(features.w_plus, points)

    def pullback(
        self, features: Features, grad_features: Float32
    ) -> tuple[Float32, Mapping[str, float]]:
        """See `FeatureSource`; there are no terms of its own."""
        if features is not self._held:
            # The pass holds another latent's: a state is a value, so that a step may start anywhere.
            points = np.zeros((features.windows.plan.points, 2))
            self.at(features.w_plus, points if features.centres is None else features.centres)
        assert self._pass is not None, "features come before their gradient"  # noqa: S101
        self._pass.gradient.write(grad_features)
        return self._pass.pull_back(), {}

    def _computed(self, w_plus: Float32, windows: Mapping[str, Array]) -> Float32:
        self._held = None
        if self._pass is None:
            self._pass = self._generator.bound_features(self, w_plus, self.cut, windows)
        else:
            self._pass.run({"w_plus": w_plus, **windows})
        return self._pass.result.read()
