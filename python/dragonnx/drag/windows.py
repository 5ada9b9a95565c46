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

import functools
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
        margin: Cells on each side of the feature map that lie beyond the image.
    """

    image_size: tuple[int, int]
    feature_size: tuple[int, int]
    blocks: tuple[int, ...]
    resample_filter: tuple[float, ...]
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
        if margin is None or (margin and windows):
            raise BundleError(
                f"the feature map of the model {manifest.name} lies on its image as this dragonnx cannot "
                "drag it: use the dragonnx that it was made for"
            )
        return cls(
            image_size=manifest.image_size,
            feature_size=given.size,
            blocks=windows.blocks if windows else (),
            resample_filter=windows.resample_filter if windows else (),
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


@dataclass(frozen=True)
class GraphWindows:
    """Windows for one run of the windowed graphs.

    Attributes:
        cut: Resolution of the first windowed block.
        origins: (x, y) of each window's first cell in the feature map, [n, 2].
        size: (height, width) of the windows, in cells.
        inputs: What graphs may take, by name, for each block of resolution R:

                row_taps_R, column_taps_R   float32 [n, 1, s + 2, m + 1], and turned
                cells_R, inner_cells_R      int64 [n, 1, s + 2, s + 2] and [n, 1, s, s]

            as `dragonnx_export.families.stylegan2.windows` describes them; and what graphs of
            dragonnx 0.1 take: rows_R and columns_R, int64 [n, s + 2], the cells of a window along
            one axis with one beyond each side, and row_filter_R and column_filter_R, float32
            [n, 1, s + 2, m], the taps but the last.
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
        geometry: The model's sizes.
        cut: Resolution of the first windowed block.
    """
    first = first_cells(points, reach, geometry)
    return _planned(tuple(map(tuple, first.tolist())), reach, geometry, cut)


@functools.lru_cache(maxsize=16)
def _planned(
    first_read: tuple[tuple[int, int], ...], reach: float, geometry: Geometry, cut: int
) -> GraphWindows:
    """The windows from these first cells on: the same from step to step while handles move little."""
    # Sizes of both axes as (x, y), as points are.
    lengths, cells = geometry.image_size[::-1], geometry.feature_size[::-1]
    columns, rows = (
        window_sizes(reach, length, count, geometry.blocks, cut)
        for length, count in zip(lengths, cells, strict=True)
    )
    first = np.array(first_read)
    levels: list[_Level] = []
    for block in columns:
        size = columns[block], rows[block]
        limits = (cells[0] - size[0], cells[1] - size[1])
        origins = np.minimum(np.maximum(first, 0), limits)
        levels.append(_Level(block, origins, size, cells))
        first = (origins - 3) // 2  # ceil((k - 3) / 2) for the first cell read, k = origin - 1
        cells = cells[0] // 2, cells[1] // 2
    # The first windowed block reads the whole map of the block before.
    sources = [*levels[1:], _Level(cut // 2, np.zeros((1, 2), np.int64), cells, cells)]
    inputs = {
        f"{kind}_{level.block}": values
        for level, source in zip(levels, sources, strict=True)
        for kind, values in _inputs(level, source, geometry.resample_filter).items()
    }
    for values in (*inputs.values(), levels[0].origins):
        values.setflags(write=False)
    return GraphWindows(cut, levels[0].origins, levels[0].size[::-1], inputs)


def window_side(reach: float, length: int, cells: int) -> int:
    """How many cells of a map of so many an interval of 2 reach pixels of the image wants.

    It touches so many, and each is read with its neighbour.
    """
    return min(math.ceil(2 * reach * cells / length) + 2, cells)


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
    """The windows of one block. Sizes are (x, y), in cells.

    Attributes:
        block: Its resolution.
        origins: First cells, [n, 2]; one for all, [1, 2], where the window is the whole map.
        size: Of a window.
        length: Of the block's map.
    """

    block: int
    origins: _Cells
    size: tuple[int, int]
    length: tuple[int, int]


def _inputs(
    level: _Level, source: _Level, resample_filter: tuple[float, ...]
) -> dict[str, NDArray[Any]]:
    """What graphs take of one block's windows, by kind; its source is the block before."""
    cells = _cells(level)[:, None]
    row_taps, column_taps = (
        _taps(level, source, axis, resample_filter)[:, None] for axis in (1, 0)
    )
    columns, rows = (level.origins[:, axis, None] + _around(level.size[axis]) for axis in range(2))
    return {
        "row_taps": row_taps,
        "column_taps": column_taps.swapaxes(2, 3),
        "cells": cells,
        "inner_cells": cells[..., 1:-1, 1:-1],
        "rows": rows,
        "columns": columns,
        "row_filter": row_taps[..., :-1],
        "column_filter": column_taps[..., :-1],
    }


def _cells(level: _Level) -> _Cells:
    """The cells of windows and around them, counted row by row, [n, s + 2, s + 2]."""
    width, height = level.length
    last_x, last_y = width - level.size[0], height - level.size[1]
    origins = level.origins
    cells: _Cells = (origins[:, 1] * width + origins[:, 0])[:, None, None] + _first_cells(
        level.size, width
    )
    outside = width * height
    for window, (x, y) in zip(cells, origins.tolist(), strict=True):
        if y == 0:
            window[0] = outside
        if y == last_y:
            window[-1] = outside
        if x == 0:
            window[:, 0] = outside
        if x == last_x:
            window[:, -1] = outside
    return cells


@functools.lru_cache(maxsize=64)
def _first_cells(size: tuple[int, int], width: int) -> _Cells:
    """The cells of a window at the origin and around it, [s + 2, s + 2]."""
    columns, rows = map(_around, size)
    cells: _Cells = np.add.outer(rows * width, columns)
    return cells


@functools.lru_cache(maxsize=64)
def _around(size: int) -> _Cells:
    """The cells of a window at the origin along one axis, and one beyond each side, [s + 2]."""
    return np.arange(-1, size + 1)


def _taps(
    level: _Level, source: _Level, axis: int, resample_filter: tuple[float, ...]
) -> NDArray[np.float32]:
    """The low-pass filter's rows along one axis for each window, [n, s + 2, 2 * source + 2]."""
    size, length, read = level.size[axis], level.length[axis], source.size[axis]
    origins = level.origins[:, axis]
    shifts = origins - 2 * source.origins[:, axis]
    return np.stack(
        [
            _window_taps(size, read, shift, at == 0, at + size == length, resample_filter)
            for at, shift in zip(origins.tolist(), shifts.tolist(), strict=True)
        ]
    )


@functools.lru_cache(maxsize=256)
def _window_taps(
    size: int,
    source: int,
    shift: int,
    at_start: bool,
    at_end: bool,
    resample_filter: tuple[float, ...],
) -> NDArray[np.float32]:
    """The low-pass filter's rows [s + 2, 2 * source + 2] of one window along one axis.

    Row i reads the transposed convolution's output from cell `shift + i - 2` of the source window
    on; rows outside the image are zero. The last tap is what a row lacks to a sum of one inside and
    zero outside. A drag meets few different ones, since windows keep their sizes.
    """
    taps = np.array(resample_filter[::-1], np.float32)
    taps *= np.float32(2 / taps.sum())
    rows = np.arange(size + 2)
    inside = np.ones(size + 2, bool)
    inside[0], inside[-1] = not at_start, not at_end
    tap = np.arange(2 * source + 1) - (shift + rows - 2)[:, None]
    read = (tap >= 0) & (tap < len(taps)) & inside[:, None]
    found = np.where(read, taps[np.clip(tap, 0, len(taps) - 1)], np.float32(0))
    return np.column_stack([found, inside - found.sum(axis=1)]).astype(np.float32)
