"""Point tracking (paper, section 3.3): where each handle has gone, by its features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dragonnx import _core
from dragonnx.drag.config import DragSettings
from dragonnx.drag.windows import FeatureWindows
from dragonnx.types import Float32, Points

_DISTANCES = {"l1": _core.Distance.L1, "l2": _core.Distance.L2}
_LEAST_VARIATION = 0.1
"""Of a direction of features, in shares of the mean one, so that noise is not taken for features."""
_AROUND = np.array([(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)], np.float64)
"""Pixels whose distances a parabola goes through, the found one first."""


def whitening(features: Float32) -> Float32:
    """The map of features, [C, C], after which they vary over the image alike in all directions.

    Where they all vary together, a step of the picture's larger parts outweighs what tells a handle
    from its neighbours; distances after this map are Mahalanobis's.

    Args:
        features: The whole map before the first step, [C, h, w].
    """
    rows = features.reshape(len(features), -1).astype(np.float64)
    variation, directions = np.linalg.eigh(np.cov(rows, ddof=0))
    floor = _LEAST_VARIATION * variation.mean() + np.finfo(np.float32).tiny
    return np.asarray((directions / np.sqrt(variation + floor)) @ directions.T, np.float32)


def reference_features(
    windows: FeatureWindows, points: Points, whitening: Float32 | None
) -> NDArray[np.float32]:
    """f_i = F0(p_i), [n, C]: what the features at each handle are to stay like."""
    return _core.sample(_whitened(windows, whitening).values, windows.plan, points)


def track(
    windows: FeatureWindows,
    points: Points,
    references: NDArray[np.float32],
    settings: DragSettings,
    threads: _core.Threads,
    whitening: Float32 | None,
) -> Points:
    """The pixel near each handle whose features are nearest to its reference (equation 2).

    Args:
        windows: The feature map after the update.
        points: Handles before it, [n, 2].
        references: f_i, [n, C].
        settings: Gives the window's reach and the norm, and whether to look between pixels.
        threads: How many the kernel may use.
        whitening: What features are mapped by before they are compared, as the references were;
            None for nothing.

    Returns:
        The new handles, [n, 2]; on whole pixels unless looked for between them.
    """
    windows = _whitened(windows, whitening)
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


def _whitened(windows: FeatureWindows, whitening: Float32 | None) -> FeatureWindows:
    if whitening is None:
        return windows
    count, channels, *_ = windows.values.shape
    mapped = whitening @ windows.values.reshape(count, channels, -1)
    return FeatureWindows(mapped.reshape(windows.values.shape), windows.plan)


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
