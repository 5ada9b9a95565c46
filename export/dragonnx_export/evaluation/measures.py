"""What is measured of a dragged picture beside where its landmarks are."""

from __future__ import annotations

import numpy as np
from PIL import Image

from dragonnx.model.principal import PrincipalW
from dragonnx.types import Float32, Mask, Points

_AROUND = 48
"""Half the side of the square whose contrast is compared, in pixels at 512 px."""
_LEAST_SPREAD = 0.02
"""Share of the largest: in directions of less, a distance would be one of rounding."""


def sharpness(before: Image.Image, after: Image.Image, handle: Points, target: Points) -> float:
    """Contrast between neighbouring pixels around the target, over that around the handle before."""
    reach = max(round(_AROUND * before.height / 512), 2)
    return _contrast(after, target, reach) / max(_contrast(before, handle, reach), 1e-3)


def _contrast(picture: Image.Image, around: Points, reach: int) -> float:
    """The root mean square difference of neighbouring pixels, in levels of 255."""
    x, y = np.rint(around).astype(int).tolist()
    left, top = max(x - reach, 0), max(y - reach, 0)
    box = left, top, min(x + reach, picture.width), min(y + reach, picture.height)
    grey = np.asarray(picture.convert("L").crop(box), np.float64)
    return float(np.sqrt((np.diff(grey, axis=0) ** 2).mean() + (np.diff(grey, axis=1) ** 2).mean()))


def distance_from_w(w: Float32, w_avg: Float32, principal: PrincipalW) -> float:
    """How far w's [layers, w_dim] are from the mean one: 1 is as far as those of random z are.

    The root mean square, over principal directions, of the way in units of the spread.
    """
    spreads = np.maximum(principal.spreads, _LEAST_SPREAD * principal.spreads[0])
    away = (w - w_avg) @ principal.directions.T / spreads
    usual = np.sqrt((np.square(principal.spreads / spreads)).mean())
    return float(np.sqrt(np.square(away).mean()) / usual)


def change(before: Image.Image, after: Image.Image, mask: Mask) -> float:
    """Mean change of the pixels that the mask fixes, in levels of 255."""
    first, last = (np.asarray(each.convert("RGB"), np.float64) for each in (before, after))
    return float(abs(last - first)[~mask].mean())
