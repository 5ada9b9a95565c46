"""How drags of the bundled model's landmarks end: reached or not, and where the landmark is then.

Landmarks of many seeds are dragged to fixed places beside them. Where they are at first, and where
they came to, the landmark estimator tells from the image alone, not the drag's own tracking.

    python benchmarks/landmark_drags.py
    python benchmarks/landmark_drags.py --r1 12 --r2 40
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dragonnx import DragConfig, DragSession, Generator, Outcome
from dragonnx_critters.estimator import FindLandmarks, as_images
from dragonnx_critters.estimator_graph import open_estimator
from dragonnx_critters.landmarks import LANDMARK_NAMES

ESTIMATOR = Path(__file__).parents[1] / "export" / "critters" / "weights" / "landmarks.onnx"
MOVES = {
    "nose": (32, 0),
    "left ear tip": (0, -20),
    "right eye": (-16, 6),
    "chin": (0, 12),
    "left mouth corner": (-7, 0),
}
"""Where each goes, in pixels of 256; noses towards the middle, ear tips down where they are high."""
_AROUND = 24
"""Half the side of the square whose contrast is compared, in pixels."""


@dataclass(frozen=True)
class Dragged:
    """How one drag ended.

    Attributes:
        landmark: What was dragged.
        reached: Whether the drag ended at its target, by its own tracking.
        steps: How many it took.
        off: Pixels from the target to the landmark, by the estimator.
        sharpness: Contrast between neighbouring pixels around the target, over that around the
            handle before.
    """

    landmark: str
    reached: bool
    steps: int
    off: float
    sharpness: float


def drag(
    generator: Generator, find: FindLandmarks, seed: int, landmark: str, config: DragConfig
) -> Dragged:
    """Drag a landmark of a seed."""
    index = LANDMARK_NAMES.index(landmark)
    w_plus = generator.w_plus(seed)
    before = generator.image(w_plus)
    handle = place(find, before, index).round()
    target = handle + move(landmark, handle, before.width)
    session = DragSession(generator, w_plus, [handle], [target], config=config)
    steps = sum(1 for _ in session)
    after = generator.image(session.w_plus)
    return Dragged(
        landmark,
        reached=session.outcome is Outcome.REACHED,
        steps=steps,
        off=float(np.linalg.norm(place(find, after, index) - target)),
        sharpness=contrast(after, target) / contrast(before, handle),
    )


def place(find: FindLandmarks, picture: Image.Image, index: int) -> NDArray[np.float32]:
    """Where a landmark is, (x, y)."""
    found: NDArray[np.float32] = find(as_images(np.asarray(picture)[None]).numpy())[0, index]
    return found


def move(landmark: str, handle: NDArray[np.float32], width: int) -> NDArray[np.float64]:
    """From handle to target, within the image."""
    x, y = MOVES[landmark]
    if landmark == "nose" and handle[0] > width / 2:
        x = -x
    if handle[1] + y < _AROUND:
        y = -y
    return np.array([x, y], np.float64)


def contrast(picture: Image.Image, around: NDArray[np.floating]) -> float:
    """The root mean square difference of neighbouring pixels."""
    x, y = around.astype(int)
    box = (x - _AROUND, y - _AROUND, x + _AROUND, y + _AROUND)
    grey = np.asarray(picture.convert("L").crop(box), np.float64)
    return float(np.sqrt((np.diff(grey, axis=0) ** 2).mean() + (np.diff(grey, axis=1) ** 2).mean()))


def table(outcomes: list[Dragged]) -> Iterator[str]:
    """A line a landmark, and one for all of them."""
    yield "| landmark | reached | steps | off, median | off, 90 % | sharpness |"
    yield "|---|---|---|---|---|---|"
    for name in (*MOVES, "all"):
        some = [outcome for outcome in outcomes if name in (outcome.landmark, "all")]
        off = [outcome.off for outcome in some]
        yield (
            f"| {name} | {sum(outcome.reached for outcome in some)} of {len(some)} "
            f"| {np.mean([outcome.steps for outcome in some]):.0f} | {np.median(off):.1f} px "
            f"| {np.percentile(off, 90):.1f} px "
            f"| {np.median([outcome.sharpness for outcome in some]):.2f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=16, help="Seeds 0 to N - 1 [16].")
    for name in ("--step-size", "--r1", "--r2"):
        parser.add_argument(name, type=float, help="Instead of the model's own.")
    arguments = parser.parse_args()
    config = DragConfig(step_size=arguments.step_size, r1=arguments.r1, r2=arguments.r2)
    generator, find = Generator.open("critters", device="cpu"), open_estimator(ESTIMATOR)
    outcomes = [
        drag(generator, find, seed, landmark, config)
        for landmark in MOVES
        for seed in range(arguments.seeds)
    ]
    print("\n".join(table(outcomes)))


if __name__ == "__main__":
    main()
