"""Documents for tests: any at all, and whether two are the same."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from hypothesis import strategies as st

from dragonnx.document import Document, DragResult, LatentStart, PointPair
from dragonnx.document.paused import PausedDrag
from dragonnx.document.start import Along
from dragonnx.drag.config import DragConfig
from dragonnx.drag.outcome import Outcome
from dragonnx.drag.points import FARTHEST
from dragonnx.model.latent import LARGEST_PSI
from dragonnx.model.motion import Motion

NUM_WS, W_DIM, SIDE = 3, 4, 8
"""Sizes of these documents' latents and masks."""


def same(one: object, other: object) -> bool:
    """Whether two values are equal, arrays within them to the bit."""
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if isinstance(one, Document | LatentStart | DragResult | Along | PausedDrag):
        return type(one) is type(other) and all(
            same(getattr(one, field.name), getattr(other, field.name)) for field in fields(one)
        )
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


_places = st.floats(-FARTHEST, FARTHEST)
_points = st.tuples(_places, _places)
_positive = st.none() | st.floats(1e-6, 1e6)
_seeds = st.integers(0, 2**32 - 1)


def _arrays(*shape: int, dtype: type = np.float32) -> st.SearchStrategy[np.ndarray]:
    values = st.lists(
        st.floats(-100, 100, width=32), min_size=int(np.prod(shape)), max_size=int(np.prod(shape))
    )
    return values.map(lambda flat: np.array(flat, dtype).reshape(shape))


directions = st.builds(
    Along,
    name=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8),
    amount=st.floats(-100, 100),
    vector=_arrays(1, NUM_WS, W_DIM),
)
starts = st.builds(
    LatentStart,
    seed=_seeds,
    truncation_psi=st.none() | st.floats(-LARGEST_PSI, LARGEST_PSI),
    label=st.none()
    | st.integers(0, 1000)
    | st.dictionaries(st.integers(0, 1000), st.floats(0.125, 1), min_size=1, max_size=3),
    w_plus=st.none() | _arrays(1, NUM_WS, W_DIM),
    name=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8),
    directions=st.lists(directions, max_size=2, unique_by=lambda each: each.name).map(tuple),
    motion=st.none()
    | st.builds(
        Motion,
        rotation=st.floats(-360, 360),
        translation=st.tuples(st.floats(-1000, 1000), st.floats(-1000, 1000)),
    ),
)
configs = st.builds(
    DragConfig,
    preset=st.sampled_from(["paper", "released", "best"]),
    space=st.sampled_from(["w+", "w"]),
    step_size=_positive,
    lambda_mask=st.none() | st.floats(0, 1e6),
    r1=_positive,
    r2=_positive,
    stop_distance=_positive,
    max_steps=st.none() | st.integers(1, 10_000),
    trainable_layers=st.none() | st.integers(1, 18),
    windows=st.booleans(),
)
_pairs = st.builds(
    PointPair,
    handle=_points,
    target=st.none() | _points,
    origin=st.none() | _points,
    is_on=st.booleans(),
)
masks = st.none() | _arrays(SIDE, SIDE).map(lambda values: values > 0)


@st.composite
def pauses(draw: st.DrawFn, steps: int) -> PausedDrag:
    """What a drag that was paused after so many steps may have to go on with."""
    shape = (1, draw(st.integers(1, NUM_WS)), W_DIM)
    return PausedDrag(
        key=draw(st.text("0123456789abcdef", max_size=64)),
        terms=("motion", "mask"),
        computed_on=draw(st.sampled_from(["cpu in float32", ""])),
        mean=draw(_arrays(*shape, dtype=np.float64)),
        square=draw(_arrays(*draw(st.sampled_from([shape, (1, 1, 1)])), dtype=np.float64)) ** 2,
        losses=draw(_arrays(steps, 2, dtype=np.float64)),
        seconds=draw(_arrays(steps, dtype=np.float64)),
    )


@st.composite
def results(draw: st.DrawFn, points: int) -> DragResult:
    """What a drag of so many points may have done."""
    steps = draw(st.integers(0, 3))
    latents = steps + 1 if draw(st.booleans()) else min(2, steps + 1)
    outcome = draw(st.sampled_from([*(outcome.value for outcome in Outcome), "paused"]))
    paused = None
    if outcome == "paused" and steps and draw(st.booleans()):
        paused = draw(pauses(steps if latents <= steps else draw(st.integers(1, steps))))
    return DragResult(
        latents=draw(_arrays(latents, NUM_WS, W_DIM)),
        trace=draw(_arrays(steps + 1, points, 2, dtype=np.float64)),
        targets=draw(_arrays(points, 2, dtype=np.float64)),
        loss=draw(_arrays(steps, dtype=np.float64)),
        seconds=draw(st.floats(0, 1e6)),
        outcome=outcome,
        settings={"preset": "paper", "r1": draw(_places), "r1_pixels": 3, "windows": True},
        masked=draw(st.booleans()),
        device=draw(st.sampled_from(["cpu", "cuda:1"])),
        precision=draw(st.sampled_from(["float32", "tf32"])),
        paused=paused,
    )


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Any document, whether its parts belong together or not."""
    return Document(
        model=draw(st.sampled_from(["critters", "./my model", "/models/cats"])),
        start=draw(starts),
        pairs=tuple(draw(st.lists(_pairs, max_size=3))),
        config=draw(configs),
        result=draw(st.none() | results(draw(st.integers(1, 3)))),
    ).with_mask(draw(masks))
