"""What the name of a network says of it: an average over training, or one in training."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_AVERAGED = frozenset(
    {
        "ema", "gema", "gs", "running", "smooth", "smoothed", "avg", "average", "averaged",
        "averages", "averaging", "moving", "polyak", "shadow", "swa",
    }
)  # fmt: skip
_TRAINED = frozenset({"online", "current", "raw", "live", "no", "non", "not", "without"})
_IN_TRAINING = frozenset({"g", "G", "gen", "generator", "netG", "net_g", "params"})


def is_average(place: Sequence[str]) -> bool | None:
    """Whether a network is an average, as far as its place in a file says.

    The innermost name that says something counts: `online_model` under `ema` is no average.

    Args:
        place: The keys under which it lies, from the outside in.

    Returns:
        None where no name says it.
    """
    for name in reversed(place):
        words = {word.lower() for word in _WORDS.findall(name)}
        if words & _TRAINED:
            return False
        if words & _AVERAGED:
            return True
    return None


def is_in_training(place: Sequence[str]) -> bool:
    """Whether the place is where trainers keep the network that they change."""
    return is_average(place) is False or bool(
        _IN_TRAINING.intersection(place) and not is_average(place)
    )
