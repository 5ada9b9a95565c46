"""Colours: palettes along which a factor moves, red, green and blue from 0 to 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Colour = NDArray[np.float64]


def _palette(*hexadecimal: str) -> NDArray[np.float64]:
    return np.array([list(bytes.fromhex(text)) for text in hexadecimal]) / 255


FUR = _palette("f3e3c3", "eec07a", "dd8a45", "9b5c36", "6d5246", "77777f", "a3b0c2", "e9ecf2")
IRIS = _palette("5b3a1e", "b07a2a", "7f9a3c", "3f8f86", "4a86c8")
COLLAR = _palette("c8413b", "e0a030", "3f9d63", "3572b8", "8a55b0")
BACKDROP = _palette("7fb4dc", "86c9ae", "e8d296", "eeae98", "b9a5dc", "6d86ad")
PINK = _palette("e59a9d")[0]
WHITE = _palette("fbf8f2")[0]
NOSE = _palette("2b2224")[0]
PUPIL = _palette("120f12")[0]
MOUTH = _palette("5a2026")[0]
TONGUE = _palette("e0757f")[0]
BRASS = _palette("e3b94a")[0]


def along(palette: NDArray[np.float64], position: float) -> Colour:
    """The colour [3] at a position 0..1 of a palette [n, 3], eased between its entries."""
    place = min(max(position, 0.0), 1.0) * (len(palette) - 1)
    index = min(int(place), len(palette) - 2)
    fraction = place - index
    fraction = fraction * fraction * (3 - 2 * fraction)
    colour: Colour = palette[index] * (1 - fraction) + palette[index + 1] * fraction
    return colour


def mix(first: Colour, second: Colour, amount: float) -> Colour:
    """`first` where the amount is 0, `second` where it is 1."""
    return first + (second - first) * amount
