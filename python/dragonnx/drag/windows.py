"""Windows of the feature map around handles: what a step needs, and no more of it.

Once styles are fixed the network is local, so a step needs the feature map only around its
handles. From the block `cut` on, each block computes a window around each handle. A window is
planned from the finest block to the coarsest, so that each holds whatever the next one reads:

- a block's second layer, a 3x3 convolution, gives the cells a .. a+s-1 from a-1 .. a+s, where what
  lies outside the image is zero, as in the network's own padding;
- its first layer, a 3x3 transposed convolution of stride 2 and a filter of four taps, gives the cell
  k from the cells ceil((k-3)/2) .. floor((k+2)/2) of the block before.

So s cells want floor(s/2) + 4 of the block before, wherever they begin. Windows are moved inside the
image, never cut short: all have one size, and that size does not change from step to step.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dragonnx import _core
from dragonnx.errors import BundleError
from dragonnx.model.facts import FeatureMap
from dragonnx.model.manifest import Manifest
from dragonnx.types import Points

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


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """What the planner must know of a model. Sizes are (height, width).

    Attributes:
        image_size: In pixels.
        feature_size: Of the feature map, in cells.
        blocks: Resolutions of the blocks up to the feature map's: 4, 8, ...; empty, as the filter
            is, where the model's graphs know no windows.
        resample_filter: The four taps of the low-pass filter.
    """

    image_size: tuple[int, int]
    feature_size: tuple[int, int]
    blocks: tuple[int, ...]
    resample_filter: tuple[float, ...]

    @classmethod
    def of(cls, manifest: Manifest) -> Geometry:
        """The geometry of a bundle's model.

        Raises:
            BundleError: Its feature map does not cover the image exactly, as the kernels take it.
        """
        given, windows = manifest.feature_map, manifest.windows
        if given != FeatureMap.over(manifest.image_size, given.size, given.channels):
            raise BundleError(
                f"the feature map of the model {manifest.name} does not cover its image exactly, "
                "so this dragonnx cannot drag it: use the dragonnx that it was made for"
            )
        return cls(
            image_size=manifest.image_size,
            feature_size=given.size,
            blocks=windows.blocks if windows else (),
            resample_filter=windows.resample_filter if windows else (),
        )


@dataclass(frozen=True)
class GraphWindows:
    """Windows for one run of the windowed graphs.

    Attributes:
        cut: Resolution of the first windowed block.
        origins: (x, y) of each window's first cell in the feature map, [n, 2].
        size: (height, width) of the windows, in cells.
        inputs: What the graphs take: rows_R, columns_R, row_filter_R, column_filter_R.
    """

    cut: int
    origins: _Cells
    size: tuple[int, int]
    inputs: Mapping[str, NDArray[Any]] = field(repr=False)


def plan_windows(points: Points, reach: float, geometry: Geometry, cut: int) -> GraphWindows:
    """Windows that hold every tap of the feature map within a square around each point.

    Args:
        points: (x, y) in pixels, [n, 2].
        reach: Half the square's side, in pixels; what lies outside the image is not needed.
        geometry: The model's sizes.
        cut: Resolution of the first windowed block.
    """
    inputs: dict[str, NDArray[Any]] = {}
    first_cells, sides = [], []
    for axis, kind in ((1, "row"), (0, "column")):
        side = 1 - axis
        length, cells = geometry.image_size[side], geometry.feature_size[side]
        levels = _axis_windows(points[:, axis], reach, length, cells, geometry.blocks, cut)
        for position, block in enumerate(geometry.blocks):
            if block < cut:
                continue
            level = levels[block]
            given = np.arange(-1, level.size + 1) + level.origins[:, None]
            below = levels.get(geometry.blocks[position - 1])
            source = below or _Level(np.zeros(1, np.int64), level.length // 2, level.length // 2)
            inputs[f"{kind}s_{block}"] = given
            inputs[f"{kind}_filter_{block}"] = _filter_rows(
                given, level.length, source, geometry.resample_filter
            )
        last = levels[geometry.blocks[-1]]
        first_cells.append(last.origins)
        sides.append(last.size)
    rows, columns = first_cells
    return GraphWindows(cut, np.stack([columns, rows], axis=1), (sides[0], sides[1]), inputs)


def window_side(reach: float, length: int, cells: int) -> int:
    """How many cells of a map of so many an interval of 2 reach pixels of the image wants.

    It touches so many, and each is read with its neighbour.
    """
    return min(math.ceil(2 * reach * cells / length) + 2, cells)


def first_cells(centres: NDArray[np.float64], reach: float, length: int, cells: int) -> _Cells:
    """The first cell that is read around each centre along one axis; it may be -1."""
    lowest = np.clip(centres - reach, 0, length - 1)
    return np.floor((lowest + 0.5) * cells / length - 0.5).astype(np.int64)


def window_sizes(
    reach: float, length: int, cells: int, blocks: Sequence[int], cut: int
) -> dict[int, int]:
    """The side of the windows in each block from the cut on, along one axis.

    Args:
        reach: Half the side of what is needed, in pixels.
        length: Of the image, in pixels.
        cells: Of the feature map.
        blocks: Resolutions up to the feature map's.
        cut: Resolution of the first windowed block.
    """
    size = window_side(reach, length, cells)
    sizes = {}
    for block in reversed(blocks):
        if block < cut:
            break
        sizes[block] = size
        cells //= 2
        size = min(size // 2 + 4, cells)
    return sizes


@dataclass(frozen=True)
class _Level:
    """Windows along one axis of one block: first cells [n], their number, the block's length."""

    origins: _Cells
    size: int
    length: int


def _axis_windows(
    centres: NDArray[np.float64],
    reach: float,
    length: int,
    cells: int,
    blocks: Sequence[int],
    cut: int,
) -> dict[int, _Level]:
    """The windows of each block from the cut on, along one axis, by block resolution."""
    first = first_cells(centres, reach, length, cells)
    levels = {}
    for block, size in window_sizes(reach, length, cells, blocks, cut).items():
        origins = np.clip(first, 0, cells - size)
        levels[block] = _Level(origins, size, cells)
        first = (origins - 3) // 2  # ceil((k - 3) / 2) for the first cell read, k = origin - 1
        cells //= 2
    return levels


def _filter_rows(
    given: _Cells, length: int, source: _Level, resample_filter: Sequence[float]
) -> NDArray[np.float32]:
    """The low-pass filter's rows [n, 1, given, 2 * source + 1] for the cells `given` [n, cells].

    Row k reads the transposed convolution's output at k - 1 .. k + 2, counted from the source
    window's first cell; rows outside the image are zero.
    """
    taps = np.array(resample_filter[::-1], np.float32)
    taps *= np.float32(2 / taps.sum())
    rows = given - 2 * source.origins[:, None]
    tap = np.arange(2 * source.size + 1) - rows[:, :, None] + 1
    read = (tap >= 0) & (tap < len(taps)) & ((given >= 0) & (given < length))[:, :, None]
    return np.where(read, taps[np.clip(tap, 0, len(taps) - 1)], np.float32(0))[:, None]
