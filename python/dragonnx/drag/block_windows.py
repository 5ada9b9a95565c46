"""Windows of StyleGAN2: from a block on, each computes one around each handle.

- a block's second layer, a 3x3 convolution, gives the cells a .. a+s-1 from a-1 .. a+s, where what
  lies outside the image is zero, as in the network's own padding;
- its first layer, a 3x3 transposed convolution of stride 2 and a filter of four taps, gives the cell
  k from the cells ceil((k-3)/2) .. floor((k+2)/2) of the block before.

So s cells want floor(s/2) + 4 of the block before, wherever they begin.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_Cells = NDArray[np.int64]

_TAPS = 9
_WINDOWED_BLOCK = 2e6
"""What handling the windows of one block costs beside its convolutions, in multiply-adds."""
_INNER_WINDOW = 0.95
"""What a multiply-add costs in windows of a block before the last, where one in a whole map costs 1. It settles
16 points of config-f, whose costs are alike: cut at 32 a step takes 0.92 of the time that it takes cut at 64."""


@dataclass(frozen=True, kw_only=True)
class BlockWindows:
    """The blocks up to the feature map's; see `WindowedNetwork`.

    Attributes:
        blocks: Their resolutions: 4, 8, ...
        channels: What each gives.
        resample_filter: The four taps of the low-pass filter.
        feature_size: (height, width) of the last one's map, in cells.
    """

    blocks: tuple[int, ...]
    channels: tuple[int, ...]
    resample_filter: tuple[float, ...]
    feature_size: tuple[int, int]

    def planned(
        self, cut: int, first: _Cells, size: tuple[int, int]
    ) -> tuple[_Cells, dict[str, NDArray[Any]]]:
        """See `WindowedNetwork`.

        For each block of resolution R the graphs may take

            row_taps_R, column_taps_R   float32 [n, 1, s + 2, m + 1], and turned
            cells_R, inner_cells_R      int64 [n, 1, s + 2, s + 2] and [n, 1, s, s]

        as `dragonnx_export.families.stylegan2.windows` describes them; graphs of dragonnx 0.1 take
        rows_R and columns_R, int64 [n, s + 2], the cells of a window along one axis with one beyond
        each side, and row_filter_R and column_filter_R, float32 [n, 1, s + 2, m], the taps but the last.
        """
        cells = self.feature_size[1], self.feature_size[0]
        columns, rows = (
            self._sizes(side, length, cut) for side, length in zip(size, cells, strict=True)
        )
        levels: list[_Level] = []
        for block in columns:
            side = columns[block], rows[block]
            limits = (cells[0] - side[0], cells[1] - side[1])
            origins = np.minimum(np.maximum(first, 0), limits)
            levels.append(_Level(block, origins, side, cells))
            first = (origins - 3) // 2  # ceil((k - 3) / 2) for the first cell read, k = origin - 1
            cells = cells[0] // 2, cells[1] // 2
        # The first windowed block reads the whole map of the block before.
        sources = [*levels[1:], _Level(cut // 2, np.zeros((1, 2), np.int64), cells, cells)]
        inputs = {
            f"{kind}_{level.block}": values
            for level, source in zip(levels, sources, strict=True)
            for kind, values in _inputs(level, source, self.resample_filter).items()
        }
        return levels[0].origins, inputs

    def multiply_adds(self, cut: int | None, size: tuple[int, int], points: int) -> float:
        """See `WindowedNetwork`."""
        windows: dict[int, int] = {}
        if cut is not None:
            lengths = self.feature_size[::-1]
            widths, heights = (
                self._sizes(side, length, cut) for side, length in zip(size, lengths, strict=True)
            )
            windows = {block: heights[block] * widths[block] for block in heights}
        total = 0.0
        inputs = self.channels[0]
        source = 0.0  # cells that the block before gives
        rows, columns = (side >> (len(self.blocks) - 1) for side in self.feature_size)
        for block, outputs in zip(self.blocks, self.channels, strict=True):
            given = cells = float(rows * columns)
            weight = 1.0
            if block in windows:
                given = points * windows[block]
                total += _WINDOWED_BLOCK
                if windows[block] < cells and block != self.blocks[-1]:
                    weight = _INNER_WINDOW
            total += weight * _TAPS * outputs * (source * inputs + given * outputs)
            inputs, source = outputs, given
            rows, columns = 2 * rows, 2 * columns
        return total

    def _sizes(self, side: int, cells: int, cut: int) -> dict[int, int]:
        """The side of the windows in each block from the cut on, along one axis, from the last one's."""
        sizes = {}
        for block in reversed(self.blocks):
            if block < cut:
                break
            sizes[block] = side
            cells //= 2
            side = min(side // 2 + 4, cells)
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
