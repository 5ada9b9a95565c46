"""The mask penalty against its definition."""

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from reference.kernels import mask_penalty
from support.kernel_cases import ROUNDING, Case, cases

from dragonnx import _core
from dragonnx._core import MaskPlan, Threads

THREADS = Threads(1)


@settings(deadline=None)
@given(cases(points=0), st.floats(0, 30), st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0]))
def test_loss_and_gradient(case: Case, weight: float, share: float) -> None:
    reference = case.rng.uniform(-2, 2, case.features.shape).astype(np.float32)
    mask = case.rng.uniform(size=case.image_size) < share
    expected = mask_penalty(case.features, reference, case.image_size, mask, weight)
    # Below rounding, the sign of a term and with it the gradient is arbitrary.
    assume(expected.closest_to_kink > ROUNDING)
    before = case.rng.uniform(-1, 1, case.features.shape).astype(np.float32)
    grad = before.copy()
    loss = _core.mask_penalty(
        features=case.features,
        reference_features=reference,
        plan=MaskPlan(mask, case.feature_size),
        weight=weight,
        grad_features=grad,
        threads=THREADS,
    )
    # Rounding of values up to 4 and of a sum of signs, times the weight.
    tolerance = ROUNDING * max(weight, 1)
    np.testing.assert_allclose(loss, expected.loss, atol=tolerance, rtol=0)
    np.testing.assert_allclose(grad, before + expected.grad_features, atol=tolerance, rtol=0)


def test_a_realistic_size() -> None:
    """Integer scales take the fast path, with whole vectors and a rest; 500 the plain one."""
    rng = np.random.default_rng(3)
    features, reference = rng.normal(size=(2, 2, 128, 128)).astype(np.float32)
    for size in [(512, 512), (384, 640), (500, 500)]:
        mask = np.zeros(size, bool)
        mask[100:300, 50:200] = True
        grad = np.zeros_like(features)
        loss = _core.mask_penalty(
            features, reference, MaskPlan(mask, (128, 128)), 20.0, grad, THREADS
        )
        expected = mask_penalty(features, reference, size, mask, 20.0)
        # A sum of 5e5 terms whose float32 roundings are independent.
        np.testing.assert_allclose(loss, expected.loss, rtol=1e-6)
        # A term within rounding of zero may take either sign: it moves a cell by up to
        # 2 * 20 / 5e5 = 8e-5, where the gradient is about 1e-3; few cells can be so unlucky.
        wrong = np.abs(grad - expected.grad_features) > 1e-8
        assert wrong.mean() < 1e-3
        np.testing.assert_allclose(grad, expected.grad_features, atol=1e-4, rtol=0)


def test_an_unchanged_map_has_neither_loss_nor_gradient() -> None:
    features = np.random.default_rng(4).normal(size=(3, 8, 8)).astype(np.float32)
    for size in [(32, 32), (30, 31)]:
        grad = np.zeros_like(features)
        plan = MaskPlan(np.zeros(size, bool), (8, 8))
        loss = _core.mask_penalty(features, features.copy(), plan, 20.0, grad, THREADS)
        assert loss == 0.0
        assert not grad.any()


def test_any_number_of_threads_gives_the_same_bits() -> None:
    """However the channels were shared out between them."""
    rng = np.random.default_rng(5)
    features, reference = rng.normal(size=(2, 64, 32, 32)).astype(np.float32)
    plan = MaskPlan(rng.uniform(size=(128, 128)) < 0.5, (32, 32))
    results = set()
    for threads in [Threads(), Threads(1), Threads(2), Threads(3)]:
        for _ in range(5):
            grad = np.zeros_like(features)
            loss = _core.mask_penalty(features, reference, plan, 20.0, grad, threads)
            results.add((loss, grad.tobytes()))
    assert len(results) == 1


def test_a_mask_made_from_bytes_counts_every_byte_but_zero_as_true() -> None:
    bytes_ = np.array([[0, 2, 255, 1]], np.uint8)
    features = np.ones((1, 1, 1), np.float32)
    grad = np.zeros_like(features)
    plan = MaskPlan(bytes_.view(bool), (1, 1))
    loss = _core.mask_penalty(features, np.zeros_like(features), plan, 4.0, grad, THREADS)
    assert loss == 1.0


def test_a_plan_keeps_the_mask_as_it_was() -> None:
    mask = np.zeros((16, 16), bool)
    plan = MaskPlan(mask, (4, 4))
    mask[:] = True
    features = np.ones((1, 4, 4), np.float32)
    grad = np.zeros_like(features)
    assert _core.mask_penalty(features, np.zeros_like(features), plan, 1.0, grad, THREADS) == 1.0
