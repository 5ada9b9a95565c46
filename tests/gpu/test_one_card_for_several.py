"""Generators, threads and drags of several shapes that share one card."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import pytest
from gpu.conftest import OpenOnCard
from gpu.whole_drags import HELD, ONE_POINT, THREE_POINTS, Drag, Dragged

from dragonnx import Generator

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("precision", ["float32", "auto"])
def test_another_number_of_points_and_back(open_on_card: OpenOnCard, precision: str) -> None:
    """A captured graph is one of its shapes: with another shape it must not be replayed."""
    one, three = (drag.done(open_on_card(precision)) for drag in (ONE_POINT, THREE_POINTS))
    used = open_on_card(precision)
    for drag, alone in ((ONE_POINT, one), (THREE_POINTS, three), (ONE_POINT, one)):
        drag.done(used).assert_same(alone)


def test_a_mask_and_none_again(open_on_card: OpenOnCard) -> None:
    one, held = (drag.done(open_on_card()) for drag in (ONE_POINT, HELD))
    used = open_on_card()
    for drag, alone in ((ONE_POINT, one), (HELD, held), (ONE_POINT, one), (HELD, held)):
        drag.done(used).assert_same(alone)


def test_drags_of_other_shapes_in_turn(open_on_card: OpenOnCard) -> None:
    """As an editor with two documents would: each goes on from its own last step."""
    drags = (ONE_POINT, THREE_POINTS, HELD)
    alone = [drag.done(open_on_card()) for drag in drags]
    shared = open_on_card()
    sessions = [drag.session(shared) for drag in drags]
    starts = [session.w_plus for session in sessions]
    steps = list(zip(*sessions, strict=True))
    for session, start, taken, expected in zip(
        sessions, starts, zip(*steps, strict=True), alone, strict=True
    ):
        Dragged(list(taken), session.outcome, start, session.w_plus).assert_same(expected)


def test_two_generators_at_once(open_on_card: OpenOnCard) -> None:
    generators = [open_on_card(), open_on_card()]
    compare_with_alone(open_on_card, (ONE_POINT, ONE_POINT), generators)
    compare_with_alone(open_on_card, (THREE_POINTS, HELD), generators)


def test_two_threads_on_one_generator(open_on_card: OpenOnCard) -> None:
    generator = open_on_card()
    compare_with_alone(open_on_card, (ONE_POINT, ONE_POINT), [generator] * 2)
    compare_with_alone(open_on_card, (ONE_POINT, HELD), [generator] * 2)


def test_a_drag_goes_on_in_another_thread(open_on_card: OpenOnCard) -> None:
    """Whoever keeps something for each thread must not take it for another's."""
    expected = ONE_POINT.done(open_on_card())
    session = ONE_POINT.session(open_on_card())
    start, steps = session.w_plus, [next(session) for _ in range(4)]
    thread = threading.Thread(target=lambda: steps.extend(session))
    thread.start()
    thread.join()
    Dragged(steps, session.outcome, start, session.w_plus).assert_same(expected)


def test_pictures_while_a_drag_runs(open_on_card: OpenOnCard) -> None:
    generator = open_on_card()
    alone, w_plus = ONE_POINT.done(generator), generator.w_plus(5)
    picture = np.asarray(generator.image(w_plus), int)
    done = threading.Event()
    off: list[int] = []

    def look() -> None:
        while not done.is_set():
            off.append(np.abs(np.asarray(generator.image(w_plus), int) - picture).max())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        together = ONE_POINT.done(generator)
    finally:
        done.set()
        thread.join()
    together.assert_same(alone)
    # cuDNN may add in another order each time, and so round to the next level.
    assert off
    assert max(off) <= 1


def compare_with_alone(
    open_on_card: OpenOnCard, drags: Sequence[Drag], generators: Sequence[Generator]
) -> None:
    """Drags at once, each on its generator, against the same with a card to themselves."""
    alone = [drag.done(open_on_card()) for drag in drags]
    together: dict[int, Dragged] = {}
    ready = threading.Barrier(len(drags))

    def run(number: int) -> None:
        ready.wait()
        together[number] = drags[number].done(generators[number])

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(drags))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, expected in enumerate(alone):
        together[number].assert_same(expected)
