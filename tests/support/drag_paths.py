"""A drag against the plain one in torch, step by step."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from reference.plain_draggan import PlainDrag

from dragonnx import DragSession
from dragonnx.drag.session import DragStep
from dragonnx.types import Float32

# Adam divides by the gradient's size, so the first step is the gradient's sign times the step
# size: where a gradient is near zero the float32 side may move differently by a full step. What
# most components do is compared closely, what all of them do by their distance as a vector.
CLOSE, OVERALL = 1e-3, 2e-2
_ROUNDING = 1e-7
"""Of a latent, in shares of it: what float32 cannot tell apart."""

PlainFrom = Callable[[Float32], PlainDrag]
"""The plain drag from a latent, not begun."""


def assert_same_path(
    session: DragSession, steps: list[DragStep], plain_from: PlainFrom, start: Float32, layers: int
) -> Float32:
    """That a drag went as the plain one does, which is made here.

    Args:
        session: It, at its end.
        steps: All that it made.
        plain_from: Makes the plain one.
        start: Where both began, [1, num_ws, w_dim].
        layers: How many of the first w's are moved for sure.

    Returns:
        How far the session moved w_plus.
    """
    plain = plain_from(start)
    for number, step in enumerate(steps):
        # The losses are sums of |differences| of float32 features of size about one.
        assert step.loss == pytest.approx(plain.step(), rel=2e-3, abs=1e-5), number
        if number:
            np.testing.assert_array_equal(steps[number - 1].handle_points, plain.handles)
    moved = session.w_plus - start
    expected = _moved(plain, start)
    assert np.abs(expected[:, :layers]).mean() > 1e-3
    assert np.quantile(np.abs(moved - expected), 0.9) < CLOSE
    apart = np.linalg.norm(moved - expected)
    if apart >= OVERALL * np.linalg.norm(expected):
        # With few numbers in w one that goes the other way is a good part of all. Then plain drags
        # whose starts differ by rounding part as far, of which a dozen are tried.
        assert apart < 2 * max(
            _apart(plain_from, start, expected, len(steps), seed) for seed in range(12)
        )
    return moved


def _apart(
    plain_from: PlainFrom, start: Float32, expected: Float32, steps: int, seed: int
) -> float:
    """How far from where it is expected a plain drag ends whose start was rounded otherwise."""
    noise = np.random.default_rng(seed).standard_normal(start.shape)
    beside = np.asarray(start * (1 + _ROUNDING * noise), np.float32)
    plain = plain_from(beside)
    for _ in range(steps):
        plain.step()
    return float(np.linalg.norm(_moved(plain, beside) - expected))


def _moved(plain: PlainDrag, start: Float32) -> Float32:
    return np.asarray(plain.latent().detach().numpy() - start)
