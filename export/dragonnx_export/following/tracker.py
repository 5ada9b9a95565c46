"""Points followed through the pictures of a drag, as the preset `best` does it where nothing was learned."""

from __future__ import annotations

import numpy as np

from dragonnx import _core
from dragonnx.drag.config import DragConfig
from dragonnx.drag.descriptor import Descriptor
from dragonnx.drag.tracking import reference_features, track
from dragonnx.drag.windows import FeatureWindows, Geometry
from dragonnx.types import Float32, Points

_REACH = 32
"""Of the window, in pixels at 512 px: larger than in a drag, since pictures are some steps apart."""


class Tracker:
    """Follows points by one of a model's feature maps.

    Args:
        geometry: How the map lies on the image.
        features: The map of each picture, [pictures, C, h, w].
        threads: What kernels may use; None for all cores.
    """

    def __init__(self, geometry: Geometry, features: Float32, threads: int | None) -> None:
        self._geometry = geometry
        self._features = features
        self._descriptor = Descriptor.of(features[0])
        self._threads = _core.Threads(threads)
        self._settings = DragConfig(preset="best", r2=_REACH).settings(
            image_height=geometry.image_size[0], point_count=1, trainable_layers=1, recommended={}
        )

    def through(self, points: Points, *, backwards: bool = False) -> Points:
        """Where points of the first picture are in each, [pictures, n, 2].

        Args:
            points: (x, y) in pixels, [n, 2].
            backwards: Begin with the last picture, and end with the first.
        """
        plan = self._geometry.whole_plan(len(points))
        features = self._features[::-1] if backwards else self._features
        first, *others = (FeatureWindows(each[None], plan) for each in features)
        references = reference_features(first, points, self._descriptor)
        way = [points]
        for picture in others:
            found = track(
                picture, way[-1], references, self._settings, self._threads, self._descriptor
            )
            way.append(found)
        return np.array(way)
