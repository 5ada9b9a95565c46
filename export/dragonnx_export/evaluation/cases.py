"""The drags to judge by, drawn from a seed.

Landmarks of one picture to where another picture has them (the paper's table 1), and points of one picture
to where a picture near it shows the same (table 2).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dragonnx.drag.config import REFERENCE_SIZE
from dragonnx.errors import InputError
from dragonnx.model.generator import Generator
from dragonnx.types import Float32, Mask, Points
from dragonnx_export.evaluation.judge import Judge

PAIR = "pair"
KINDS = ("1 point", "5 points", "all points", "1 point, mask", PAIR)
"""What is dragged; a pair's points are any that both pictures show."""
PAIR_POINTS = 32
_SHARE = 4
"""Of how many cases of one point there is one of each other kind: they tell more, and take longer."""
_SHORTEST, _LONGEST = 16, 80
"""Pixels, at 512 px, that one point moves: shorter is no edit, longer none that one picture can show."""
_MARGIN = 8
"""From the border, likewise: beyond it a landmark is half outside."""
_ROOM = 64
"""Radius around the way of a point that a mask lets move, likewise."""
_PERTURBATION = 0.3
"""Spreads of w along each principal direction, by which the pictures of a pair differ."""
_MOST_TRIES = 50
_SEEDS = 2**31


def checked_kinds(kinds: Sequence[str]) -> tuple[str, ...]:
    """Kinds in the order of `KINDS`, each once.

    Raises:
        InputError: There is no such kind.
    """
    for kind in kinds:
        if kind not in KINDS:
            raise InputError(f"there is no kind of drags {kind!r}: it is one of {', '.join(KINDS)}")
    return tuple(kind for kind in KINDS if kind in kinds)


@dataclass(frozen=True, eq=False)
class Case:
    """One drag.

    Attributes:
        kind: One of `KINDS`.
        seed: Of the picture that is dragged.
        landmarks: Which are looked at, [k].
        places: Where all landmarks are before, [landmarks, 2].
        goals: Where those that are looked at are to be, [k, 2]: as far beside the targets as they lie
            beside the handles.
        handles: What is dragged, on whole pixels, [n, 2]: these landmarks, but for a pair.
        targets: Where to, [n, 2].
        mask: bool [H, W], True where pixels may move; None for everywhere.
        second: The latent of the other picture of a pair, [1, num_ws, w_dim].
    """

    kind: str
    seed: int
    landmarks: NDArray[np.int_]
    places: Points
    goals: Points
    handles: Points
    targets: Points
    mask: Mask | None = None
    second: Float32 | None = None


@dataclass
class Cases:
    """Draws cases from a seed: the same model, judge and seed give the same ones.

    Attributes:
        generator: The model.
        judge: Says where landmarks are, and what is feasible.
        seed: Of the draw.
        refused: How many targets the judge called not feasible so far.
    """

    generator: Generator
    judge: Judge
    seed: int
    refused: int = 0

    def drawn(self, kind: str, count: int) -> Iterator[Case]:
        """The cases of a kind: so many of one point, and of each other kind a quarter as many.

        Raises:
            InputError: None can be found.
        """
        of_kind = count if kind == KINDS[0] else max(count // _SHARE, 1)
        for number in range(of_kind):
            yield self._draw(kind, number)

    def _draw(self, kind: str, number: int) -> Case:
        rng = np.random.default_rng([self.seed, KINDS.index(kind), number])
        if kind == PAIR:
            return self._drawn_pair(rng)
        for _ in range(_MOST_TRIES):
            case = self._drawn_once(kind, rng)
            if case is None:
                continue
            height = self.generator.manifest.image_size[0]
            if self.judge.is_feasible(case.places, case.landmarks, case.targets, height):
                return case
            self.refused += 1
        raise InputError(
            f"of {_MOST_TRIES} pairs of pictures none gives a drag of {kind} that can be judged: the "
            "landmark estimator must be one of what this model shows"
        )

    def _drawn_once(self, kind: str, rng: np.random.Generator) -> Case | None:
        """A case; None where a landmark moves too little or too far, or lies at the border."""
        seed, other = (int(each) for each in rng.integers(_SEEDS, size=2))
        places, there = (self._places(self.generator.w_plus(each)) for each in (seed, other))
        among = self.judge.singly(len(places))
        count = {"5 points": 5, "all points": len(places)}.get(kind, 1)
        chosen = np.sort(rng.permutation(among if count == 1 else len(places))[:count])
        handles, targets = np.rint(places[chosen]), np.rint(there[chosen])
        height, width = self.generator.manifest.image_size
        scale = height / REFERENCE_SIZE
        points = np.concatenate([handles, targets])
        last = np.array([width - 1, height - 1])
        if (points < _MARGIN * scale).any() or (points > last - _MARGIN * scale).any():
            return None
        moves = np.hypot(*(targets - handles).T)
        if count == 1 and not _SHORTEST * scale <= moves[0] <= _LONGEST * scale:
            return None
        mask = None
        if kind.endswith("mask"):
            mask = _around(handles[0], targets[0], _ROOM * scale, (height, width))
        goals = targets + (places[chosen] - handles)
        return Case(kind, seed, chosen, places, goals, handles, targets, mask)

    def _drawn_pair(self, rng: np.random.Generator) -> Case:
        """Two w's near each other, and points that both show, as Endo 2022 and the paper draw them."""
        seed = int(rng.integers(_SEEDS))
        first = self.generator.w_plus(seed)
        principal = self.generator.principal_w()
        spreads = np.float32(_PERTURBATION) * principal.spreads
        way = rng.standard_normal(len(spreads), np.float32) * spreads
        second = np.asarray(first + way @ principal.directions, np.float32)
        places, goals = self._places(first), self._places(second)
        here, there = self.judge.correspondences(
            self.generator, (first, second), (places, goals), PAIR_POINTS, rng
        )
        handles = np.rint(here)
        targets = there + (handles - here)
        every = np.arange(len(places))
        return Case(PAIR, seed, every, places, goals, handles, targets, second=second)

    def _places(self, w_plus: Float32) -> Points:
        return self.judge.places(self.generator.image(w_plus))


def _around(start: Points, end: Points, reach: float, size: tuple[int, int]) -> Mask:
    """Pixels nearer than a reach to the line between two points, bool [H, W]."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    at = np.stack([columns, rows], axis=-1) - start
    way = end - start
    along = np.clip(at @ way / (way @ way), 0, 1)
    away: Mask = np.hypot(*np.moveaxis(at - along[..., None] * way, -1, 0)) < reach
    return away
