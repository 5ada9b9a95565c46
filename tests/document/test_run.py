"""A document in, a document out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.bundled import FAR, NOSE, NOSE_NEAR, NOSE_TARGET, SEED
from support.documents import same

from dragonnx.document import Document, DragRun, LatentStart, drag
from dragonnx.document.latents import current_w_plus
from dragonnx.drag.outcome import Outcome
from dragonnx.drag.session import DragSession
from dragonnx.errors import InputError


def test_it_is_what_the_session_does(generator, marked, dragged):
    session = DragSession(
        generator, generator.w_plus(SEED), [NOSE], [NOSE_TARGET], marked.mask, marked.config
    )
    steps = list(session)
    result = dragged.result
    np.testing.assert_array_equal(current_w_plus(dragged, generator), session.w_plus)
    np.testing.assert_array_equal(result.trace[0], [NOSE])
    np.testing.assert_array_equal(result.trace[1:], [step.handle_points for step in steps])
    np.testing.assert_array_equal(result.loss, [step.loss for step in steps])
    assert result.settings == session.settings.to_dict()
    assert (result.outcome, result.masked) == ("max_steps", True)
    assert (result.device, result.precision) == ("cpu", "float32")
    assert dragged.pairs[0].handle == tuple(result.trace[-1, 0])
    assert dragged.pairs[0].first == NOSE


def test_frames_are_kept_on_request(generator, marked, dragged):
    ends = drag(marked, generator)
    assert len(dragged.result.latents) == 4
    assert not ends.result.has_frames
    assert same(ends.result.latents, dragged.result.with_ends_only().latents)


def test_progress_is_told_after_each_step(generator, marked):
    told = []
    drag(marked, generator, progress=lambda run, step: told.append((run.steps, step.number)))
    assert told == [(1, 1), (2, 2), (3, 3)]


def test_stop_ends_it_and_keeps_what_it_reached(generator, marked):
    asked = iter([False, True])
    stopped = drag(marked, generator, stop=lambda: next(asked))
    assert (stopped.result.steps, stopped.result.outcome) == (1, Outcome.CANCELLED.value)


def test_a_document_may_carry_the_weight_of_a_mask_that_it_lacks(generator, marked):
    weighed = marked.with_mask(None).with_config(replace(marked.config, lambda_mask=5.0))
    plain = drag(marked.with_mask(None), generator)
    np.testing.assert_array_equal(drag(weighed, generator).result.latents, plain.result.latents)


def test_a_pause_changes_nothing(generator, marked, dragged):
    run = DragRun(marked, generator)
    assert run.document is marked
    paused = run.go_on(steps=1)
    assert (paused.result.steps, paused.result.outcome) == (1, "paused")
    np.testing.assert_array_equal(run.go_on().result.latents, dragged.result.latents)
    assert run.outcome is Outcome.MAX_STEPS


def test_a_drag_goes_on_from_a_dragged_document(generator, dragged):
    again = drag(dragged, generator)
    np.testing.assert_array_equal(again.result.latents[0], dragged.result.w_plus[0])
    assert again.pairs[0].first == NOSE


def test_an_interrupt_loses_no_step(generator, marked, dragged):
    """As Ctrl+C does it, at whatever moment of the step."""
    run = DragRun(marked, generator)

    def interrupt(_run, step):
        if step.number == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.go_on(progress=interrupt)
    assert run.document.result.steps == 2
    np.testing.assert_array_equal(run.go_on().result.latents, dragged.result.latents)


def test_what_has_arrived_already_takes_no_step(generator):
    document = Document(start=LatentStart(seed=SEED)).with_point(NOSE).with_point(NOSE)
    result = drag(document, generator).result
    assert (result.steps, result.outcome) == (0, "reached")


def test_a_handle_without_a_target_stays_out(generator):
    document = Document(start=LatentStart(seed=SEED)).with_point(NOSE).with_point(NOSE_NEAR)
    run = DragRun(document.with_point(FAR), generator)
    moved = run.go_on(steps=1)
    assert moved.pairs[1].handle == FAR
    assert moved.result.trace.shape == (2, 1, 2)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (Document(), "set a handle point and its target"),
        (Document().with_point((300, 5)).with_point((9, 9)), "lies outside the image"),
        (
            Document().with_point(NOSE).with_point(FAR).with_mask(np.eye(8, dtype=bool)),
            "the mask must have the image's size",
        ),
        (
            Document(start=LatentStart(w_plus=np.zeros((1, 2, 3), np.float32)))
            .with_point(NOSE)
            .with_point(FAR),
            "a latent of this model",
        ),
    ],
)
def test_what_does_not_fit_the_model_is_refused(generator, document, message):
    with pytest.raises(InputError, match=message):
        drag(document, generator)
