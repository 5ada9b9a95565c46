"""The mask penalty (paper, section 3.2, the second term of equation 1)."""

from __future__ import annotations

from typing import ClassVar

from dragonnx import _core
from dragonnx.drag.problem import DragProblem
from dragonnx.drag.terms.base import FeatureTerm
from dragonnx.drag.windows import FeatureWindows
from dragonnx.types import Float32, Points


class MaskPenalty(FeatureTerm):
    """Holds what a painted mask fixes as it was before the first step."""

    name: ClassVar[str] = "mask"
    needs_whole_map: ClassVar[bool] = True

    @classmethod
    def applies(cls, problem: DragProblem) -> bool:
        """See `FeatureTerm`: where a mask was painted."""
        return problem.mask is not None

    def __init__(self, problem: DragProblem, features: FeatureWindows) -> None:
        assert problem.mask is not None, "it applies"  # noqa: S101
        self._plan = _core.MaskPlan(problem.mask, features.plan.feature_size)
        self._reference = features.values[0].copy()
        self._weight = problem.settings.lambda_mask
        self._threads = problem.threads

    def add_to(
        self, grad_features: Float32, features: FeatureWindows, handle_points: Points
    ) -> float:
        """See `FeatureTerm`."""
        del handle_points
        return _core.mask_penalty(
            features.values[0],
            self._reference,
            self._plan,
            self._weight,
            grad_features[0],
            self._threads,
        )
