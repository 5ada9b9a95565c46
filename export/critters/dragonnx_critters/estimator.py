"""An estimator of the named landmarks from an image alone, the judge of drags of critters.

A small convolutional network gives a map of scores for each landmark; the landmark is the mean place
under the maps' softmax. It is trained on renders, whose landmarks are known, some of them blurred and
noisy as a generator's images may be.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from dragonnx_critters.anatomy import mirrored_parts
from dragonnx_critters.factors import factors_of_z
from dragonnx_critters.landmarks import LANDMARK_NAMES, Projection, landmarks
from dragonnx_critters.scene import scene_of
from dragonnx_critters.shards import Batch, Shards
from dragonnx_export.tuning.optimiser import Optimiser

IMAGE_SIZE = 256
"""Side of the images, in whose pixels landmarks are given."""
POOLING = 2  # the network sees the image at half its size
MAP_SIDE = 64
"""Side of the maps of scores."""
CHANNELS = (16, 24, 32, 64, 96)
"""Of the maps of sides 64, 32, 16, 8, 4."""

_PIXELS = IMAGE_SIZE / MAP_SIDE
_BLURRED, _NOISE = 0.5, 0.05


FindLandmarks = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""From images [n, 3, IMAGE_SIZE, IMAGE_SIZE] in -1 to 1 to places (x, y), [n, landmarks, 2]."""


class LandmarkEstimator(nn.Module):
    """Convolutions that halve the image five times, and others that double the map four times.

    Attributes:
        down: Convolutions of stride 2, each to a map half as large.
        along: One more on each of these maps.
        across: 1x1 convolutions from them to the maps of the way up.
        up: Convolutions of the way up, from the smallest map on.
        scores: From the largest map to one score a landmark.
    """

    def __init__(self) -> None:
        super().__init__()
        pairs = list(itertools.pairwise((3, *CHANNELS)))
        self.down = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairs)
        self.along = nn.ModuleList(nn.Conv2d(b, b, 3, padding=1) for _, b in pairs)
        self.across = nn.ModuleList(nn.Conv2d(a, a, 1) for a, _ in pairs[1:])
        self.up = nn.ModuleList(nn.Conv2d(b, a, 3, padding=1) for a, b in pairs[:0:-1])
        self.scores = nn.Conv2d(CHANNELS[0], len(LANDMARK_NAMES), 1)

    def forward(self, image: Tensor) -> Tensor:
        """Images [N, 3, IMAGE_SIZE, IMAGE_SIZE] in -1 to 1 to scores [N, landmarks, map, map]."""
        x = F.avg_pool2d(image, POOLING)
        passed = []
        for down, along in zip(self.down, self.along, strict=True):
            x = F.relu(along(F.relu(down(x))))
            passed.append(x)
        for up, across, before in zip(self.up, reversed(self.across), passed[-2::-1], strict=True):
            wider = F.interpolate(x, scale_factor=2, mode="nearest")
            x = F.relu(up(wider) + across(before))
        scores: Tensor = self.scores(x)
        return scores

    def points(self, image: Tensor) -> Tensor:
        """(x, y) of the landmarks in pixels, [N, landmarks, 2]."""
        return expected_places(self.forward(image))


def expected_places(scores: Tensor) -> Tensor:
    """The mean place (x, y), in pixels of the image, under the softmax of maps [N, K, h, w]."""
    share = scores.flatten(2).softmax(dim=2).view_as(scores)
    places = cell_centres()
    return torch.stack([share.sum(dim=2) @ places, share.sum(dim=3) @ places], dim=2)


def cell_centres() -> Tensor:
    """Where the cells of a row of the map lie in pixels of the image, [MAP_SIDE]."""
    return (torch.arange(MAP_SIDE) + 0.5) * _PIXELS - 0.5


def mirror_averaged(find: FindLandmarks) -> FindLandmarks:
    """Means of what is found in images and in their mirror images: an eighth less error."""
    opposite = mirrored_parts(LANDMARK_NAMES)

    def find_in_both(images: NDArray[np.float32]) -> NDArray[np.float32]:
        mirrored = find(np.ascontiguousarray(images[..., ::-1]))[:, opposite]
        mirrored[..., 0] = IMAGE_SIZE - 1 - mirrored[..., 0]
        return np.asarray((find(images) + mirrored) / 2, np.float32)

    return find_in_both


@dataclass(frozen=True)
class Truth:
    """Landmarks of some critters: points [n, landmarks, 2] and whether each is visible, [n, same]."""

    points: NDArray[np.float32]
    visible: NDArray[np.bool_]

    @classmethod
    def of(cls, z: NDArray[np.float32]) -> Truth:
        """The truth of latent codes [n, FACTOR_COUNT]."""
        found = [_landmarks_of(code.tobytes()) for code in z]
        return cls(
            np.stack([each.points for each in found]).astype(np.float32),
            np.stack([each.visible for each in found]),
        )


@functools.cache  # training meets every critter many times
def _landmarks_of(code: bytes) -> Projection:
    """Landmarks of one latent code, given as the bytes of its float32."""
    return landmarks(scene_of(factors_of_z(np.frombuffer(code, np.float32))), IMAGE_SIZE)


def as_images(images: NDArray[np.uint8]) -> Tensor:
    """Images [N, H, W, 3] as [N, 3, H, W] in -1 to 1."""
    return torch.tensor(images).permute(0, 3, 1, 2).float() / 127.5 - 1


def train_estimator(
    shards: Shards,
    steps: int,
    *,
    batch: int = 16,
    rate: float = 2e-3,
    seed: int = 0,
    tell: Callable[[int, float], None] = lambda *_: None,
) -> LandmarkEstimator:
    """Train on renders.

    Args:
        shards: Renders of `IMAGE_SIZE` pixels.
        steps: How many batches.
        batch: Critters a step.
        rate: The first learning rate; it falls to nothing along half a cosine.
        seed: Of weights and batches.
        tell: Called after each step with its number and the mean error in pixels.
    """
    torch.manual_seed(seed)
    estimator = LandmarkEstimator()
    optimiser = Optimiser(estimator)
    for step in range(steps):
        rng = np.random.default_rng([seed, step])
        critters = shards.batch(rng, batch)
        truth = Truth.of(critters.z)
        off = _errors(estimator, _worn(as_images(critters.images), rng), truth)
        optimiser.zero_grad()
        # The square root forgives nothing near the truth, where it behaves as the error itself.
        torch.sqrt(off.square() + 1).mean().backward()  # type: ignore[no-untyped-call]
        now = rate * min(1, (step + 1) / 50) * 0.5 * (1 + math.cos(math.pi * step / steps))
        optimiser.step(now, 0.05 * now)
        tell(step + 1, float(off.detach().mean()))
    return estimator.eval()


def _errors(estimator: LandmarkEstimator, images: Tensor, truth: Truth) -> Tensor:
    """The distance in pixels of each visible landmark from where it is estimated."""
    away = estimator.points(images) - torch.tensor(truth.points)
    off: Tensor = torch.linalg.vector_norm(away, dim=2)
    return off[torch.tensor(truth.visible)]


def _worn(images: Tensor, rng: np.random.Generator) -> Tensor:
    """Images of which some are blurred, and all a little noisy."""
    size = images.shape[-1]
    blurred = F.interpolate(F.avg_pool2d(images, 4), size=size, mode="bilinear")
    amount = torch.tensor(rng.random((len(images), 1, 1, 1)) * (rng.random() < _BLURRED)).float()
    noise = torch.tensor(rng.standard_normal(images.shape, dtype=np.float32))
    return images.lerp(blurred, amount) + noise * (_NOISE * rng.random())


@torch.no_grad()
def held_out_errors(
    estimator: LandmarkEstimator, critters: Batch, *, every: int = 32
) -> dict[str, NDArray[np.float32]]:
    """The errors in pixels of each landmark where it is visible, by name.

    Args:
        estimator: The estimator, which sees mirror images too.
        critters: Renders that it was not trained on.
        every: How many to look at at once.
    """
    truth = Truth.of(critters.z)
    find = mirror_averaged(lambda images: estimator.points(torch.from_numpy(images)).numpy())
    found = [
        find(as_images(critters.images[k : k + every]).numpy())
        for k in range(0, len(critters.z), every)
    ]
    off = np.linalg.norm(np.concatenate(found) - truth.points, axis=2)
    return {name: off[truth.visible[:, index], index] for index, name in enumerate(LANDMARK_NAMES)}


def described(errors: dict[str, NDArray[np.float32]]) -> Sequence[str]:
    """A line a landmark, and one for all of them."""
    together = {**errors, "all": np.concatenate(list(errors.values()))}
    return [
        f"{name:>18}: median {np.median(off):.2f} px, 95 % within {np.percentile(off, 95):.2f} px"
        for name, off in together.items()
    ]
