"""How colour varies over a part: markings on the skull, dark ear tips, irises and eyelids.

Textures live on the unit sphere of their part, so that they move with it exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dragonnx_critters import palette
from dragonnx_critters.anatomy import Part, Texture
from dragonnx_critters.factors import Factors
from dragonnx_critters.palette import mix

if TYPE_CHECKING:
    from dragonnx_critters.scene import Scene

Pixels = NDArray[np.float32]

EYE_DETAILS = ("iris", "pupil", "lid")


@dataclass(frozen=True)
class Surface:
    """What surface points look like.

    Attributes:
        colour: [3, h, w].
        gloss: [h, w], or one for all.
        detail: For points of an eye, 1 + the place in `EYE_DETAILS` of what is there, or 0 for the
            white, [h, w]; 0 for all others.
    """

    colour: Pixels
    gloss: Pixels | float
    detail: NDArray[np.int8] | int = 0


def colour_of(scene: Scene, part: Part, unit: Pixels) -> Surface:
    """Colour and gloss of points [3, h, w] on a part's unit sphere."""
    plain = Surface(_flat(part.colour), part.gloss)
    match part.texture:
        case Texture.SKULL:
            return Surface(_skull(scene.factors, plain.colour, unit), part.gloss)
        case Texture.CHEEKS:
            low = _ramp(unit[1] - 0.35 * unit[2], 0.1, -0.75)
            return Surface(_layer(plain.colour, _pale(scene.factors), low), part.gloss)
        case Texture.EAR:
            return Surface(
                _layer(plain.colour, part.colour * 0.55, _ramp(unit[1], 0.1, 1.0)), part.gloss
            )
        case Texture.EYE:
            return _eye(scene.factors, part, unit)
        case Texture.PLAIN:
            return plain


def _ramp(x: Pixels, low: float, high: float) -> Pixels:
    """0 below `low`, 1 above `high`, smooth between; the other way round where low > high."""
    t = np.clip((x - np.float32(low)) * np.float32(1 / (high - low)), 0, 1)
    eased: Pixels = t * t * (3 - 2 * t)
    return eased


def _flat(colour: palette.Colour) -> Pixels:
    """A colour [3] as pixels [3, 1, 1]."""
    return colour.astype(np.float32)[:, None, None]


def _layer(below: Pixels, colour: palette.Colour, amount: Pixels) -> Pixels:
    """Paint a colour [3] over colours [3, h, w] or [3, 1, 1] by an amount [h, w]."""
    return below + (_flat(colour) - below) * amount


def _pale(factors: Factors) -> palette.Colour:
    return mix(palette.along(palette.FUR, factors.fur), palette.WHITE, 0.85 * factors.pale)


def _skull(factors: Factors, colour: Pixels, unit: Pixels) -> Pixels:
    """A darker crown and nape, then eye patches or a blaze."""
    fur = colour[:, 0, 0].astype(np.float64)
    x, y, z = unit
    painted = _layer(colour, fur * 0.72, _ramp(y - 0.35 * z, 0.2, 1.0))
    front = _ramp(z, 0.1, 0.5)
    if factors.marking > 0:
        stripe = _ramp(np.abs(x) + 0.1 * y, 0.24, 0.1) * front
        return _layer(
            painted, palette.WHITE * 0.97, stripe * np.float32(0.9 * min(1, 1.6 * factors.marking))
        )
    dx, dy = (np.abs(x) - 0.43) / 0.3, (y - 0.12) / 0.36
    patch = _ramp(dx * dx + dy * dy, 1.25, 0.55) * front
    return _layer(painted, fur * 0.38, patch * np.float32(0.9 * min(1, -1.6 * factors.marking)))


def _eye(factors: Factors, part: Part, unit: Pixels) -> Surface:
    """White, iris with a dark rim, pupil, catch light, and the upper and lower lid in fur colour.

    The catch light does not follow the light's side, for the reason that shadows do not.
    """
    fur = palette.along(palette.FUR, factors.fur)
    iris = palette.along(palette.IRIS, factors.iris)
    x, y, _ = unit
    # The gaze slides the iris over the eyeball.
    gx = 0.3 * factors.gaze
    r = np.sqrt((x - np.float32(gx)) ** 2 + (y + 0.02) ** 2)
    colour = _layer(_flat(part.colour), iris * 0.45, _ramp(r, 0.66, 0.6))
    shaded = mix(iris, palette.WHITE, 0.15)
    colour = _layer(colour, iris, _ramp(r, 0.56, 0.5))
    colour = _layer(colour, shaded, _ramp(r, 0.56, 0.4) * _ramp(y, 0.1, -0.4))
    colour = _layer(colour, palette.PUPIL, _ramp(r, 0.37, 0.31))
    sparkle = np.sqrt((x - np.float32(gx)) ** 2 + (y - 0.2) ** 2)
    colour = _layer(colour, palette.WHITE, _ramp(sparkle, 0.16, 0.1))
    # Lids: the upper one comes down to the middle, the lower one up a little.
    opening = factors.eye_opening
    upper = y - np.float32(-0.28 + 1.12 * opening) + 0.22 * x * x
    lower = np.float32(-0.36 - 0.5 * opening) - y - 0.15 * x * x
    lid = np.maximum(upper, lower)
    colour = _layer(colour, fur * 0.28, _ramp(lid, -0.1, -0.04))
    colour = _layer(colour, fur * 0.82, _ramp(lid, 0.02, 0.1))
    detail = (r < 0.63).astype(np.int8) + (r < 0.34)
    detail[lid > -0.07] = 1 + EYE_DETAILS.index("lid")
    return Surface(colour, (1 - _ramp(lid, -0.06, 0.0)) * np.float32(part.gloss), detail)
