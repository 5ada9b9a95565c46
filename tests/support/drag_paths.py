"""A drag against the plain one in torch, step by step."""

from __future__ import annotations

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


def assert_same_path(
    session: DragSession, steps: list[DragStep], plain: PlainDrag, start: Float32, layers: int
) -> Float32:
    """That a drag went as the plain one does, which is made here.

    Args:
        session: It, at its end.
        steps: All that it made.
        plain: The plain one, not begun.
        start: Where both began, [1, num_ws, w_dim].
        layers: How many of the first w's are moved for sure.

    Returns:
        How far the session moved w_plus.
    """
    for number, step in enumerate(steps):
        # The losses are sums of |differences| of float32 features of size about one.
        assert step.loss == pytest.approx(plain.step(), rel=2e-3, abs=1e-5), number
        if number:
            np.testing.assert_array_equal(steps[number - 1].handle_points, plain.handles)
    moved = session.w_plus - start
    expected = plain.latent().detach().numpy() - start
    assert np.abs(expected[:, :layers]).mean() > 1e-3
    assert np.quantile(np.abs(moved - expected), 0.9) < CLOSE
    assert np.linalg.norm(moved - expected) < OVERALL * np.linalg.norm(expected)
    return moved
