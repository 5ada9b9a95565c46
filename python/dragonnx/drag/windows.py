"""Windows of the feature map around handles: what a step needs, and no more of it.

Once styles are fixed the network is local, so a step needs the feature map only around its
handles. From the `cut` on, each of the network's levels, blocks or layers, computes a window around
each handle. A window is planned from the finest level to the coarsest, so that each holds whatever
the next one reads. Windows are moved inside the map, never cut short: all have one size, and that
size does not change from step to step.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dragonnx import _core
from dragonnx.drag.block_windows import BlockWindows
from dragonnx.drag.layer_windows import LayerWindows
from dragonnx.errors import BundleError, InputError
from dragonnx.model.facts import FeatureMap, LayerWindowFacts, WindowFacts
from dragonnx.model.manifest import Manifest
from dragonnx.types import Float32, Points

_Cells = NDArray[np.int64]


@dataclass(frozen=True)
class FeatureWindows:
    """Windows of a feature map; the whole map is one window at the origin.

    Attributes:
        values: [N, C, h, w], float32.
        plan: Where they lie and which one each point reads.
    """

    values: NDArray[np.float32]
    plan: _core.WindowPlan


def require_finite(features: Float32) -> None:
    """Refuse features of a first picture that nothing can be followed by.

    Raises:
        InputError: Some are infinite or no numbers.
    """
    if not np.isfinite(features).all():
        raise InputError(
            "the model's features of this latent are not finite numbers, so nothing can be dragged: take a "
            "latent nearer to those of its seeds, or export the bundle again"
        )


class WindowedNetwork(Protocol):
    """The levels of a network up to its feature map, as far as their windows depend on them.

    Sizes are (x, y), as points are.
    """

    def __hash__(self) -> int: ...

    def planned(
        self, cut: int, first: _Cells, size: tuple[int, int]
    ) -> tuple[_Cells, dict[str, NDArray[Any]]]:
        """Windows of the feature map, and what graphs take to compute them.

        Args:
            cut: The first level that computes windows.
            first: (x, y) of the first cell that each is to hold, [n, 2]; -1 occurs.
            size: Of the windows, no larger than the map.

        Returns:
            (x, y) of each window's first cell, [n, 2], and the graphs' inputs by name.
        """

    def multiply_adds(self, cut: int | None, size: tuple[int, int], points: int) -> float:
        """What a forward pass costs, with what windows cost besides: of whole maps where there is no cut.

        Args:
            cut: The first level that computes windows; None for whole maps.
            size: Of the windows of the feature map.
            points: How many windows there are.
        """


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """What the planner must know of a model. Sizes are (height, width).

    Attributes:
        image_size: In pixels.
        feature_size: Of the feature map, in cells.
        network: What computes windows; None where the model's graphs know none.
        margin: Cells on each side of the feature map that lie beyond the image.
    """

    image_size: tuple[int, int]
    feature_size: tuple[int, int]
    network: WindowedNetwork | None = None
    margin: int = 0

    @classmethod
    def of(cls, manifest: Manifest) -> Geometry:
        """The geometry of a bundle's model.

        Raises:
            BundleError: Its feature map does not cover the image, with the same number of cells on each
                side beyond it, as the kernels take it.
        """
        given, windows = manifest.feature_map, manifest.windows
        margin = _margin(given, manifest.image_size)
        if margin is None or (margin and isinstance(windows, WindowFacts)):
            raise BundleError(
                f"the feature map of the model {manifest.name} lies on its image as this dragonnx cannot "
                "drag it: use the dragonnx that it was made for"
            )
        network: WindowedNetwork | None = None
        if isinstance(windows, LayerWindowFacts):
            network = LayerWindows(windows.layers)
        elif windows:
            network = BlockWindows(
                blocks=windows.blocks,
                channels=windows.channels,
                resample_filter=windows.resample_filter,
                feature_size=given.size,
            )
        return cls(
            image_size=manifest.image_size,
            feature_size=given.size,
            network=network,
            margin=margin,
        )

    def whole_plan(self, points: int) -> _core.WindowPlan:
        """The plan of the whole map for so many points."""
        return _core.WindowPlan.whole(self.feature_size, self.image_size, points, self.margin)

    def window_plan(self, origins: _Cells, size: tuple[int, int]) -> _core.WindowPlan:
        """The plan of one window for each point: first cells (x, y) [n, 2], and (height, width)."""
        indices = np.arange(len(origins))
        return _core.WindowPlan(
            origins, size, self.feature_size, self.image_size, indices, self.margin
        )

    def pixels(self, cells: int) -> float:
        """How far so many cells reach in the image, along the axis where they are larger."""
        return max(
            cells * length / (side - 2 * self.margin)
            for length, side in zip(self.image_size, self.feature_size, strict=True)
        )

    def window_size(self, reach: float) -> tuple[int, int]:
        """(x, y) of the windows that hold an interval of 2 reach pixels along each axis.

        It touches so many cells, and each is read with its neighbour.
        """
        covering = (side - 2 * self.margin for side in self.feature_size)
        height, width = (
            min(math.ceil(2 * reach * inner / length) + 2, cells)
            for inner, length, cells in zip(
                covering, self.image_size, self.feature_size, strict=True
            )
        )
        return width, height


@dataclass(frozen=True)
class GraphWindows:
    """Windows for one run of the windowed graphs.

    Attributes:
        cut: The first level that computes windows.
        origins: (x, y) of each window's first cell in the feature map, [n, 2].
        size: (height, width) of the windows, in cells.
        inputs: What graphs may take, by name; see `planned` of the network.
    """

    cut: int
    origins: _Cells
    size: tuple[int, int]
    inputs: Mapping[str, NDArray[Any]] = field(repr=False)


def _margin(given: FeatureMap, image_size: tuple[int, int]) -> int | None:
    """The cells on each side of a map beyond the image; None where that is no number of cells."""
    # As the map lies, its first cell's left side is so many cells before the image's.
    margin = round(-(given.offset[0] + 0.5) / given.rate[0] + 0.5)
    inner = given.size[0] - 2 * margin, given.size[1] - 2 * margin
    if margin < 0 or min(inner) < 1:
        return None
    covering = FeatureMap.over(image_size, inner, given.channels)
    first = tuple(
        offset - margin * rate for offset, rate in zip(covering.offset, covering.rate, strict=True)
    )
    fits = given.rate == covering.rate and given.offset == first
    return margin if fits else None


def plan_windows(points: Points, reach: float, geometry: Geometry, cut: int) -> GraphWindows:
    """Windows that hold every tap of the feature map within a square around each point.

    Args:
        points: (x, y) in pixels, [n, 2].
        reach: Half the square's side, in pixels; what lies outside the image is not needed.
        geometry: The model's sizes; it has a network.
        cut: The first level that computes windows.
    """
    assert geometry.network is not None, "there are no cuts without one"  # noqa: S101
    first = first_cells(points, reach, geometry)
    size = geometry.window_size(reach)
    return _planned(tuple(map(tuple, first.tolist())), size, geometry.network, cut)


@functools.lru_cache(maxsize=16)
def _planned(
    first: tuple[tuple[int, int], ...], size: tuple[int, int], network: WindowedNetwork, cut: int
) -> GraphWindows:
    """The windows from these first cells on: the same from step to step while handles move little."""
    origins, inputs = network.planned(cut, np.array(first), size)
    for values in (*inputs.values(), origins):
        values.setflags(write=False)
    return GraphWindows(cut, origins, size[::-1], inputs)


def first_cells(points: Points, reach: float, geometry: Geometry) -> _Cells:
    """The first cell (x, y) of the feature map that is read around each point, [n, 2]; -1 occurs.

    Args:
        points: (x, y) in pixels, [n, 2].
        reach: How far around them is read, in pixels.
        geometry: The model's sizes.
    """
    length, cells = np.array(geometry.image_size[::-1]), np.array(geometry.feature_size[::-1])
    covering, margin = cells - 2 * geometry.margin, geometry.margin
    lowest = np.minimum(np.maximum(points - reach, 0), length - 1)
    first: _Cells = np.floor((lowest + 0.5) * covering / length - 0.5 + margin).astype(np.int64)
    return first


def cut_out(
    windows: FeatureWindows, points: Points, reach: float, around: int = 0
) -> FeatureWindows:
    """Windows of what is read around points: parts of a whole map, where windows are one.

    Args:
        windows: Of a map.
        points: (x, y) in pixels, [n, 2].
        reach: How far around them is read, in pixels.
        around: Cells that are read besides, on each side of those.
    """
    plan, (height, width) = windows.plan, windows.plan.window_size
    if (height, width) != plan.feature_size or len(windows.values) > 1:
        return windows
    geometry = Geometry(
        image_size=plan.image_size, feature_size=plan.feature_size, margin=plan.margin
    )
    reach += geometry.pixels(around)
    columns, rows = geometry.window_size(reach)
    if len(points) * columns * rows >= width * height:
        return windows
    origins = np.clip(first_cells(points, reach, geometry), 0, (width - columns, height - rows))
    values = np.stack(
        [windows.values[0, :, y : y + rows, x : x + columns] for x, y in origins.tolist()]
    )
    return FeatureWindows(values, geometry.window_plan(origins, (rows, columns)))
