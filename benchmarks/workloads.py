"""What benchmarks time: drags and images of one generator on a device, and how they are timed.

Knows no torch, so that a process which never loads it can be measured too.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from dragonnx import DragConfig, DragSession, Generator
from dragonnx.drag.config import PresetName
from dragonnx.types import Precision

Work = Callable[[], object]


@dataclass(frozen=True)
class Place:
    """Where, how exactly and by which preset dragonnx computes.

    Attributes:
        device: As `Generator.open` takes it: "cpu", "cuda", "cuda:1".
        precision: Of its arithmetic, likewise; "auto" is what users get who say nothing.
        preset: Of drags; "paper" does in a step what plain torch does.
    """

    device: str = "cpu"
    precision: Precision = "auto"
    preset: PresetName = "paper"

    @property
    def on_card(self) -> bool:
        """Whether it is a GPU."""
        return self.device != "cpu"

    def open(self, bundle: Path) -> Generator:
        """The generator of a bundle."""
        return Generator.open(bundle, device=self.device, precision=self.precision)


def points(size: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Handles spread over the image, each with a target far away."""
    random = np.random.default_rng(count)
    handles = random.integers(size // 8, size * 7 // 8, (count, 2)).astype(np.float64)
    return handles, size - 1 - handles + np.where(handles == (size - 1) / 2, 9.0, 0.0)


def half_mask(size: int) -> np.ndarray:
    """The left half may move."""
    mask = np.zeros((size, size), bool)
    mask[:, : size // 2] = True
    return mask


def dragonnx_step(
    generator: Generator,
    count: int,
    preset: PresetName,
    *,
    windows: bool = True,
    masked: bool = False,
) -> Work:
    """A function that does one step of a running drag."""
    size = generator.manifest.image_size[0]
    handles, targets = points(size, count)
    mask = half_mask(size) if masked else None
    config = DragConfig(preset=preset, windows=windows, max_steps=10**6, step_size=1e-4)
    session = DragSession(generator, generator.w_plus(0), handles, targets, mask, config)
    session.settings = replace(session.settings, stall_steps=None)  # no step comes nearer
    return lambda: next(session)


def dragonnx_image(generator: Generator) -> Work:
    """A function that renders one picture of 8 bits into host memory."""
    w_plus = generator.w_plus(0)
    return lambda: generator.image(w_plus)


def interleaved(
    works: Mapping[str, Work], rounds: int, wait: Callable[[], None] | None = None
) -> dict[str, float]:
    """Median seconds of each, taken in turn so that a drift of the machine meets all alike.

    Args:
        works: By name; those of plain torch have names that begin so.
        rounds: How often each is taken; the first round more only warms up.
        wait: Returns when a card has done what it was given; None on the CPU. There each is taken
            many times in a row, as a drag does, after some that do not count: the work of the others
            has emptied the caches.
    """
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, work in works.items():
            if wait is not None:
                before, counted = 5, 15
            else:
                # What is quick is taken more often in a round: its median needs more values.
                before, counted = 0, 1 if name.startswith("torch") else 4
            for turn in range(before + counted):
                if wait is not None:
                    wait()
                began = time.perf_counter()
                work()
                if wait is not None:
                    wait()
                if number and turn >= before:
                    seconds[name].append(time.perf_counter() - began)
    return {name: statistics.median(values) for name, values in seconds.items()}
