"""Point tracking (paper, section 3.3): where each handle has gone, by its features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dragonnx import _core
from dragonnx.drag.config import DragSettings
from dragonnx.drag.windows import FeatureWindows
from dragonnx.types import Points

_DISTANCES = {"l1": _core.Distance.L1, "l2": _core.Distance.L2}


def reference_features(windows: FeatureWindows, points: Points) -> NDArray[np.float32]:
    """f_i = F0(p_i), [n, C]: what the features at each handle are to stay like."""
    return _core.sample(windows.values, windows.plan, points)


def track(
    windows: FeatureWindows,
    points: Points,
    references: NDArray[np.float32],
    settings: DragSettings,
    threads: _core.Threads,
) -> Points:
    """The pixel near each handle whose features are nearest to its reference (equation 2).

    Args:
        windows: The feature map after the update.
        points: Handles before it, [n, 2].
        references: f_i, [n, C].
        settings: Gives the window's reach and the norm.
        threads: How many the kernel may use.

    Returns:
        The new handles, [n, 2], on whole pixels.
    """
    return _core.point_tracking(
        windows.values,
        windows.plan,
        points,
        references,
        settings.r2_pixels,
        settings.inclusive_window,
        _DISTANCES[settings.tracking_distance],
        threads,
    )
