"""Walks from latent to latent: every waypoint is reached, the way between them is straight and even."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragonnx import InputError, walk
from dragonnx.types import Float32

NUM_WS, W_DIM = 3, 4


def waypoints(count: int, seed: int = 0) -> Float32:
    return np.random.default_rng(seed).standard_normal((count, NUM_WS, W_DIM), np.float32)


@given(st.integers(2, 6), st.integers(0, 30), st.booleans(), st.integers(0, 9))
def test_a_walk_has_so_many_frames_and_every_waypoint(
    count: int, more: int, loop: bool, seed: int
) -> None:
    points = waypoints(count, seed)
    found = [*walk(points, count + more, loop=loop)]
    assert len(found) == count + more
    assert {latent.shape for latent in found} == {(1, NUM_WS, W_DIM)}
    assert {latent.dtype for latent in found} == {np.dtype(np.float32)}
    held = [latent[0].tobytes() for latent in found]
    places = [held.index(point.tobytes()) for point in points]
    assert places == sorted(places)
    assert places[0] == 0
    assert loop or places[-1] == len(found) - 1
    legs = [end - start for start, end in pairwise([*places, *([len(found)] if loop else [])])]
    assert max(legs) - min(legs) <= 1, "frames are shared out evenly"


def test_the_way_is_straight_and_even() -> None:
    start, end = points = waypoints(2)
    found = np.concatenate([*walk(points, 5)])
    wanted = [start + share * (end - start) for share in (0, 0.25, 0.5, 0.75, 1)]
    np.testing.assert_allclose(found, wanted, atol=1e-6)  # numbers of about 1 in float32


def test_a_loop_goes_back_and_does_not_stop_at_its_end() -> None:
    start, end = points = waypoints(2)
    found = np.concatenate([*walk(points, 4, loop=True)])
    middle = (start + end) / 2
    np.testing.assert_allclose(found, [start, middle, end, middle], atol=1e-6)


def test_latents_are_the_user_s_own() -> None:
    points = waypoints(2)
    before = points.copy()
    for latent in walk(points, 2):
        latent[:] = 0
    np.testing.assert_array_equal(points, before)


@pytest.mark.parametrize(
    ("points", "frames", "loop", "message"),
    [
        (waypoints(1), 5, False, "two or more, not 1"),
        (waypoints(3), 2, False, "frames must be a whole number from 3 to 10000, not 2"),
        (waypoints(2), 10_001, False, "frames must be a whole number from 2 to 10000"),
        (waypoints(2), 2.0, False, "frames must be a whole number"),
        (waypoints(2), 2, 1, "loop must be true or false"),
        (waypoints(2)[0], 2, False, r"waypoints must be an array \[N, num_ws, w_dim\]"),
        (waypoints(2) * np.inf, 2, False, "not finite"),
        ("abc", 2, False, "waypoints must be an array"),
    ],
)
def test_what_is_no_walk_is_refused_at_once(
    points: object, frames: object, loop: object, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        walk(points, frames, loop=loop)  # type: ignore[arg-type]
