"""Which feature map of a model follows landmarks best: those of other blocks than the one that is dragged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from dragonnx.drag.windows import Geometry
from dragonnx.model.generator import Generator
from dragonnx.types import Float32
from dragonnx_export.evaluation.judge import Judge
from dragonnx_export.following.drags import drawn_drags, pictures
from dragonnx_export.following.tracker import Tracker

_FIRST_BLOCK = 4
_SMALLEST, _LARGEST = 16, 256
"""Blocks that are compared: coarser ones tell no places apart, finer ones take seconds a step."""
_LAYER = "layer_"


def compared_blocks(
    generator: Generator, judge: Judge, count: int, seed: int
) -> Iterator[tuple[int, float]]:
    """How far from landmarks their features are found at the ends of drags, by the block.

    Points are followed as `best` does it for a model that has learned nothing.

    Args:
        generator: A model of StyleGAN2 whose bundle gives the maps of all layers.
        judge: Says where landmarks are.
        count: How many drags.
        seed: Of their draw.

    Yields:
        A block's resolution, as `--feature-resolution` takes it, and the mean distance in pixels.
    """
    m = generator.manifest
    away: dict[int, list[float]] = defaultdict(list)
    for w_plus, handle, target in drawn_drags(generator, judge, count, seed):
        latents = pictures(generator, w_plus, handle, target)
        places = np.array([judge.places(generator.image(latent)) for latent in latents])
        for block, features in _maps(generator, latents):
            geometry = Geometry(image_size=m.image_size, feature_size=features.shape[2:])
            tracker = Tracker(geometry, features, generator.threads)
            end = tracker.through(places[0])[-1]
            away[block].append(float(np.hypot(*(end - places[-1]).T).mean()))
    for block in sorted(away):
        yield block, float(np.mean(away[block]))


def _maps(generator: Generator, latents: Sequence[Float32]) -> Iterator[tuple[int, Float32]]:
    """The last map of each block, [pictures, C, h, w]."""
    found: dict[int, list[Float32]] = defaultdict(list)
    for latent in latents:
        outputs = generator.image_layers(latent).layer_outputs
        layers = [name for name in outputs if name.startswith(_LAYER)]
        layers.sort(key=lambda name: int(name.removeprefix(_LAYER)))
        maps = [outputs[name].numpy() for name in layers]
        last = {_FIRST_BLOCK * each.shape[2] // maps[0].shape[2]: each for each in maps}
        for block, each in last.items():
            if _SMALLEST <= block <= _LARGEST:
                found[block].append(each)
    for block, each_picture in found.items():
        yield block, np.concatenate(each_picture)
