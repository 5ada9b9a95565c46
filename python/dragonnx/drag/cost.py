"""A small model of what a step costs, to choose between whole maps and windows."""

from __future__ import annotations

from collections.abc import Sequence

from dragonnx.drag.windows import Geometry


def cheapest_cut(geometry: Geometry, cuts: Sequence[int], reach: float, points: int) -> int | None:
    """The cut with the fewest multiply-adds for so many windows; None where whole maps have fewer.

    Args:
        geometry: The model's sizes.
        cuts: The cuts that the model has graphs for.
        reach: Half the side of what a window must hold, in pixels.
        points: How many windows there are.
    """
    options: list[int | None] = [None, *cuts]
    return min(options, key=lambda cut: cost(geometry, cut, reach, points))


def cost(geometry: Geometry, cut: int | None, reach: float, points: int) -> float:
    """Multiply-adds of one forward pass, plus what windows cost besides; see `cheapest_cut`."""
    assert geometry.network is not None, "there are no cuts without one"  # noqa: S101
    return geometry.network.multiply_adds(cut, geometry.window_size(reach), points)
