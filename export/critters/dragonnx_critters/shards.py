"""Training data on disk: renders in shards, written ahead by one process, read by another.

A shard is two arrays: `images-00007.npy`, uint8 [SHARD, size, size, 3], and `parts-00007.npy`, uint8
[SHARD, side, side], what each of side x side rays met: 0 for the backdrop, 1 + a part's index, or
what is there within an eye. Its critters are those of `random_z(7, SHARD)`, so that nothing else needs
storing. Shard 0 is held out from training.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dragonnx_critters.anatomy import mirrored_parts, parts_of
from dragonnx_critters.factors import FACTOR_COUNT, factors_of_z, mirrored, random_z
from dragonnx_critters.render import Rendering, render_scene
from dragonnx_critters.scene import scene_of
from dragonnx_critters.textures import EYE_DETAILS

SHARD = 256
"""Images a shard."""
SIZES = (64, 256)
"""Sizes of the images: training at a resolution pools the smallest that reach it."""
_FINE = 256  # rays along a side of the smaller images; larger ones get two a pixel
_PART_SIDE = 128  # at most, of the map of parts

_PARTS = [part.name for part in parts_of(factors_of_z(np.zeros(FACTOR_COUNT, np.float32)))]
_EYES = ("left eye", "right eye")
_NAMES = _PARTS + [f"{eye} {detail}" for eye in _EYES for detail in EYE_DETAILS]
PART_COUNT = len(_NAMES) + 1
"""Values in a map of parts: the backdrop, every part, and what is within the eyes."""
EYE_VALUES = [1 + index for index, name in enumerate(_NAMES) if " eye" in name]
"""Those of both eyes."""
_MIRRORED_VALUE = np.concatenate([[0], 1 + mirrored_parts(_NAMES)]).astype(np.uint8)


@dataclass(frozen=True)
class Batch:
    """Some critters: z [n, FACTOR_COUNT], images [n, size, size, 3], parts [n, side, side]."""

    z: NDArray[np.float32]
    images: NDArray[np.uint8]
    parts: NDArray[np.uint8]

    def mirrored(self, chosen: NDArray[np.bool_]) -> Batch:
        """The same with those chosen, bool [n], seen in a mirror, which the renderer allows."""
        flipped = _MIRRORED_VALUE[self.parts[:, :, ::-1]]
        return Batch(
            np.where(chosen[:, None], mirrored(self.z), self.z),
            np.where(chosen[:, None, None, None], self.images[:, :, ::-1], self.images),
            np.where(chosen[:, None, None], flipped, self.parts),
        )


def size_for(resolution: int) -> int:
    """The smallest of the `SIZES` that images of a resolution can be pooled from."""
    return min(size for size in SIZES if size >= resolution)


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
        if _path(folder, "images", index).exists():
            continue
        images, parts = [], []
        for z in random_z(index, SHARD):
            wait()
            made = render_scene(scene_of(factors_of_z(z)), size, max(2, _FINE // size))
            images.append(made.image)
            parts.append(part_map(made))
        # The images last: where they are, the shard is complete.
        _write(_path(folder, "parts", index), np.stack(parts))
        _write(_path(folder, "images", index), np.stack(images))


def part_map(made: Rendering) -> NDArray[np.uint8]:
    """What a shard keeps of a rendering besides its image, uint8 [side, side]."""
    every = max(1, len(made.part) // _PART_SIDE)
    part, detail = made.part[::every, ::every], made.detail[::every, ::every]
    values = (part + 1).astype(np.uint8)
    for place, eye in enumerate(_EYES):
        within = (part == _PARTS.index(eye)) & (detail > 0)
        values[within] = len(_PARTS) + place * len(EYE_DETAILS) + detail[within]
    return values


def _path(folder: Path, kind: str, index: int) -> Path:
    return folder / f"{kind}-{index:05}.npy"


def _write(path: Path, array: NDArray[np.uint8]) -> None:
    temporary = path.with_suffix(".partial")
    with temporary.open("wb") as stream:
        np.save(stream, array)
    temporary.replace(path)


class Shards:
    """The shards of one size: a growing set of critters."""

    def __init__(self, root: Path, size: int) -> None:
        self.size = size
        self._folder = shard_folder(root, size)
        self._shards: list[Batch] = []
        self.refresh()

    def refresh(self) -> None:
        """Take in shards written since."""
        while (path := _path(self._folder, "images", len(self))).exists():
            parts = np.load(_path(self._folder, "parts", len(self)), mmap_mode="r")
            images = np.load(path, mmap_mode="r")
            self._shards.append(Batch(random_z(len(self), SHARD), images, parts))

    def __len__(self) -> int:
        """How many shards there are, the held-out one included."""
        return len(self._shards)

    def held_out(self, count: int) -> Batch:
        """The first critters of shard 0."""
        first = self._shards[0]
        return Batch(first.z[:count], np.array(first.images[:count]), np.array(first.parts[:count]))

    def batch(self, rng: np.random.Generator, count: int) -> Batch:
        """Random critters of the training shards, half of them mirrored."""
        shards = rng.integers(1, len(self), count)
        places = rng.integers(0, SHARD, count)
        picked = [(self._shards[shard], place) for shard, place in zip(shards, places, strict=True)]
        batch = Batch(
            np.stack([shard.z[place] for shard, place in picked]),
            np.stack([shard.images[place] for shard, place in picked]),
            np.stack([shard.parts[place] for shard, place in picked]),
        )
        return batch.mirrored(rng.random(count) < 0.5)
