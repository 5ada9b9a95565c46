"""How evenly a generator's image changes along a line in W: a jump would be seen as a pop."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dragonnx_critters.factors import random_z
from dragonnx_export.families.stylegan2.networks import Generator

_SEED = 59
_STEPS = 16
"""Steps from one critter to the next."""


@torch.no_grad()
def measure_unevenness(generator: Generator, lines: int = 32) -> NDArray[np.float64]:
    """For each line between two random critters, its largest change over its mean change, [lines].

    A change is the root mean square between successive images; 1 is perfectly even.
    """
    ends = generator.w_plus(torch.tensor(random_z(_SEED, 2 * lines)))
    share = torch.linspace(0, 1, _STEPS + 1)[:, None, None]
    pairs = zip(ends[:lines], ends[lines:], strict=True)
    changes = [_changes(generator.synthesis(a.lerp(b, share))) for a, b in pairs]
    return np.array([change.max() / change.mean() for change in changes])


def _changes(images: Tensor) -> NDArray[np.float32]:
    """The root mean square between each image and the next."""
    change: NDArray[np.float32] = images.diff(dim=0).square().mean(dim=(1, 2, 3)).sqrt().numpy()
    return change
