"""The document's edits, and undoing and redoing them."""

from __future__ import annotations

import numpy as np
import pytest

from dragonnx.document import Document, DragResult, History, LatentStart
from dragonnx.drag.config import DragConfig
from dragonnx.errors import InputError


def result_to(ends: list[tuple[float, float]], steps: int = 2) -> DragResult:
    trace = np.repeat(np.array([ends], np.float64), steps + 1, axis=0)
    return DragResult(
        latents=np.zeros((steps + 1, 2, 3), np.float32),
        trace=trace,
        targets=trace[-1],
        loss=np.ones(steps),
        seconds=0.5,
        outcome="reached",
    )


def test_points_are_placed_in_turn():
    one = Document().with_point((1, 2))
    assert one.waits_for_target
    assert one.complete_pairs == ()
    both = one.with_point((4, 6))
    assert not both.waits_for_target
    assert both.pairs[0].distance == 5
    assert len(both.with_point((9, 9)).pairs) == 2


def test_a_drag_moves_handles_and_a_reset_brings_them_back():
    document = Document().with_point((1, 2)).with_point((4, 6)).with_point((7, 7))
    dragged = document.with_result(result_to([(3, 5)]))
    assert dragged.pairs[0].handle == (3, 5)
    assert dragged.pairs[1].handle == (7, 7)
    assert dragged.at_start().pairs == document.pairs
    assert dragged.at_start().result is None
    again = dragged.with_result(result_to([(4, 6)]))
    assert again.at_start().pairs == document.pairs
    moved = dragged.with_handle(0, (9, 9))
    assert moved.at_start().pairs[0].handle == (9, 9)


def test_a_result_of_other_points_is_refused():
    with pytest.raises(InputError, match="other points"):
        Document().with_result(result_to([(3, 5)]))


def test_another_picture_drops_points_and_mask_but_a_variation_keeps_them():
    document = Document().with_point((1, 2)).with_mask(np.eye(4, dtype=bool))
    other = document.with_start(LatentStart(seed=3))
    assert other.pairs == ()
    assert other.mask is None
    variation = document.with_start(LatentStart(truncation_psi=0.5), keep_points=True)
    assert variation.pairs == document.pairs
    assert variation.mask is document.mask


def test_a_mask_is_copied_and_frozen():
    mask = np.ones((4, 4), bool)
    document = Document().with_mask(mask)
    mask[0, 0] = False
    assert document.mask is not None
    assert document.mask.all()
    with pytest.raises(ValueError, match="read-only"):
        document.mask[0, 0] = False


def test_undo_and_redo_walk_the_edits():
    first = Document()
    history = History(first)
    assert history.undo() is None
    second = first.with_point((1, 1))
    third = second.with_config(DragConfig(step_size=0.1))
    assert history.apply("place handle point 1", second)
    assert history.apply("settings", third)
    assert not history.apply("nothing", third)
    assert history.undo_label == "settings"
    assert history.undo() == "settings"
    assert history.document is second
    assert history.undo() == "place handle point 1"
    assert history.document is first
    assert history.redo_label == "place handle point 1"
    assert history.redo() == "place handle point 1"
    fourth = second.without_pairs()
    history.apply("clear", fourth)
    assert history.redo() is None
    assert history.document is fourth


def test_consecutive_edits_of_one_key_are_one_undo():
    history = History(Document().with_point((1, 1)))
    for x in range(5):
        history.apply("move", history.document.with_handle(0, (x, 0)), "move-0")
    history.finish_merging()
    history.apply("move", history.document.with_handle(0, (50, 0)), "move-0")
    history.undo()
    assert history.document.pairs[0].handle == (4, 0)
    history.undo()
    assert history.document.pairs[0].handle == (1, 1)


def test_history_is_bounded_in_edits_and_bytes():
    history = History(Document(), most_edits=10)
    for k in range(50):
        history.apply("p", history.document.with_point((k, k)))
    undone = 0
    while history.undo():
        undone += 1
    assert undone == 10
    heavy = History(Document(), most_bytes=1000)
    for k in range(50):
        mask = np.zeros((20, 20), bool)
        mask[0, :k] = True
        heavy.apply("mask", heavy.document.with_mask(mask))
        heavy.apply("point", heavy.document.with_point((k, k)))
    undone = 0
    while heavy.undo():
        undone += 1
    assert 2 <= undone <= 6  # two masks of 400 bytes, each shared by two documents
