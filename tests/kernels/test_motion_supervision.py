"""Motion supervision against its definition."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from reference.kernels import motion_supervision
from support.kernel_cases import ROUNDING, Case, cases

from dragonnx import _core
from dragonnx._core import Threads, WindowPlan

THREADS = Threads(1)

steps = st.tuples(st.floats(-9, 9), st.floats(-9, 9))
axis_steps = st.sampled_from([(4.0, 0.0), (-3.0, 0.0), (0.0, 2.0), (0.0, -5.0), (1.0, 0.0)])
radii = st.one_of(st.floats(0.1, 5), st.sampled_from([0.5, 1.0, 2.0, 3.0]))


@settings(deadline=None)
@given(cases(), st.one_of(steps, axis_steps), radii)
def test_loss_and_gradient(case: Case, step: tuple[float, float], r1: float) -> None:
    targets = case.points + np.array(step)
    expected = motion_supervision(case.features, case.image_size, case.points, targets, r1)
    # Below rounding, the sign of a term and with it the gradient is arbitrary.
    assume(expected.closest_to_kink > ROUNDING)
    before = case.rng.uniform(-1, 1, case.features.shape).astype(np.float32)
    grad = before[None].copy()
    losses = _core.motion_supervision(
        features=case.features[None],
        plan=case.whole(),
        handle_points=case.points,
        target_points=targets,
        r1=r1,
        grad_features=grad,
        threads=THREADS,
    )
    assert losses.dtype == np.float64
    np.testing.assert_allclose(losses, expected.losses, atol=ROUNDING, rtol=0)
    np.testing.assert_allclose(grad[0], before + expected.grad_features, atol=ROUNDING, rtol=0)


@settings(deadline=None)
@given(cases(points=3), steps, st.floats(0.1, 4))
def test_windows_give_the_same(case: Case, step: tuple[float, float], r1: float) -> None:
    """Losses bit for bit; gradients up to the order of summation where windows overlap."""
    targets = case.points + np.array(step)
    # A pixel of the disc or, outside the image, the nearest one; one pixel on.
    windows = case.windows(reach=r1 + 4)
    both = []
    for features, plan in [
        (case.features[None], case.whole()),
        (windows.features, windows.plan),
    ]:
        grad = np.zeros_like(features)
        losses = _core.motion_supervision(
            features=features,
            plan=plan,
            handle_points=case.points,
            target_points=targets,
            r1=r1,
            grad_features=grad,
            threads=THREADS,
        )
        both.append((losses, grad))
    (whole, whole_grad), (window, window_grad) = both
    np.testing.assert_array_equal(window, whole)
    np.testing.assert_allclose(
        windows.assemble(window_grad, case.feature_size), whole_grad[0], atol=ROUNDING, rtol=0
    )


@pytest.mark.parametrize(("distance", "pulls"), [(0.999, False), (1.0, True), (0.0, False)])
def test_a_handle_within_a_pixel_has_arrived(distance: float, pulls: bool) -> None:
    features = np.random.default_rng(0).uniform(-1, 1, (1, 3, 8, 8)).astype(np.float32)
    handles = np.array([[12.0, 9.0], [20.0, 20.0]])
    targets = handles + np.array([[distance, 0], [5, 5]])
    grad = np.zeros_like(features)
    losses = _core.motion_supervision(
        features,
        WindowPlan.whole((8, 8), (32, 32), 2),
        handles,
        targets,
        3.0,
        grad,
        THREADS,
    )
    # The second point reads columns 4 to 6 alone, so the first one's cells show whether it pulled.
    assert (losses[0] > 0) == pulls
    assert grad[0, :, 1:4, 2:4].any() == pulls
    assert losses[1] > 0
    assert grad.any()


def test_an_arrived_handle_may_lie_outside_its_window() -> None:
    """It reads nothing, so there is nothing to miss."""
    features = np.ones((1, 1, 2, 2), np.float32)
    losses = _core.motion_supervision(
        features,
        WindowPlan(np.zeros((1, 2), np.int64), (2, 2), (8, 8), (32, 32), np.zeros(1, np.int64)),
        np.array([[30.0, 30.0]]),
        np.array([[30.5, 30.0]]),
        3.0,
        np.zeros_like(features),
        THREADS,
    )
    assert losses.tolist() == [0.0]


def test_no_distance_is_beyond_numbers() -> None:
    """The pull goes along the unit vector, however far the target is."""
    features = np.random.default_rng(0).uniform(-1, 1, (1, 3, 8, 8)).astype(np.float32)
    plan = WindowPlan.whole((8, 8), (32, 32), 1)
    handles, far = np.array([[12.0, 9.0]]), 1.7e308
    results = []
    for handle, target in [(handles, [[13.0, 10.0]]), (handles, [[far, far]])]:
        grad = np.zeros_like(features)
        losses = _core.motion_supervision(
            features, plan, handle, np.array(target) + 0.0, 3.0, grad, THREADS
        )
        results.append((losses, grad))
    # The directions agree to float64, so all that is read agrees to float32.
    np.testing.assert_allclose(results[1][0], results[0][0], atol=ROUNDING, rtol=0)
    np.testing.assert_allclose(results[1][1], results[0][1], atol=ROUNDING, rtol=0)


def test_any_number_of_threads_gives_the_same_bits() -> None:
    """Points on a shared window, on windows of their own, and one that has arrived."""
    rng = np.random.default_rng(6)
    points = np.array([[60.3, 40.0], [64.0, 44.5], [90.0, 20.0], [10.0, 120.0]])
    targets = points + np.array([[5, 5], [-7, 2], [0.5, 0], [3, -9]])
    origins, index = np.array([[8, 3], [17, 0], [0, 12]]), np.array([0, 0, 1, 2])
    for plan in [
        WindowPlan.whole((32, 32), (128, 128), 4),
        WindowPlan(origins, (20, 15), (32, 32), (128, 128), index),
    ]:
        shape = (len(plan.origins), 256, *plan.window_size)
        features = rng.normal(size=shape).astype(np.float32)
        results = set()
        for threads in [Threads(), Threads(1), Threads(2), Threads(3)]:
            for _ in range(5):
                grad = np.zeros_like(features)
                losses = _core.motion_supervision(
                    features, plan, points, targets, 6.0, grad, threads
                )
                results.add((losses.tobytes(), grad.tobytes()))
        assert len(results) == 1
