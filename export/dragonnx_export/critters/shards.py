"""Training data on disk: renders in shards of uint8, written ahead by one process, read by another.

A shard is `shard-00007.npy`, [SHARD, size, size, 3]; its critters are those of `random_z(7, SHARD)`,
so that nothing else needs storing. Shard 0 is held out from training.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dragonnx_export.critters.factors import factors_of_z, random_z
from dragonnx_export.critters.render import render

SHARD = 256
"""Images a shard."""
SIZES = (64, 256)
"""Sizes of the images: training at a resolution pools the smallest that reach it."""
_FINE = 256  # rays along a side of the smaller images; larger ones get two a pixel


def shard_folder(root: Path, size: int) -> Path:
    """Where the shards of an image size lie."""
    return root / f"{size}px"


def render_shards(
    root: Path, size: int, shards: int, wait: Callable[[], None] = lambda: None
) -> None:
    """Render those of the first `shards` shards that are missing.

    Args:
        root: Folder of all sizes.
        size: Side of the images in pixels.
        shards: How many shards there are to be, the held-out one included.
        wait: Called before every image; it may block.
    """
    folder = shard_folder(root, size)
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(shards):
        path = folder / f"shard-{index:05}.npy"
        if path.exists():
            continue
        images = np.empty((SHARD, size, size, 3), np.uint8)
        for image, z in zip(images, random_z(index, SHARD), strict=True):
            wait()
            image[:] = render(factors_of_z(z), size, max(2, _FINE // size))
        temporary = path.with_suffix(".partial")
        with temporary.open("wb") as stream:
            np.save(stream, images)
        temporary.replace(path)


class Shards:
    """The shards of one size: a growing set of pairs of latent code and image."""

    def __init__(self, root: Path, size: int) -> None:
        self.size = size
        self._folder = shard_folder(root, size)
        self._images: list[NDArray[np.uint8]] = []
        self._z: list[NDArray[np.float32]] = []
        self.refresh()

    def refresh(self) -> None:
        """Take in shards written since."""
        while (path := self._folder / f"shard-{len(self._images):05}.npy").exists():
            self._z.append(random_z(len(self._images), SHARD))
            self._images.append(np.load(path, mmap_mode="r"))

    def __len__(self) -> int:
        """How many shards there are, the held-out one included."""
        return len(self._images)

    def held_out(self, count: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """The first critters of shard 0: z [count, FACTOR_COUNT], images [count, size, size, 3]."""
        return self._z[0][:count], np.array(self._images[0][:count])

    def batch(
        self, rng: np.random.Generator, count: int
    ) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Random critters of the training shards, as `held_out` gives them."""
        shards = rng.integers(1, len(self), count)
        places = rng.integers(0, SHARD, count)
        pairs = list(zip(shards, places, strict=True))
        return (
            np.stack([self._z[shard][place] for shard, place in pairs]),
            np.stack([self._images[shard][place] for shard, place in pairs]),
        )
