"""Motion supervision (paper, section 3.2, the first term of equation 1)."""

from __future__ import annotations

from typing import ClassVar

from dragonnx import _core
from dragonnx.drag.problem import DragProblem
from dragonnx.drag.terms.base import FeatureTerm
from dragonnx.drag.windows import FeatureWindows
from dragonnx.types import Float32, Points


class MotionSupervision(FeatureTerm):
    """Pulls what is around each handle one pixel towards its target.

    A handle nearer than one pixel to its target pulls no more.
    """

    name: ClassVar[str] = "motion"

    def __init__(self, problem: DragProblem, features: FeatureWindows) -> None:
        del features
        self._targets = problem.target_points
        self._r1 = problem.settings.r1_pixels
        self._threads = problem.threads

    def add_to(
        self, grad_features: Float32, features: FeatureWindows, handle_points: Points
    ) -> float:
        """See `FeatureTerm`."""
        losses = _core.motion_supervision(
            features.values,
            features.plan,
            handle_points,
            self._targets,
            self._r1,
            grad_features,
            self._threads,
        )
        return float(losses.sum())
