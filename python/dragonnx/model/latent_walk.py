"""From latent to latent in even steps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from dragonnx.errors import InputError
from dragonnx.reading.array_values import checked_array
from dragonnx.reading.values import flag, whole
from dragonnx.types import Float32

MOST_FRAMES = 10_000
"""Of a walk: a quarter of an hour as a film."""


def walk(waypoints: ArrayLike, frames: int, *, loop: bool = False) -> Iterator[Float32]:
    """Latents on straight lines from waypoint to waypoint, made one by one.

    Each waypoint is one of the frames, to the last bit; the others lie evenly between two of them.

    Args:
        waypoints: At least two w_plus, [N, num_ws, w_dim], as `Generator.w_plus(seed=[1, 2, 3])` gives
            them; `np.concatenate([first, second])` joins single ones.
        frames: How many latents there are, at least one a waypoint.
        loop: Whether to go back to the first waypoint. It is not there a second time at the end, so
            that an animation that begins again goes on evenly.

    Returns:
        w_plus [1, num_ws, w_dim], so many of them.

    Raises:
        InputError: An argument is of another type or shape, or there are too few waypoints or frames.
    """
    points = checked_array(waypoints, "waypoints", ("N", "num_ws", "w_dim"), np.float32)
    check_walk(len(points), frames)
    return _between(points, frames, flag(loop, "loop"))


def check_walk(waypoints: int, frames: object) -> None:
    """Refuse a walk of too few waypoints, or of too few frames for them.

    Raises:
        InputError: It is one.
    """
    if waypoints < 2:
        raise InputError(f"a walk goes from one latent to another: two or more, not {waypoints}")
    whole(frames, "frames", waypoints, max(MOST_FRAMES, waypoints))


def _between(points: Float32, frames: int, loop: bool) -> Iterator[Float32]:
    legs = len(points) if loop else len(points) - 1
    last = frames if loop else frames - 1
    ends = [round(k * last / legs) for k in range(legs + 1)]
    for leg in range(legs):
        start, end = points[leg], points[(leg + 1) % len(points)]
        steps = ends[leg + 1] - ends[leg]
        for step in range(steps):
            share = np.float32(step / steps)
            yield (start + share * (end - start))[None]
    if not loop:
        yield points[-1:].copy()
