"""The body plan: which ellipsoids make up a critter, in the frames of its head and its body.

x points to the right of the image, y up, z towards the viewer. Parts come in a fixed order, so that
a part's index means the same in every critter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dragonnx_critters import palette
from dragonnx_critters.factors import Factors
from dragonnx_critters.palette import Colour, mix

Frame = Literal["head", "body"]
Vector = NDArray[np.float64]


class Texture(Enum):
    """How a part's colour varies over its surface."""

    PLAIN = "plain"
    SKULL = "skull"
    CHEEKS = "cheeks"
    EAR = "ear"
    EYE = "eye"


@dataclass(frozen=True, kw_only=True)
class Part:
    """An ellipsoid.

    Attributes:
        name: Unique; "left" and "right" are sides of the image when the critter faces the viewer.
        frame: Whether it moves with the head or stays with the body.
        centre: [3].
        radii: [3], along the axes.
        axes: [3, 3], orthonormal; columns are the directions of the radii in the frame.
        colour: [3].
        gloss: Strength of the highlight.
        blend: Depth over which it melts into what lies behind it.
        texture: How the colour varies.
    """

    name: str
    frame: Frame
    centre: Vector
    radii: Vector
    axes: Vector
    colour: Colour
    gloss: float
    blend: float
    texture: Texture


def rotation(*, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Vector:
    """Rotation matrix [3, 3]: about x first, then y, then z, counterclockwise in radians."""
    cx, sx, cy, sy, cz, sz = (f(a) for a in (x, y, z) for f in (math.cos, math.sin))
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    turned: Vector = about_z @ about_y @ about_x
    return turned


def _part(
    name: str,
    centre: tuple[float, float, float],
    radii: tuple[float, float, float],
    colour: Colour,
    *,
    frame: Frame = "head",
    axes: Vector | None = None,
    gloss: float = 0.04,
    blend: float = 0.12,
    texture: Texture = Texture.PLAIN,
) -> Part:
    return Part(
        name=name, frame=frame, centre=np.array(centre), radii=np.array(radii),
        axes=np.eye(3) if axes is None else axes, colour=colour, gloss=gloss, blend=blend,
        texture=texture,
    )  # fmt: skip


def parts_of(factors: Factors) -> list[Part]:
    """Every part, those far behind first: the later melts into the earlier."""
    fur = palette.along(palette.FUR, factors.fur)
    pale = mix(fur, palette.WHITE, factors.pale)
    return [
        *_body(factors, fur, pale),
        *_ears(factors, fur),
        *_skull(factors, fur),
        *_mouth(factors, pale),
        *_muzzle(factors, pale),
        *_eyes(factors, fur),
    ]


def mirrored_parts(names: Sequence[str]) -> NDArray[np.intp]:
    """For each part the index of the part that a mirror shows in its place."""
    swap = {"left": "right", "right": "left"}
    opposite = [" ".join(swap.get(word, word) for word in name.split()) for name in names]
    return np.array([names.index(name) for name in opposite])


def _body(factors: Factors, fur: Colour, pale: Colour) -> list[Part]:
    collar = palette.along(palette.COLLAR, factors.collar)
    return [
        _part("torso", (0, -1.98, -0.35), (1.06, 0.82, 0.62), fur, frame="body"),
        _part("chest", (0, -1.72, 0.02), (0.5, 0.62, 0.4), pale, frame="body", blend=0.3),
        _part("neck", (0, -0.98, -0.3), (0.54, 0.62, 0.46), fur, frame="body", blend=0.4),
        _part(
            "collar", (0, -1.1, -0.26), (0.66, 0.17, 0.6), collar, frame="body",
            gloss=0.25, blend=0.02,
        ),
        _part(
            "tag", (0, -1.24, 0.33), (0.11, 0.11, 0.08), palette.BRASS, frame="body",
            gloss=0.8, blend=0.01,
        ),
    ]  # fmt: skip


def _ears(factors: Factors, fur: Colour) -> list[Part]:
    length, width = factors.ear_length, factors.head_width
    inner = mix(mix(fur, palette.PINK, 0.75), palette.WHITE, 0.1)
    ears = []
    for side, sign in (("left", -1), ("right", 1)):
        lean = -sign * factors.ear_angle
        axes = rotation(z=lean, y=sign * 0.25)
        base = np.array([sign * 0.56 * width, 0.52, -0.02])
        up = axes[:, 1]
        breadth = 0.25 + 0.06 * (0.86 - length)
        outer = base + up * (0.62 * length)
        cup = base + up * (0.66 * length) + axes[:, 2] * 0.085
        ears += [
            _part(
                f"{side} ear", tuple(outer), (breadth, 0.1 + 0.82 * length, 0.15), fur,
                axes=axes, texture=Texture.EAR,
            ),
            _part(
                f"{side} inner ear", tuple(cup), (0.62 * breadth, 0.02 + 0.66 * length, 0.1),
                inner, axes=axes, blend=0.03,
            ),
        ]  # fmt: skip
    return ears


def _skull(factors: Factors, fur: Colour) -> list[Part]:
    width, full = factors.head_width, factors.cheeks
    return [
        _part(
            "skull", (0, 0.06, 0), (0.94 * width, 0.83, 0.84), fur, texture=Texture.SKULL
        ),
        _part(
            "cheeks", (0, -0.25 - 0.03 * full, 0.06),
            ((0.76 + 0.17 * full) * width, 0.48 + 0.04 * full, 0.7), fur, blend=0.45,
            texture=Texture.CHEEKS,
        ),
    ]  # fmt: skip


def _mouth(factors: Factors, pale: Colour) -> list[Part]:
    """Jaw, the dark of the mouth and the tongue; the jaw swings about a hinge inside the skull."""
    snout, angle = factors.snout, 0.62 * factors.mouth
    hinge = np.array([0.0, -0.35, 0.1])
    swing = rotation(x=angle)
    reach = 0.52 + 0.62 * snout

    def swung(y: float, z: float) -> tuple[float, float, float]:
        x_, y_, z_ = hinge + swing @ np.array([0.0, y, z])
        return (float(x_), float(y_), float(z_))

    return [
        _part(
            "jaw", swung(-0.2, 0.62 * reach), (0.29, 0.16, 0.5 * reach), mix(pale, palette.PINK, 0.06),
            axes=swing, blend=0.1,
        ),
        _part(
            "mouth", (0, -0.42 - 0.09 * factors.mouth, 0.1 + 0.78 * reach),
            (0.2 + 0.03 * factors.mouth, 0.05 + 0.15 * factors.mouth, 0.36 * reach),
            palette.MOUTH, gloss=0.1, blend=0.02, axes=rotation(x=0.5 * angle),
        ),
        _part(
            "tongue", swung(-0.1, 0.68 * reach), (0.14, 0.055, 0.36 * reach), palette.TONGUE,
            axes=swing, gloss=0.35, blend=0.02,
        ),
    ]  # fmt: skip


def _muzzle(factors: Factors, pale: Colour) -> list[Part]:
    snout = factors.snout
    tip = 0.78 + 0.78 * snout
    return [
        _part("bridge", (0, -0.14, 0.5 + 0.3 * snout), (0.25, 0.24, 0.3 + 0.42 * snout), pale),
        *(
            _part(
                f"{side} muzzle", (sign * 0.145, -0.3, 0.52 + 0.4 * snout),
                (0.25, 0.2, 0.3 + 0.42 * snout), pale, blend=0.06,
            )
            for side, sign in (("left", -1), ("right", 1))
        ),
        _part(
            "nose", (0, -0.14, tip), (0.15, 0.1, 0.1), palette.NOSE, gloss=0.9, blend=0.02
        ),
    ]  # fmt: skip


def _eyes(factors: Factors, fur: Colour) -> list[Part]:
    size, width = factors.eye_size, factors.head_width
    dark = fur * 0.5
    across, up = 0.4 * width, 0.2
    depth = 0.84 * math.sqrt(1 - (across / (0.94 * width)) ** 2 - ((up - 0.06) / 0.83) ** 2)
    parts = []
    for side, sign in (("left", -1), ("right", 1)):
        axes = rotation(y=sign * 0.22)
        parts.append(
            _part(
                f"{side} eye", (sign * across, up, depth - 0.32 * size), (size, size, 0.8 * size),
                palette.WHITE, axes=axes, gloss=0.9, blend=0.015, texture=Texture.EYE,
            )
        )  # fmt: skip
        raised = up + size + 0.07 + 0.04 * factors.eye_opening
        inset = 1 - (across / (0.94 * width)) ** 2 - ((raised - 0.06) / 0.83) ** 2
        parts.append(
            _part(
                f"{side} brow", (sign * across, raised, 0.84 * math.sqrt(inset) + 0.015),
                (0.17, 0.05, 0.06), dark, blend=0.04,
                axes=rotation(y=sign * 0.35) @ rotation(z=sign * factors.brow),
            )
        )  # fmt: skip
    return parts
