"""Point tracking against its definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from reference.kernels import F64, tracking_candidates
from support.kernel_cases import ROUNDING, Case, cases

from dragonnx import _core
from dragonnx._core import Distance, Threads, WindowPlan

THREADS = Threads(1)
ORDERS = {Distance.L1: 1, Distance.L2: 2}

radii = st.one_of(st.floats(0.1, 9), st.sampled_from([0.5, 1.0, 2.0, 3.0]))
distances = st.sampled_from(list(ORDERS))


@settings(deadline=None)
@given(cases(), radii, st.booleans(), distances)
def test_the_chosen_pixel_is_the_nearest_in_feature_space(
    case: Case, r2: float, inclusive: bool, distance: Distance
) -> None:
    reference = case.rng.uniform(-2, 2, (len(case.points), 3)).astype(np.float32)
    tracked = _core.point_tracking(
        features=case.features[None],
        plan=case.whole(),
        handle_points=case.points,
        reference_features=reference,
        r2=r2,
        inclusive=inclusive,
        distance=distance,
        threads=THREADS,
    )
    assert tracked.dtype == np.float64
    for found, old, feature in zip(tracked, case.points, reference, strict=True):
        candidates = tracking_candidates(
            case.features,
            case.image_size,
            old,
            feature,
            r2,
            inclusive=inclusive,
            order=ORDERS[distance],
        )
        (at,) = np.flatnonzero((candidates.pixels == found).all(axis=1))
        # Three channels, each rounded: a near tie may go either way within that.
        assert candidates.distances[at] <= candidates.distances.min() + 3 * ROUNDING


@settings(deadline=None)
@given(cases(points=3), st.floats(0.1, 6), st.booleans(), distances)
def test_windows_give_the_same(case: Case, r2: float, inclusive: bool, distance: Distance) -> None:
    reference = case.rng.uniform(-2, 2, (len(case.points), 3)).astype(np.float32)
    windows = case.windows(reach=r2 + 3)
    whole, window = (
        _core.point_tracking(
            features=features,
            plan=plan,
            handle_points=case.points,
            reference_features=reference,
            r2=r2,
            inclusive=inclusive,
            distance=distance,
            threads=THREADS,
        )
        for features, plan in [
            (case.features[None], case.whole()),
            (windows.features, windows.plan),
        ]
    )
    np.testing.assert_array_equal(window, whole)


def track(
    features: NDArray[np.float32],
    point: tuple[float, float],
    r2: float,
    *,
    reference: NDArray[np.float32] | None = None,
    inclusive: bool = False,
    distance: Distance = Distance.L1,
    threads: Threads = THREADS,
) -> list[float]:
    """One point on a map [C, fh, fw] at four times its size."""
    channels, height, width = features.shape
    zeros = np.zeros((1, channels), np.float32)
    (found,) = _core.point_tracking(
        features[None],
        WindowPlan.whole((height, width), (height * 4, width * 4), 1),
        np.array([point]),
        zeros if reference is None else reference,
        r2,
        inclusive,
        distance,
        threads,
    )
    return [float(value) for value in found]


@pytest.mark.parametrize("distance", list(ORDERS))
@pytest.mark.parametrize(
    ("point", "expected"),
    [
        ((9.0, 7.0), [9, 7]),  # on a pixel: stays
        ((9.4, 6.6), [9, 7]),  # nearest pixel
        ((9.5, 7.0), [9, 7]),  # half-way: smaller x
        ((9.0, 7.5), [9, 7]),  # half-way: smaller y
        ((9.5, 7.5), [9, 7]),  # four equal: smallest y, then x
        ((-1.0, 33.0), [0, 31]),  # outside the image: nearest pixel inside
    ],
)
def test_a_flat_map_is_one_tie(
    point: tuple[float, float], expected: list[float], distance: Distance
) -> None:
    """0.1 has no exact float32, so this also says that interpolation keeps a flat map flat."""
    flat = np.full((3, 8, 8), 0.1, np.float32)
    assert track(flat, point, 5, distance=distance) == expected


def test_ties_follow_the_definition_on_a_periodic_map() -> None:
    """Columns repeat and all numbers are short binary fractions: many ties, exact on both sides."""
    column = np.array([0, 1, 0, -1, 0, 1, 0, -1], np.float32)
    features = np.broadcast_to(column, (2, 8, 8)).copy()
    for point in [(13.0, 9.0), (13.5, 9.25), (16.0, 16.0), (4.0, 4.0), (0.0, 0.0)]:
        for value in [0.0, 0.375, -0.875]:
            reference = np.full((1, 2), value, np.float32)
            candidates = tracking_candidates(
                features, (32, 32), np.array(point), reference[0], 7, inclusive=False, order=1
            )
            chosen: F64 = candidates.choose(np.array(point))
            assert track(features, point, 7, reference=reference) == chosen.tolist()


@pytest.mark.parametrize(("inclusive", "expected"), [(False, [17, 16]), (True, [18, 16])])
def test_the_window_may_hold_its_edge(inclusive: bool, expected: list[float]) -> None:
    """The features grow towards the ones sought, so the rightmost pixel of the window wins."""
    ramp = np.broadcast_to(np.arange(8, dtype=np.float32), (1, 8, 8)).copy()
    reference = np.array([[7.0]], np.float32)
    assert track(ramp, (16.0, 16.0), 2.0, reference=reference, inclusive=inclusive) == expected


def test_an_empty_window_holds_the_nearest_pixel() -> None:
    ramp = np.broadcast_to(np.arange(8, dtype=np.float32), (1, 8, 8)).copy()
    assert track(ramp, (10.5, 12.5), 0.25) == [10, 12]
    assert track(ramp, (90.0, -40.0), 2) == [31, 0]
    # Rows are in reach, columns are not: no pixel is.
    assert track(ramp, (90.0, 12.0), 2) == [31, 12]


def test_the_two_distances_differ() -> None:
    """One large difference against two small ones: L1 minds the sum, L2 the largest."""
    features = np.zeros((2, 1, 2), np.float32)
    features[:, 0, 0] = [3.0, 0.0]
    features[:, 0, 1] = [2.0, 2.0]
    assert track(features, (4.0, 1.0), 8, distance=Distance.L1)[0] < 4
    assert track(features, (3.0, 1.0), 8, distance=Distance.L2)[0] >= 4


def test_not_a_number_is_never_nearer() -> None:
    features = np.zeros((1, 8, 8), np.float32)
    features[0, :, 4:] = np.nan
    assert track(features, (15.0, 16.0), 6)[0] <= 13
    assert track(np.full((1, 8, 8), np.nan, np.float32), (15.2, 16.0), 6) == [15, 16]


def test_a_far_handle_among_no_numbers_ends_on_the_image() -> None:
    nothing = np.full((1, 8, 8), np.nan, np.float32)
    assert track(nothing, (1e300, -1e300), 6) == [31, 0]


def test_any_number_of_threads_gives_the_same_pixels() -> None:
    """Search windows of several pieces; a flat map has all its ties between them."""
    rng = np.random.default_rng(7)
    noise = rng.normal(size=(512, 32, 32)).astype(np.float32)
    flat = np.full((512, 32, 32), 0.1, np.float32)
    for features, expected in [(noise, None), (flat, [64, 60])]:
        for distance in ORDERS:
            found = {
                tuple(track(features, (64.4, 60.2), 40, distance=distance, threads=threads))
                for threads in [Threads(), Threads(1), Threads(2), Threads(3)]
            }
            assert len(found) == 1
            assert expected in (None, *map(list, found))
