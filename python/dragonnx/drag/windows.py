"""What the kernels read: the feature map, or windows of it, and where they lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class FeatureWindows:
    """Windows of a feature map; the whole map is one window at the origin.

    Attributes:
        values: [N, C, h, w], float32.
        origins: (x, y) of each window's first cell in the whole feature map, [N, 2].
        feature_size: (height, width) of the whole feature map.
        image_size: (height, width) of the image, in pixels.
        window_index: Which window each point reads, [n].
    """

    values: NDArray[np.float32]
    origins: NDArray[np.int64]
    feature_size: tuple[int, int]
    image_size: tuple[int, int]
    window_index: NDArray[np.int64]

    @classmethod
    def whole(
        cls, features: NDArray[np.float32], image_size: tuple[int, int], point_count: int
    ) -> FeatureWindows:
        """The whole feature map [1, C, h, w], read by every point."""
        return cls(
            values=features,
            origins=np.zeros((1, 2), np.int64),
            feature_size=(features.shape[2], features.shape[3]),
            image_size=image_size,
            window_index=np.zeros(point_count, np.int64),
        )
