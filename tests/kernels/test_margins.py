"""Feature maps that reach beyond the image give what they give beside a larger image.

A map with a margin of m cells, each of s pixels, over an image is the same map without a margin over an
image that is m * s pixels larger on each side. There every kernel is tested by itself.
"""

from __future__ import annotations

import numpy as np
import pytest

from dragonnx import _core

CELLS, MARGIN, CHANNELS = 8, 3, 5
SIDE = CELLS + 2 * MARGIN
POINTS = np.array([[0.0, 0.0], [3.25, 11.5], [15.0, 7.75]])


@pytest.fixture
def features() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((1, CHANNELS, SIDE, SIDE), np.float32)


def plans(scale: int) -> tuple[_core.WindowPlan, _core.WindowPlan, int]:
    """With a margin over the image, without one over the larger image, and how far it is larger."""
    image, beyond = CELLS * scale, MARGIN * scale
    within = _core.WindowPlan.whole((SIDE, SIDE), (image, image), len(POINTS), MARGIN)
    larger = (image + 2 * beyond,) * 2
    return within, _core.WindowPlan.whole((SIDE, SIDE), larger, len(POINTS)), beyond


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_features_at_points(features: np.ndarray, scale: int) -> None:
    within, larger, beyond = plans(scale)
    points = POINTS * (CELLS * scale - 1) / 15
    assert within.margin == MARGIN
    np.testing.assert_allclose(
        _core.sample(features, within, points),
        _core.sample(features, larger, points + beyond),
        rtol=1e-5, atol=1e-6,
    )  # fmt: skip


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_supervision_and_tracking(features: np.ndarray, scale: int) -> None:
    """Of handles far enough from the border that no patch is cut."""
    within, larger, beyond = plans(scale)
    handles = np.array([[4.0, 4.0], [9.5, 6.25], [8.0, 10.0]]) * (scale / 2)
    targets, threads = handles + np.array([1.5, -0.75]), _core.Threads(1)
    grads, losses, found = [], [], []
    for plan, moved in ((within, 0), (larger, beyond)):
        grad = np.zeros_like(features)
        losses.append(
            _core.motion_supervision(
                features, plan, handles + moved, targets + moved, 1.2, grad, threads
            )
        )
        grads.append(grad)
        first = np.zeros((3, CHANNELS), np.float32)
        tracked = _core.point_tracking(
            features, plan, handles + moved, first, 1.5, False, _core.Distance.L1, threads
        )
        found.append(tracked - moved)
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)
    np.testing.assert_allclose(grads[0], grads[1], rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(found[0], found[1])


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_the_mask_term_counts_the_image_alone(features: np.ndarray, scale: int) -> None:
    image, beyond = CELLS * scale, MARGIN * scale
    mask = np.random.default_rng(1).random((image, image)) < 0.5
    larger = np.pad(mask, beyond, constant_values=True)  # what lies beyond the image may move
    reference = np.random.default_rng(2).standard_normal(features.shape[1:], np.float32)
    results = []
    for given, margin in ((mask, MARGIN), (larger, 0)):
        plan, grad = _core.MaskPlan(given, (SIDE, SIDE), margin), np.zeros_like(reference)
        # The term is a mean over the image, and the larger one has more pixels.
        weight = given.size / mask.size
        loss = _core.mask_penalty(features[0], reference, plan, weight, grad, _core.Threads(1))
        results.append((loss, grad))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-5)
    np.testing.assert_allclose(results[0][1], results[1][1], rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("margin", [-1, 7])
def test_a_margin_that_leaves_nothing_is_refused(margin: int) -> None:
    with pytest.raises(ValueError, match=f"margin must be 0 to 6 cells, got {margin}"):
        _core.WindowPlan.whole((SIDE, SIDE), (16, 16), 1, margin)
    with pytest.raises(ValueError, match="margin must be 0 to 6 cells"):
        _core.MaskPlan(np.ones((16, 16), bool), (SIDE, SIDE), margin)
