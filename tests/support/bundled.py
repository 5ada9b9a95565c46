"""Facts of the bundled model that tests build on: its sizes, and what can be dragged where."""

from __future__ import annotations

from pathlib import Path

SIZE = 256
"""Side of its images in pixels."""
Z_DIM, W_DIM, NUM_WS = 21, 192, 14
SEED = 40
NOSE, NOSE_TARGET = (113, 151), (153, 151)
"""Of that seed; the target is a sixth of the image away."""
NOSE_NEAR = (126, 151)
"""A target that is reached sooner."""
LANDMARKS = Path(__file__).parents[2] / "export" / "critters" / "weights" / "landmarks.onnx"
"""A graph from the model's images to the places of landmarks, among them the nose."""
NOSE_LANDMARK = 4
EYE, EYE_TARGET = (83, 122), (114, 122)
"""Of the same seed; it follows the nose to its target."""
STEP_SIZE, BEST_STEP_SIZE, R1 = 0.03, 0.008, 20
"""Settings of a drag that its manifest suggests; the second one for the preset best."""
FAR = (240, 20)
"""Where no feature of the animal can be brought."""


def point_option(handle: tuple[int, int] = NOSE, target: tuple[int, int] = NOSE_TARGET) -> str:
    """A pair as the command line takes it."""
    return f"{handle[0]},{handle[1]}:{target[0]},{target[1]}"
