"""A drag against the plain one in torch, step by step."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
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

MakesPlain = Callable[..., PlainDrag]
"""A plain drag, but for what it has from a session: latent, points, radii and step size."""


def assert_same_path(
    session: DragSession, steps: list[DragStep], make: MakesPlain, start: Float32, layers: int
) -> Float32:
    """That a drag went as the plain one does, which is made here.

    Args:
        session: It, at its end.
        steps: All that it made.
        make: Makes the plain one.
        start: Where both began, [1, num_ws, w_dim].
        layers: How many of the first w's are moved for sure.

    Returns:
        How far the session moved w_plus.
    """
    plain = _plain(make, session, start)
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
        others = (_apart(make, session, start, expected, seed) for seed in range(12))
        assert apart < 2 * max(others)
    return moved


def _plain(make: MakesPlain, session: DragSession, start: Float32) -> PlainDrag:
    """The plain drag from a latent, not begun."""
    return make(
        w_plus=torch.tensor(start).double(),
        handles=torch.tensor(session.trace[0]),
        targets=torch.tensor(session.target_points),
        r1=session.settings.r1_pixels,
        r2=session.settings.r2_pixels,
        step_size=session.settings.step_size,
    )


def _apart(
    make: MakesPlain, session: DragSession, start: Float32, expected: Float32, seed: int
) -> float:
    """How far from where it is expected a plain drag ends whose start was rounded otherwise."""
    noise = np.random.default_rng(seed).standard_normal(start.shape)
    beside = np.asarray(start * (1 + _ROUNDING * noise), np.float32)
    plain = _plain(make, session, beside)
    for _ in range(session.steps):
        plain.step()
    return float(np.linalg.norm(_moved(plain, beside) - expected))


def _moved(plain: PlainDrag, start: Float32) -> Float32:
    return np.asarray(plain.latent().detach().numpy() - start)
