"""What the kernels must compute, in NumPy float64, from the definitions: here F^ is materialised.

Maps are whole, [C, fh, fw]; points are (x, y) in image pixels.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
Size = tuple[int, int]

# What float64 leaves of a difference between two sides that are the same by definition, as at a
# repeated border.
SAME = 1e-12


def resize_matrix(cells: int, pixels: int) -> F64:
    """Bilinear with half-pixel centres, along one axis: [pixels, cells]."""
    source = np.maximum((np.arange(pixels) + 0.5) * cells / pixels - 0.5, 0.0)
    near = np.minimum(source.astype(int), cells - 1)
    far = np.minimum(near + 1, cells - 1)
    matrix = np.zeros((pixels, cells))
    np.add.at(matrix, (np.arange(pixels), near), 1 - (source - near))
    np.add.at(matrix, (np.arange(pixels), far), source - near)
    return matrix


def read_matrix(coordinates: F64, pixels: int) -> F64:
    """Bilinear between the pixels of one axis, clamped to the image: [n, pixels]."""
    clamped = np.clip(coordinates, 0, pixels - 1)
    first = np.floor(clamped).astype(int)
    second = np.minimum(first + 1, pixels - 1)
    matrix = np.zeros((len(coordinates), pixels))
    rows = np.arange(len(coordinates))
    np.add.at(matrix, (rows, first), 1 - (clamped - first))
    np.add.at(matrix, (rows, second), clamped - first)
    return matrix


@dataclass(frozen=True)
class Resized:
    """A feature map with its F^."""

    features: F64  # [C, fh, fw]
    image_size: Size

    @property
    def along_y(self) -> F64:
        return resize_matrix(self.features.shape[1], self.image_size[0])

    @property
    def along_x(self) -> F64:
        return resize_matrix(self.features.shape[2], self.image_size[1])

    @property
    def image(self) -> F64:
        """F^ [C, H, W]."""
        image: F64 = self.along_y @ self.features @ self.along_x.T
        return image

    def readers(self, points: F64) -> tuple[F64, F64]:
        height, width = self.image_size
        return read_matrix(points[:, 1], height), read_matrix(points[:, 0], width)

    def sample(self, points: F64) -> F64:
        """F^ at each point [n, C]."""
        along_y, along_x = self.readers(points)
        samples: F64 = np.einsum("ny,cyx,nx->nc", along_y, self.image, along_x)
        return samples

    def sample_adjoint(self, grad_samples: NDArray[Any], points: F64) -> F64:
        """[C, fh, fw]."""
        along_y, along_x = self.readers(points)
        return self.resize_adjoint(np.einsum("ny,nc,nx->cyx", along_y, grad_samples, along_x))

    def resize_adjoint(self, grad_image: F64) -> F64:
        grad_features: F64 = self.along_y.T @ grad_image @ self.along_x
        return grad_features

    def pixels(self) -> F64:
        """All integer pixels as points, by y, then x."""
        y, x = np.mgrid[: self.image_size[0], : self.image_size[1]]
        return np.stack([x.ravel(), y.ravel()], axis=1).astype(float)

    def nearest_pixel(self, point: F64) -> F64:
        distances = np.linalg.norm(self.pixels() - point, axis=1)
        return self.pixels()[[int(np.argmin(distances))]]


def resized(features: NDArray[Any], image_size: Size) -> Resized:
    return Resized(features.astype(float), image_size)


def sign(terms: F64) -> F64:
    return np.where(np.abs(terms) < SAME, 0.0, np.sign(terms))


def closest_to_kink(terms: F64) -> float:
    """The smallest |term| but zero; below float32 rounding the sign of a term is arbitrary."""
    sizes = np.abs(terms)
    return float(sizes[sizes >= SAME].min(initial=np.inf))


@dataclass(frozen=True)
class Supervision:
    losses: F64  # [n]
    grad_features: F64  # [C, fh, fw]
    closest_to_kink: (
        float  # smallest |term| other than an exact zero: below rounding, its sign is arbitrary
    )


def motion_supervision(
    features: NDArray[Any], image_size: Size, handle_points: F64, target_points: F64, r1: float
) -> Supervision:
    map_ = resized(features, image_size)
    losses, grad, closest = np.zeros(len(handle_points)), np.zeros(features.shape), np.inf
    for i, (p, t) in enumerate(zip(handle_points, target_points, strict=True)):
        if np.linalg.norm(t - p) < 1:
            continue
        q = map_.pixels()
        q = q[((q - p) ** 2).sum(axis=1) < r1**2]
        q = q if len(q) else map_.nearest_pixel(p)
        moved = q + (t - p) / np.linalg.norm(t - p)
        terms = map_.sample(q) - map_.sample(moved)
        losses[i] = np.abs(terms).mean()
        grad += map_.sample_adjoint(-sign(terms) / terms.size, moved)
        closest = min(closest, closest_to_kink(terms))
    return Supervision(losses, grad, closest)


@dataclass(frozen=True)
class Candidates:
    """The pixels that tracking may choose, by y, then x, with how far their features are."""

    pixels: F64  # [m, 2]
    distances: F64  # [m]

    def choose(self, old: F64) -> F64:
        from_old = ((self.pixels - old) ** 2).sum(axis=1)
        x, y = self.pixels.T
        chosen: F64 = self.pixels[np.lexsort((x, y, from_old, self.distances))[0]]
        return chosen


def tracking_candidates(
    features: NDArray[Any],
    image_size: Size,
    handle_point: F64,
    reference_feature: F64,
    r2: float,
    *,
    inclusive: bool,
    order: int,
) -> Candidates:
    map_ = resized(features, image_size)
    q = map_.pixels()
    offsets = np.abs(q - handle_point).max(axis=1)
    q = q[offsets <= r2 if inclusive else offsets < r2]
    q = q if len(q) else map_.nearest_pixel(handle_point)
    return Candidates(q, np.linalg.norm(map_.sample(q) - reference_feature, ord=order, axis=1))


@dataclass(frozen=True)
class Penalty:
    loss: float
    grad_features: F64
    closest_to_kink: float


def mask_penalty(
    features: NDArray[Any],
    reference_features: NDArray[Any],
    image_size: Size,
    mask: NDArray[np.bool_],
    weight: float,
) -> Penalty:
    change = resized(features.astype(float) - reference_features.astype(float), image_size)
    fixed = ~mask
    terms = change.image * fixed
    grad = change.resize_adjoint(sign(terms)) * weight / terms.size
    return Penalty(weight * np.abs(terms).mean(), grad, closest_to_kink(terms))
