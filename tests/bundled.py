"""Facts of the bundled model that tests build on: its sizes, and what can be dragged where."""

from __future__ import annotations

SIZE = 128
"""Side of its images in pixels."""
Z_DIM, W_DIM, NUM_WS = 16, 128, 12
SEED = 13
NOSE, NOSE_TARGET = (48, 85), (74, 83)
"""Of that seed; the target is a fifth of the image away."""
NOSE_NEAR = (58, 84)
"""A target that is reached sooner."""
EYE, EYE_TARGET = (36, 73), (60, 71)
"""Of the same seed; it follows the nose to its target."""
FAR = (120, 10)
"""Where no feature of the animal can be brought."""


def point_option(handle: tuple[int, int] = NOSE, target: tuple[int, int] = NOSE_TARGET) -> str:
    """A pair as the command line takes it."""
    return f"{handle[0]},{handle[1]}:{target[0]},{target[1]}"
