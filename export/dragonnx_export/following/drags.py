"""Drags that are made to learn from, and where points truly are in their pictures.

An estimator says where landmarks are. Any other points are followed in small steps, there and back: those
that come back to where they began were followed well, or stand still.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from dragonnx.drag.config import DragConfig
from dragonnx.drag.session import DragSession
from dragonnx.drag.windows import Geometry
from dragonnx.errors import InputError
from dragonnx.model.generator import Generator
from dragonnx.types import Float32, Points
from dragonnx_export.evaluation.cases import KINDS, Cases
from dragonnx_export.evaluation.judge import Judge
from dragonnx_export.following.examples import Examples, Followed, drawn, room_for
from dragonnx_export.following.tracker import Tracker

DRAWS = 2**32
"""Added to seeds, so that no drag of an evaluation is learned from."""
_CONFIG = DragConfig(preset="best", max_steps=50)
_EVERY = 3
"""Steps between pictures: features change little."""
_EXAMPLES = 60
"""Of each drag."""
_OTHERS = 24
"""Points besides landmarks, of which half or so come back."""
_BACK = 3.0
"""Pixels, at 512 px, within which a point has come back."""
_LANDMARKS, _MIDDLES, _REST = 0.5, 0.2, 0.3
"""Shares of the examples: landmarks, points between two of them, and any others."""
_LOST = 6.0
"""Pixels, at 512 px: a landmark that is lost by so much is learned from twice as often as one that is not."""
_NEIGHBOURS = 4
"""Landmarks nearest to one, to which points between go."""


def recorded(
    generator: Generator,
    judge: Judge,
    count: int,
    seed: int,
    tell: Callable[[int], None],
) -> Examples:
    """Examples of so many drags.

    Args:
        generator: The model.
        judge: Says where landmarks are.
        count: How many drags.
        seed: Of the draw of pictures and handles.
        tell: Is told after each drag its number.

    Raises:
        InputError: No drags can be drawn, or the pictures show nothing that can be followed.
    """
    each = max(room_for(generator.manifest.feature_map.channels, _EXAMPLES * count) // count, 1)
    parts: list[Examples] = []
    for number, (w_plus, handle, target) in enumerate(drawn_drags(generator, judge, count, seed)):
        rng = np.random.default_rng([DRAWS + seed, number, 1])
        followed = _followed(generator, judge, pictures(generator, w_plus, handle, target), rng)
        parts += filter(None, [drawn(followed, each, rng)] if followed else [])
        tell(number + 1)
    if not parts:
        raise InputError(
            f"nothing can be followed in the pictures of {generator.manifest.name}: the landmark "
            "estimator must be one of what this model shows"
        )
    return Examples.together(parts)


def drawn_drags(
    generator: Generator, judge: Judge, count: int, seed: int
) -> Iterator[tuple[Float32, Points, Points]]:
    """Latents, handles and targets: landmarks to where other pictures have them."""
    for case in Cases(generator, judge, DRAWS + seed).drawn(KINDS[0], count):
        yield generator.w_plus(case.seed), case.handles, case.targets


def pictures(
    generator: Generator, w_plus: Float32, handle: Points, target: Points
) -> Sequence[Float32]:
    """Latents along a drag, the first one and the last included."""
    session = DragSession(generator, w_plus, handle, target, None, _CONFIG, keep_latents=True)
    for _ in session:
        pass
    latents = session.latents
    steps = sorted({0, *range(_EVERY, len(latents), _EVERY), len(latents) - 1})
    return [latents[step : step + 1] for step in steps]


def _followed(
    generator: Generator, judge: Judge, latents: Sequence[Float32], rng: np.random.Generator
) -> Followed | None:
    """Points of all kinds along a drag; None where there is one picture alone."""
    if len(latents) < 2:
        return None
    features = np.concatenate([generator.features(latent).features for latent in latents])
    tracker = Tracker(Geometry.of(generator.manifest), features, generator.threads)
    others = _there_and_back(tracker, generator.manifest.image_size, rng)
    places = np.array([judge.places(generator.image(latent)) for latent in latents])
    lost = np.hypot(*np.moveaxis(tracker.through(places[0]) - places, 2, 0)).mean(axis=0)
    weights = 1 + lost / (_LOST * generator.manifest.image_size[0] / 512)
    middles, ends = _between(places, rng)
    kinds = (
        (others, _REST, np.ones(others.shape[1])),
        (places, _LANDMARKS, weights),
        (middles, _MIDDLES, weights[ends]),
    )
    facts = generator.manifest.feature_map
    pixels = np.concatenate([points for points, _, _ in kinds], axis=1)
    shares = [share * each / max(each.sum(), 1) for _, share, each in kinds]
    return Followed(features, (pixels - facts.offset) / facts.rate, np.concatenate(shares))


def _between(places: Points, rng: np.random.Generator) -> tuple[Points, NDArray[np.intp]]:
    """Points between neighbouring landmarks, [pictures, n, 2], at the same share of the way in all pictures.

    With them the landmark that each is near, [n].
    """
    first = places[0]
    away = np.hypot(*np.moveaxis(first[:, None] - first, 2, 0))
    others = np.argsort(away, axis=1)[:, 1 : _NEIGHBOURS + 1]
    one = np.arange(len(first)).repeat(others.shape[1])
    along = rng.uniform(0, 0.5, (len(one), 1))
    return places[:, one] + along * (places[:, others.ravel()] - places[:, one]), one


def _there_and_back(
    tracker: Tracker, image_size: tuple[int, int], rng: np.random.Generator
) -> Points:
    """Any points that tracking follows through the pictures and back, [pictures, n, 2]."""
    start = rng.uniform(0.05, 0.95, (_OTHERS, 2)) * np.array(image_size[::-1])
    there = tracker.through(start)
    back = tracker.through(there[-1], backwards=True)[-1]
    came = np.hypot(*(back - start).T) <= _BACK * image_size[0] / 512
    return there[:, came]
