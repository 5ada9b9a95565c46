"""Sheets of pictures to look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from dragonnx_critters.factors import factors_of_z, random_z
from dragonnx_critters.render import render
from dragonnx_critters.shards import Shards
from dragonnx_export.families.stylegan2.networks import Generator

Picture = NDArray[np.uint8]


def tiled(pictures: Sequence[Picture], columns: int) -> Picture:
    """Pictures [H, W, 3] of one size in rows; the last row is filled with black."""
    height, width, _ = pictures[0].shape
    rows = -(-len(pictures) // columns)
    sheet = np.zeros((rows * height, columns * width, 3), np.uint8)
    for index, picture in enumerate(pictures):
        y, x = index // columns * height, index % columns * width
        sheet[y : y + height, x : x + width] = picture
    return sheet


def as_pictures(images: torch.Tensor) -> list[Picture]:
    """Images [N, 3, H, W] in -1 to 1 as pictures."""
    pixels = ((images.clamp(-1, 1) + 1) * 127.5).round().byte()
    return list(pixels.permute(0, 2, 3, 1).numpy())


@torch.no_grad()
def comparison_sheet(
    generator: Generator, shards: Shards, resolution: int, count: int = 16, side: int = 160
) -> Picture:
    """Held-out renders, each with what the generator makes of the same z to its right."""
    critters = shards.held_out(count)
    w_plus = generator.w_plus(torch.tensor(critters.z))
    made = as_pictures(generator.synthesis(w_plus, resolution=resolution))
    pairs = [p for pair in zip(critters.images, made, strict=True) for p in pair]
    return tiled([resized(p, side) for p in pairs], columns=8)


def rendered_sheet(seed: int, count: int = 24, size: int = 256) -> Picture:
    """Renders of random z."""
    return tiled([render(factors_of_z(z), size) for z in random_z(seed, count)], columns=6)


@torch.no_grad()
def sample_sheet(
    generator: Generator, seed: int, count: int = 24, truncation_psi: float = 1.0
) -> Picture:
    """What the generator makes of random z, at its own size."""
    w_plus = generator.w_plus(torch.tensor(random_z(seed, count)), truncation_psi=truncation_psi)
    made = [generator.synthesis(w_plus[k : k + 8]) for k in range(0, count, 8)]
    return tiled(as_pictures(torch.cat(made)), columns=6)


def resized(picture: Picture, side: int) -> Picture:
    """A picture at another size, sharp when enlarged by a whole factor."""
    larger = side % picture.shape[0] == 0
    method = Image.Resampling.NEAREST if larger else Image.Resampling.BICUBIC
    return np.asarray(Image.fromarray(picture).resize((side, side), method))


def write_sheet(path: Path, sheet: Picture) -> None:
    """Write a sheet as an image file."""
    Image.fromarray(sheet).save(path)
