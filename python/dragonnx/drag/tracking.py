"""Point tracking (paper, section 3.3): where each handle has gone, by its features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dragonnx import _core
from dragonnx.drag.config import DragSettings
from dragonnx.drag.descriptor import Descriptor
from dragonnx.drag.windows import FeatureWindows, cut_out
from dragonnx.types import Points

_DISTANCES = {"l1": _core.Distance.L1, "l2": _core.Distance.L2}
_BETWEEN = 1
"""Pixels on each side of a point that it is read from: those that it lies between."""
_AROUND = np.array([(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)], np.float64)
"""Pixels whose distances a parabola goes through, the found one first."""


def reference_features(
    windows: FeatureWindows, points: Points, descriptor: Descriptor | None
) -> NDArray[np.float32]:
    """f_i = F0(p_i), [n, C], or what describes it: what each handle is to stay like."""
    windows = _described(windows, points, _BETWEEN, descriptor)
    return _core.sample(windows.values, windows.plan, points)


def track(
    windows: FeatureWindows,
    points: Points,
    references: NDArray[np.float32],
    settings: DragSettings,
    threads: _core.Threads,
    descriptor: Descriptor | None,
) -> Points:
    """The pixel near each handle whose features are nearest to its reference (equation 2).

    Args:
        windows: The feature map after the update.
        points: Handles before it, [n, 2].
        references: Of each handle, as `reference_features` gives them.
        settings: Gives the window's reach and the norm, and whether to look between pixels.
        threads: How many the kernel may use.
        descriptor: What maps features before they are compared, as it did the references; None
            compares them as they are.

    Returns:
        The new handles, [n, 2]; on whole pixels unless looked for between them.
    """
    windows = _described(windows, points, settings.search_pixels, descriptor)
    found = _core.point_tracking(
        windows.values,
        windows.plan,
        points,
        references,
        settings.r2_pixels,
        settings.inclusive_window,
        _DISTANCES[settings.tracking_distance],
        threads,
    )
    return _between_pixels(windows, found, references) if settings.subpixel_tracking else found


def _described(
    windows: FeatureWindows, points: Points, reach: float, descriptor: Descriptor | None
) -> FeatureWindows:
    """What is compared within so many pixels of each point; the features as they are without a map."""
    if descriptor is None:
        return windows
    return descriptor.described(cut_out(windows, points, reach, descriptor.around))


def _between_pixels(
    windows: FeatureWindows, points: Points, references: NDArray[np.float32]
) -> Points:
    """Along each axis, where a parabola through three pixels' squared distances is lowest."""
    height, width = windows.plan.image_size
    last = np.array([width - 1, height - 1], np.float64)
    at = np.clip(points + _AROUND[:, None], 0, last)
    away = [_core.sample(windows.values, windows.plan, each) - references for each in at]
    here, left, right, above, below = np.square(away, dtype=np.float64).sum(axis=2)
    moves = np.stack([_lowest(left, here, right), _lowest(above, here, below)], axis=1)
    inside = (points > 0) & (points < last)
    return np.asarray(points + np.where(inside, moves, 0), np.float64)


def _lowest(
    before: NDArray[np.float64], here: NDArray[np.float64], after: NDArray[np.float64]
) -> NDArray[np.float64]:
    """From the middle of three places, how far the lowest point of their parabola is, [n]."""
    bend = before - 2 * here + after
    with np.errstate(divide="ignore", invalid="ignore"):
        move = (before - after) / (2 * bend)
    # Where the middle is the lowest of the three, it is at most half a pixel.
    return np.where((bend > 0) & (here <= before) & (here <= after), move, 0.0)
