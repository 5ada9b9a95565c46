"""How well a generator of critters keeps shape and colour apart: what drags of its first layers need.

Images are made from the geometry of one latent code and the appearance of another. Exchanging the
appearance must leave the landmarks where they are, and exchanging the geometry the backdrop's colour.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from dragonnx_critters.estimator import IMAGE_SIZE, FindLandmarks, Truth, as_images
from dragonnx_critters.factors import GEOMETRY, factors_of_z, random_z, recombined
from dragonnx_critters.render import render
from dragonnx_critters.training import GEOMETRY_LAYERS
from dragonnx_export.families.stylegan2.networks import Generator

_CORNER = 12  # pixels of the image's upper corners, which show nothing but the backdrop
_SEED = 41
_EVERY = 16


@dataclass(frozen=True)
class Mixing:
    """What changed that should not have.

    Distances are in pixels of an image of IMAGE_SIZE.

    Attributes:
        landmark_error: Distance of each landmark that can be seen from where the renderer has it for
            the same latent code, by the estimator, [n].
        landmark_shift: Pixels by which each landmark that can be seen moved when the appearance was
            exchanged, [n].
        estimator_shift: Likewise in renders, where nothing moves: what the estimator adds.
        colour_shift: Levels of 255 by which the backdrop changed when the geometry was, [m].
    """

    landmark_error: NDArray[np.float32]
    landmark_shift: NDArray[np.float32]
    estimator_shift: NDArray[np.float32]
    colour_shift: NDArray[np.float32]


@torch.no_grad()
def measure_mixing(generator: Generator, find: FindLandmarks, count: int = 128) -> Mixing:
    """Compare images of `count` latent codes with others that share their geometry or appearance."""
    z, other = random_z(_SEED, count), random_z(_SEED + 1, count)
    plain = mixed_images(generator, z, z)
    recoloured = mixed_images(generator, z, other)
    reshaped = mixed_images(generator, other, z)
    truth = Truth.of(z)
    visible = truth.visible  # which depends on the geometry alone
    renders = (as_images(np.stack([render(factors_of_z(code)) for code in codes]))
               for codes in (z, recombined(z, other, GEOMETRY)))  # fmt: skip
    return Mixing(
        landmark_error=_away(_found(find, plain), truth.points)[visible],
        landmark_shift=_shift(find, plain, recoloured)[visible],
        estimator_shift=_shift(find, *renders)[visible],
        colour_shift=np.abs(_backdrop(reshaped) - _backdrop(plain)).ravel() * np.float32(127.5),
    )


@torch.no_grad()
def mixed_images(
    generator: Generator, geometry: NDArray[np.float32], appearance: NDArray[np.float32]
) -> Tensor:
    """Images [n, 3, H, W] of the geometry of some latent codes and the appearance of others."""
    w_plus = generator.w_plus(torch.tensor(geometry)).clone()
    w_plus[:, GEOMETRY_LAYERS:] = generator.w_plus(torch.tensor(appearance))[:, GEOMETRY_LAYERS:]
    parts = [generator.synthesis(w_plus[k : k + _EVERY]) for k in range(0, len(w_plus), _EVERY)]
    return torch.cat(parts)


def _shift(find: FindLandmarks, before: Tensor, after: Tensor) -> NDArray[np.float32]:
    """How far each landmark lies from where it was, in pixels [n, landmarks]."""
    return _away(_found(find, after), _found(find, before))


def _found(find: FindLandmarks, images: Tensor) -> NDArray[np.float32]:
    """Where landmarks of images [n, 3, H, W] are, as if these were of IMAGE_SIZE, [n, landmarks, 2]."""
    if images.shape[-1] != IMAGE_SIZE:
        images = F.interpolate(images, size=IMAGE_SIZE, mode="bicubic", antialias=True)
    parts = [find(images[k : k + _EVERY].numpy()) for k in range(0, len(images), _EVERY)]
    return np.concatenate(parts)


def _away(points: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    away: NDArray[np.float32] = np.linalg.norm(points - others, axis=2)
    return away


def _backdrop(images: Tensor) -> NDArray[np.float32]:
    """The mean colour [n, 3, 2] of the upper corners."""
    corners = [images[:, :, :_CORNER, :_CORNER], images[:, :, :_CORNER, -_CORNER:]]
    colours: NDArray[np.float32] = torch.stack([c.mean(dim=(2, 3)) for c in corners], 2).numpy()
    return colours
