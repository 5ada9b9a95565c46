"""Drags that come no further: when that is said, and with what reason."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from support.bundled import SEED, SIZE

from dragonnx import DragConfig, DragSession, Generator, Outcome
from dragonnx.drag.stall import is_stalled, stall_reason

TARGET = np.array([[100.0, 50.0]])


def trace(*xs: float) -> np.ndarray:
    """One handle at y 50."""
    return np.array([[[x, 50.0]] for x in xs])


@pytest.mark.parametrize(
    ("xs", "stalled"),
    [
        ([50, 51, 52, 53, 54, 55], False),  # on its way
        ([50, 60, 60, 60], False),  # not long enough
        ([50, 60, 60, 60, 60], True),
        ([50, 60, 60.4, 60.8, 60.9], True),  # less than what counts
        ([50, 60, 55, 58, 61.5], False),  # back, and then nearer than before
        ([50, 60, 40, 20, 0], True),
    ],
)
def test_a_drag_without_progress_for_three_steps(xs: list[float], stalled: bool) -> None:
    assert is_stalled(trace(*xs), TARGET, 3, least=1) is stalled


def test_one_handle_on_its_way_is_progress() -> None:
    still, moving = trace(*[20] * 8), trace(*range(50, 58))
    both = np.concatenate([still, moving], axis=1)
    assert not is_stalled(both, np.repeat(TARGET, 2, axis=0), 4, least=1)
    assert is_stalled(still, TARGET, 4, least=1)


def test_the_reason_tells_a_handle_that_stays_from_one_that_is_lost() -> None:
    stays = stall_reason(trace(*[60.0] * 50), TARGET, 40, least=1)
    assert stays.startswith("The handle comes no nearer to its target, 40 px away: it stays")
    jumps = stall_reason(trace(*[60.0, 75.0] * 25), TARGET, 40, least=1)
    assert "now here, now there" in jumps
    two = np.concatenate([trace(*[99.0] * 50), trace(*[60.0] * 50)], axis=1)
    assert stall_reason(two, np.repeat(TARGET, 2, axis=0), 40, 1).startswith("Handle 2 comes")


def test_a_drag_that_cannot_be_done_ends_before_its_limit(tmp_path: Path) -> None:
    """A place on the backdrop cannot come to the other side; `paper` goes on to its limit."""
    generator = Generator.open("critters", device="cpu")
    config = DragConfig(preset="best", max_steps=200)
    corner, far = (3, 3), (SIZE - 4, SIZE - 4)
    session = DragSession(generator, generator.w_plus(SEED), [corner], [far], config=config)
    steps = len(list(session))
    assert session.outcome is Outcome.STALLED
    assert 40 <= steps < 200
    assert "comes no nearer to its target" in session.advice
    # A drag that was saved then goes on to the same end.
    session.save(tmp_path / "drag.npz")
    again = DragSession(generator, generator.w_plus(SEED), [corner], [far], config=config)
    again.resume(tmp_path / "drag.npz")
    assert list(again) == []
    assert again.advice == session.advice
    json.dumps(session.settings.to_dict())
