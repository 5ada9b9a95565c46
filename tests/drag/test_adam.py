"""Adam against the algorithm as its paper lists it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dragonnx.drag.adam import Adam


@given(
    st.lists(
        st.lists(st.floats(-1e3, 1e3, width=32), min_size=3, max_size=3), min_size=1, max_size=8
    )
)
def test_updates_follow_the_paper(gradients: list[list[float]]) -> None:
    adam = Adam(step_size=0.01)
    mean = square = np.zeros(3)
    for number, gradient in enumerate(np.array(gradients, np.float32), start=1):
        g = gradient.astype(np.float64)
        mean = 0.9 * mean + 0.1 * g
        square = 0.999 * square + 0.001 * g**2
        mean_hat, square_hat = mean / (1 - 0.9**number), square / (1 - 0.999**number)
        expected = -0.01 * mean_hat / (np.sqrt(square_hat) + 1e-8)
        # The update is rounded to float32; both sides compute in float64.
        update, adam = adam.update(gradient)
        np.testing.assert_allclose(update, expected, rtol=1e-6, atol=1e-12)


def test_a_shared_moment_keeps_the_gradients_direction() -> None:
    gradient = np.array([3, -4, 0, 1e-3], np.float32)
    update, after = Adam(step_size=0.01, is_shared=True).update(gradient)
    # The first step is as long as that of Adam's own, whose entries are all of the step size.
    np.testing.assert_allclose(update, -0.01 * 2 * gradient / np.linalg.norm(gradient), rtol=1e-6)
    again, _ = after.update(gradient)
    np.testing.assert_allclose(again, update, rtol=1e-6)
