"""Drags on a card that go on from a file, and generators that are closed while a card computes."""

from __future__ import annotations

from pathlib import Path

import pytest
from gpu.conftest import OpenOnCard
from gpu.whole_drags import HELD, ONE_POINT, Drag, Dragged
from support.closing import CLOSED, ends_of_three_threads_on_closing

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("drag", [ONE_POINT, HELD], ids=["windows", "masked"])
def test_a_drag_goes_on_from_its_progress(
    drag: Drag, open_on_card: OpenOnCard, tmp_path: Path
) -> None:
    """cuDNN may add in another order each time, so that not every bit is the same."""
    expected = drag.done(open_on_card())
    first, later = (drag.session(open_on_card()) for _ in range(2))
    for _ in range(3):
        next(first)
    first.save(tmp_path / "progress.npz")
    later.resume(tmp_path / "progress.npz")
    list(later)
    start = later.latents[:1]
    Dragged(list(later.done_steps), later.outcome, start, later.w_plus).assert_same(expected)


def test_closing_while_other_threads_compute(open_on_card: OpenOnCard) -> None:
    """What is recorded and replayed meanwhile ends well or is refused."""
    for _ in range(3):
        assert ends_of_three_threads_on_closing(open_on_card()) == [CLOSED] * 3
