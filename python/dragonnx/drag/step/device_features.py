"""A whole feature map that stays on the device; only windows around the handles come to the host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dragonnx.drag.graphs import drag_graph
from dragonnx.drag.problem import DragProblem
from dragonnx.drag.step.features import Features, Reach
from dragonnx.drag.terms.base import DeviceTerm
from dragonnx.drag.windows import FeatureWindows, Geometry, first_cells
from dragonnx.model.generator import Generator
from dragonnx.model.passes import BoundPass
from dragonnx.runtime import Buffer, BufferPack
from dragonnx.types import Float32, Points


class DeviceFeatures:
    """See `FeatureSource`.

    Args:
        generator: The model.
        problem: The drag.
        terms: What is added to the loss of the whole map, on the device.
    """

    def __init__(
        self, generator: Generator, problem: DragProblem, terms: tuple[type[DeviceTerm], ...]
    ) -> None:
        self._generator = generator
        self._problem = problem
        self._geometry = Geometry.of(generator.manifest)
        self._reach = Reach.of(problem.settings, self._geometry.pixels(problem.around))
        self._pass: BoundPass | None = None
        self._held: Features | None = None
        """The features that the pass was last run for; None while it runs, which may be cut short."""
        self._term_types = terms
        self._terms: tuple[DeviceTerm, ...] = ()

    def at(self, w_plus: Float32, points: Points) -> Features:
        """See `FeatureSource`."""
        self._held = None
        if self._pass is None:
            bound = self._generator.bound_features(self, w_plus, None, {})
            self._bind(bound, points)
            self._pass = bound
        else:
            self._pass.run({"w_plus": w_plus})
        return self._cut_out(w_plus, points)

    def around(self, features: Features, points: Points) -> Features:
        """See `FeatureSource`."""
        if self._reach.holds(features, points):
            return features
        if features is self._held:
            return self._cut_out(features.w_plus, points)
        return self.at(features.w_plus, points)

    def pullback(
        self, features: Features, grad_features: Float32
    ) -> tuple[Float32, Mapping[str, float]]:
        """See `FeatureSource`."""
        if features is not self._held:
            # The pass holds another latent's: a state is a value, so that a step may start anywhere.
            assert features.centres is not None, "windows lie around points"  # noqa: S101
            self.at(features.w_plus, features.centres)
        assert self._pass is not None, "features come before their gradient"  # noqa: S101
        self._grad_windows.write(grad_features)
        self._put.run()
        losses = {term.name: term.add() for term in self._terms}
        return self._pass.pull_back(), losses

    def _bind(self, bound: BoundPass, points: Points) -> None:
        """Make everything that lies beside the map, once its shape is known."""
        device, threads = self._generator.device, self._generator.threads
        self._terms = tuple(
            term(self._problem, device, threads, bound.result, bound.gradient)
            for term in self._term_types
        )
        exact = replace(device, precision="float32")  # taking and putting, and as quick
        rows, columns = self._selectors(self._origins(points))
        self._selected = BufferPack(device, {"rows": rows, "columns": columns})
        shape = (len(points), bound.result.shape[1], rows.shape[2], columns.shape[2])
        self._windows, self._grad_windows = (Buffer.empty(device, shape) for _ in range(2))
        buffers = {
            **self._selected.buffers,
            "flat_rows": self._selected.buffers["rows"].reshaped(
                (rows.shape[0] * rows.shape[2], rows.shape[3])
            ),
            "features": bound.result,
            "grad_features": bound.gradient,
            "windows": self._windows,
            "grad_windows": self._grad_windows,
        }
        self._take = drag_graph("take_windows", exact, threads).bound(buffers)
        self._put = drag_graph("put_windows", exact, threads).bound(buffers)

    def _cut_out(self, w_plus: Float32, points: Points) -> Features:
        """Features around the points, from the map that the pass holds for this latent."""
        origins = self._origins(points)
        rows, columns = self._selectors(origins)
        self._held = None
        self._selected.write({"rows": rows, "columns": columns})
        self._take.run()
        plan = self._geometry.window_plan(origins, (rows.shape[2], columns.shape[2]))
        self._held = Features(w_plus, FeatureWindows(self._windows.read(), plan), points)
        return self._held

    def _origins(self, points: Points) -> NDArray[np.int64]:
        """(x, y) of each window's first cell in the map, [n, 2]."""
        first = first_cells(points, self._reach.window, self._geometry)
        rows, columns = self._geometry.feature_size
        width, height = self._geometry.window_size(self._reach.window)
        return np.clip(first, 0, (columns - width, rows - height))

    def _selectors(self, origins: NDArray[np.int64]) -> tuple[Float32, Float32]:
        """One-hot rows that pick the windows' rows [n, 1, s, h] and columns [n, 1, t, w]."""
        sides = self._geometry.window_size(self._reach.window)
        found = []
        for axis, cells in zip((1, 0), self._geometry.feature_size, strict=True):
            read = origins[:, axis, None, None, None] + np.arange(sides[axis])[:, None]
            found.append((read == np.arange(cells)).astype(np.float32))
        rows, columns = found
        return rows, columns
