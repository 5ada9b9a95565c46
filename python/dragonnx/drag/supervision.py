"""Motion supervision and the mask penalty (paper, section 3.2, equation 1) with their gradient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dragonnx import _core
from dragonnx.drag.config import DragSettings
from dragonnx.drag.windows import FeatureWindows
from dragonnx.types import Points


@dataclass(frozen=True)
class MaskTerm:
    """What stays fixed: the mask's plan and the feature map [C, h, w] before the first step."""

    plan: _core.MaskPlan
    features: NDArray[np.float32]


@dataclass(frozen=True)
class Supervision:
    """The loss of one step in its two parts, and dL/dF of the windows, [N, C, h, w]."""

    motion_loss: float
    mask_loss: float
    grad_features: NDArray[np.float32]


def supervise(
    windows: FeatureWindows,
    handles: Points,
    targets: Points,
    settings: DragSettings,
    fixed: MaskTerm | None,
    threads: _core.Threads,
) -> Supervision:
    """The loss that pulls each handle [n, 2] one pixel towards its target [n, 2].

    The mask term needs the whole feature map as its one window.
    """
    gradient = np.zeros_like(windows.values)
    motion = _core.motion_supervision(
        windows.values,
        windows.plan,
        handles,
        targets,
        settings.r1_pixels,
        gradient,
    )
    mask_loss = 0.0
    if fixed is not None:
        mask_loss = _core.mask_penalty(
            windows.values[0],
            fixed.features,
            fixed.plan,
            settings.lambda_mask,
            gradient[0],
            threads,
        )
    return Supervision(float(motion.sum()), mask_loss, gradient)
