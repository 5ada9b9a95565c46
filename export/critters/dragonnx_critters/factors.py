"""What varies between critters: named factors, and how a latent code z becomes them."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_GEOMETRY_SPREAD = 0.6  # shapes and poses crowd round the middle of their ranges


def _factor(low: float, high: float, *, appearance: bool = False) -> Any:
    return dataclasses.field(
        metadata={
            "range": (low, high),
            "appearance": appearance,
            "spread": 1.0 if appearance else _GEOMETRY_SPREAD,
        }
    )


@dataclass(frozen=True, kw_only=True)
class Factors:
    """One critter. Lengths are in units of about a head's radius, angles in radians.

    The order of the fields is that of the entries of z: geometry first, then appearance.

    Attributes:
        yaw: Turn of the head; positive looks to the right of the image.
        pitch: Nod; positive looks down.
        roll: Tilt in the image plane; positive is counterclockwise.
        head_width: Half width of the skull.
        cheeks: How full the cheeks are, 0 to 1.
        ear_length: From base to tip, roughly.
        ear_angle: How far the ears lean outwards.
        eye_size: Radius of an eyeball.
        eye_opening: 0 is nearly shut, 1 is wide open.
        gaze: Where the eyes look, -1 (left of the image) to 1.
        brow: Slant of the brows; positive is stern, negative is worried.
        snout: Length of the snout.
        mouth: How far the jaw is dropped, 0 to 1.
        zoom: Scale of the animal in the image.
        fur: Position on a palette of natural fur colours, 0 to 1.
        pale: How much paler muzzle, chest and cheeks are than the fur, 0 to 1.
        marking: -1 has dark patches round the eyes, 0 none, 1 a white blaze.
        iris: Position on a palette of eye colours, 0 to 1.
        collar: Position on a palette of collar colours, 0 to 1.
        backdrop: Position on a palette of backdrops, 0 to 1.
        light: Side from which the light comes; positive is the right of the image.
    """

    yaw: float = _factor(-0.7, 0.7)
    pitch: float = _factor(-0.32, 0.32)
    roll: float = _factor(-0.28, 0.28)
    head_width: float = _factor(0.84, 1.06)
    cheeks: float = _factor(0.0, 1.0)
    ear_length: float = _factor(0.3, 0.72)
    ear_angle: float = _factor(0.0, 0.72)
    eye_size: float = _factor(0.2, 0.29)
    eye_opening: float = _factor(0.35, 1.0)
    gaze: float = _factor(-1.0, 1.0)
    brow: float = _factor(-0.5, 0.3)
    snout: float = _factor(0.08, 0.5)
    mouth: float = _factor(0.0, 1.0)
    zoom: float = _factor(0.94, 1.06)
    fur: float = _factor(0.0, 1.0, appearance=True)
    pale: float = _factor(0.2, 0.85, appearance=True)
    marking: float = _factor(-1.0, 1.0, appearance=True)
    iris: float = _factor(0.0, 1.0, appearance=True)
    collar: float = _factor(0.0, 1.0, appearance=True)
    backdrop: float = _factor(0.0, 1.0, appearance=True)
    light: float = _factor(-0.9, 0.9, appearance=True)


_MIRRORED = ("yaw", "roll", "gaze", "light")  # whose sign is a side
_FIELDS = dataclasses.fields(Factors)
FACTOR_NAMES = tuple(field.name for field in _FIELDS)
FACTOR_COUNT = len(FACTOR_NAMES)
GEOMETRY = np.array([not field.metadata["appearance"] for field in _FIELDS])
"""Which entries of z shape the animal, bool [FACTOR_COUNT]; the rest colour it."""

_LOW = np.array([field.metadata["range"][0] for field in _FIELDS])
_HIGH = np.array([field.metadata["range"][1] for field in _FIELDS])
_SPREAD = np.array([field.metadata["spread"] for field in _FIELDS])


def random_z(seed: int, count: int = 1) -> NDArray[np.float32]:
    """Latent codes [count, FACTOR_COUNT] of a seed."""
    return np.random.default_rng(seed).standard_normal((count, FACTOR_COUNT), dtype=np.float32)


def factors_of_z(z: NDArray[np.floating[Any]]) -> Factors:
    """The critter of one latent code [FACTOR_COUNT].

    z is scaled to unit mean square, as the generator's mapping network does, and each entry then
    runs through the Gaussian distribution function: what an appearance varies in is nearly uniform,
    and of a geometry nine in ten lie within the middle two thirds of the range.
    """
    scale = math.sqrt(float(np.mean(z.astype(np.float64) ** 2)) + 1e-8)
    return _at(z.astype(np.float64) * _SPREAD / (scale * math.sqrt(2)))


def factors_of_entries(entries: NDArray[np.float64]) -> Factors:
    """The critter of entries [FACTOR_COUNT] as those of z, but of any length together."""
    return _at(entries * _SPREAD / math.sqrt(2))


def _at(places: NDArray[np.float64]) -> Factors:
    """The critter of what the error function brings into the factors' ranges, [FACTOR_COUNT]."""
    unit = [0.5 * (1 + math.erf(place)) for place in places]
    values = _LOW + (_HIGH - _LOW) * np.array(unit)
    return Factors(**dict(zip(FACTOR_NAMES, values.tolist(), strict=True)))


def recombined(
    z: NDArray[np.float32], other: NDArray[np.float32], kept: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Latent codes [n, FACTOR_COUNT] whose critters have some factors of z, the rest by `other`.

    Only the direction of a code counts. So what comes from `other` is made as long as what it
    replaces: another length would change the factors that are kept.

    Args:
        z: Latent codes.
        other: Latent codes, likewise.
        kept: Which entries of z are kept, bool [FACTOR_COUNT].
    """
    old, new = (np.linalg.norm(codes[:, ~kept], axis=1, keepdims=True) for codes in (z, other))
    return np.where(kept, z, other * (old / new)).astype(np.float32)


def mirrored(z: NDArray[np.float32]) -> NDArray[np.float32]:
    """The latent codes [n, FACTOR_COUNT] whose critters are the mirror images of those of z."""
    return z * np.where([name in _MIRRORED for name in FACTOR_NAMES], np.float32(-1), np.float32(1))


def changed(factors: Factors, **values: float) -> Factors:
    """The same critter with some factors replaced."""
    return dataclasses.replace(factors, **values)
