"""When a drag comes no further, which handle holds it up, and what a user may do."""

from __future__ import annotations

import numpy as np

from dragonnx.types import Points

_STILL = 2.0
"""Pixels, in stop distances, within which a handle that moves no more stays."""


def is_stalled(trace: Points, targets: Points, steps: int, least: float) -> bool:
    """Whether no handle came nearer to its target than it had been, for so many steps.

    Args:
        trace: Where the handles were before the first step and after each, [made + 1, n, 2].
        targets: Where they are to go, [n, 2].
        steps: How many steps without progress.
        least: What counts as progress, in pixels.
    """
    if len(trace) <= steps:
        return False
    away = np.hypot(*np.moveaxis(targets - trace, 2, 0))
    before, since = away[:-steps].min(axis=0), away[-steps:].min(axis=0)
    return bool((before - since < least).all())


def stall_reason(trace: Points, targets: Points, steps: int, least: float) -> str:
    """Why a stalled drag comes no further, as far as its handles tell, and what to do: sentences.

    Args:
        trace: As in `is_stalled`.
        targets: Likewise.
        steps: Likewise.
        least: Likewise.
    """
    away = np.hypot(*(targets - trace[-1]).T)
    number = int(away.argmax())
    last = trace[-steps:, number]
    name = "The handle" if len(targets) == 1 else f"Handle {number + 1}"
    head = f"{name} comes no nearer to its target, {away[number]:.0f} px away: "
    if np.hypot(*np.ptp(last, axis=0)) <= _STILL * least:
        return (
            f"{head}it stays where it is, so the model may not show it there. Choose a nearer target, "
            "or let a larger region move."
        )
    return (
        f"{head}it is found now here, now there, since what is around it looks alike. Place it on "
        "something clearer, such as a corner or an edge, or choose a nearer target."
    )
