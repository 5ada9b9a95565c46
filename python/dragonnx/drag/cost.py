"""A small model of what a step costs, to choose between whole maps and windows."""

from __future__ import annotations

from collections.abc import Sequence

from dragonnx.drag.windows import Geometry, window_sizes

_TAPS = 9
_WINDOWED_BLOCK = 2e6
"""What handling the windows of one block costs beside its convolutions, in multiply-adds."""


def cheapest_cut(
    geometry: Geometry, channels: Sequence[int], cuts: Sequence[int], reach: float, points: int
) -> int | None:
    """The cut with the fewest multiply-adds for so many windows; None where whole maps have fewer.

    Args:
        geometry: The model's sizes.
        channels: Of each block up to the feature map's.
        cuts: The cuts that the model has graphs for.
        reach: Half the side of what a window must hold, in pixels.
        points: How many windows there are.
    """
    options: list[int | None] = [None, *cuts]
    return min(options, key=lambda cut: cost(geometry, channels, cut, reach, points))


def cost(
    geometry: Geometry, channels: Sequence[int], cut: int | None, reach: float, points: int
) -> float:
    """Multiply-adds of the convolutions of one forward pass, plus what windows cost besides."""
    windows = {} if cut is None else _window_cells(geometry, reach, cut)
    total = 0.0
    inputs = channels[0]
    source = 0.0  # cells that the block before gives
    rows, columns = (side >> (len(geometry.blocks) - 1) for side in geometry.feature_size)
    for block, outputs in zip(geometry.blocks, channels, strict=True):
        given = float(rows * columns)
        if block in windows:
            given = points * windows[block]
            total += _WINDOWED_BLOCK
        total += _TAPS * outputs * (source * inputs + given * outputs)
        inputs, source = outputs, given
        rows, columns = 2 * rows, 2 * columns
    return total


def _window_cells(geometry: Geometry, reach: float, cut: int) -> dict[int, int]:
    """Cells of one window in each block from the cut on."""
    heights, widths = (
        window_sizes(reach, length, cells, geometry.blocks, cut)
        for length, cells in zip(geometry.image_size, geometry.feature_size, strict=True)
    )
    return {block: heights[block] * widths[block] for block in heights}
