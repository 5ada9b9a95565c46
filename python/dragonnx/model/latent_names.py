"""Under which names other tools keep latents, and what else lies beside them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

Place = tuple[str, ...]
"""The keys under which an array lies in a file, from the outside in."""

_PLUS = {"plus", "+", "p"}
_FIRST = (
    {"wplus", "wp"},
    {"ws", "dlatents", "dlatent"},
    {"w"},
    {"latents", "latent", "latentcode", "latentcodes", "codes", "code", "pivot", "inverted",
     "projected"},
)  # fmt: skip
"""Words of names, those that say most first: TensorFlow's tools call z latents, and w dlatents."""
_W_WORDS = set().union(*_FIRST[:3])
_Z_WORDS = {"z", "zs"}
_STATISTICS = {
    "avg", "average", "mean", "std", "var", "sq", "grad", "momentum", "boundary", "boundaries",
    "direction", "directions", "delta", "deltas",
}  # fmt: skip
"""Words in the name of what is shaped as a latent and is none: averages, and directions to move in."""
_OPTIMISERS = {"optim", "optimizer", "optimizers", "optimiser"}
_OF_A_PICTURE = re.compile(r"\.(png|jpe?g|webp|bmp|gif|tiff?|heic|heif|avif|ppm)$", re.IGNORECASE)
"""A key that is the name of a picture says whose latent it is, and nothing of what lies there."""
_LONGEST = 100
"""Characters of names in a message."""
LEAST = len(_FIRST) - 1
"""The rank of names that say least."""


def rank_of(place: Place) -> int | None:
    """How well a name says that a latent lies there, 0 for best; None for a name that does not."""
    words = _words(place)
    if any(pair[0] == "w" and pair[1] in _PLUS for pair in itertools.pairwise(words)):
        return 0
    ranks = [rank for rank, known in enumerate(_FIRST) if known & set(words)]
    if not words and any(map(_OF_A_PICTURE.search, place)):
        return LEAST
    return min(ranks) if ranks else None


def is_z(place: Place) -> bool:
    """Whether a name says that a z lies there, from which a network makes a w first."""
    words = set(_words(place))
    return bool(words & _Z_WORDS) and not words & _W_WORDS


def is_another_thing(place: Place) -> bool:
    """Whether a name says that what lies there is no latent, whatever its shape."""
    above = {word for key in place[:-1] for word in _split(key)}
    return bool(_STATISTICS & set(_words(place)) or _OPTIMISERS & above)


def shown_names(places: Sequence[Place]) -> str:
    """The names of places for a message, cut where they are many."""
    shown = ", ".join(".".join(place) or "an array" for place in places)
    printable = "".join(letter if letter.isprintable() else "?" for letter in shown)
    return printable if len(printable) <= _LONGEST else f"{printable[:_LONGEST]}..."


def _words(place: Place) -> list[str]:
    """Those of the innermost key that is a name: no number in a list, and no picture's."""
    keys = (key for key in reversed(place) if not _OF_A_PICTURE.search(key))
    return next(filter(None, map(_split, keys)), [])


def _split(key: str) -> list[str]:
    return re.findall(r"[a-z]+|\+", key[:200].lower())
