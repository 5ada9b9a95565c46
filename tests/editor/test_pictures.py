"""Which picture is shown: the newest document's, whatever comes in between."""

from __future__ import annotations

import numpy as np
import pytest
from editor.sliding_model import HEIGHT, WIDTH, SlidingModel
from support.editor_runs import EditorRun

from dragonnx.editor.events import (
    InversionProgressed,
    PictureMade,
    SheetPictureMade,
    TaskFailed,
)
from dragonnx.editor.state import Part
from dragonnx.errors import InputError


def picture_of(model, seed: int, psi: float | None = None) -> np.ndarray:
    return np.asarray(model.image(model.w_plus(seed, truncation_psi=psi)))


def test_before_the_first_picture_it_is_grey(model, document):
    run = EditorRun(document)
    assert run.scene.picture.shape == (128, 128, 3)
    assert len(np.unique(run.scene.picture)) == 1
    with run:
        run.settled()
        assert run.scene.picture.shape == (HEIGHT, WIDTH, 3)
        np.testing.assert_array_equal(run.scene.picture, picture_of(model, 40))
        assert run.said[0] == "Opening sliding ..."
        assert "Click what to move" in run.notice
        assert run.notice.endswith("sliding on cpu.")


def test_who_knows_the_editor_gets_no_first_hint(document):
    with EditorRun(document, is_first_time=False) as run:
        run.settled()
        assert run.notice == "Space drags. F1 is help. sliding on cpu."


def test_pictures_that_nobody_waits_for_are_not_made(run, model):
    with model.held("image") as held:
        run.editor.latent.next_seed()
        held.wait()
        for _ in range(4):
            run.editor.latent.next_seed()
    made = model.calls["image"]
    run.settled()
    assert model.calls["image"] == made + 1
    np.testing.assert_array_equal(run.state.picture, picture_of(model, 45))


def test_a_late_picture_replaces_no_newer_one(run, model):
    shown = run.state.picture
    with model.held("image") as held:
        run.editor.latent.next_seed()
        held.wait()
        run.editor.history.undo()
    late = run.received(PictureMade, 2)
    assert late.document.start.seed == 41
    assert run.state.shows_document
    assert run.state.picture is shown


def test_pictures_on_the_way_are_shown(run, model):
    with model.held("image") as held:
        run.editor.latent.next_seed()
        held.wait()
        run.editor.latent.next_seed()
    run.received(PictureMade, 2)
    np.testing.assert_array_equal(run.state.picture, picture_of(model, 41))
    assert not run.state.shows_document
    run.settled()


def test_a_coarse_picture_comes_first_where_a_full_one_takes_long(run, monkeypatch):
    monkeypatch.setattr("dragonnx.editor.pictures.SLOW_SECONDS", 0.0)
    for _ in range(2):  # what a picture costs is known from the second one on
        run.editor.latent.next_seed()
        run.settled()
    coarse, full = run.all(PictureMade)[-2:]
    assert (coarse.is_preview, full.is_preview) == (True, False)
    assert coarse.picture.shape == full.picture.shape
    assert run.state.picture is full.picture


def test_a_coarse_picture_is_not_followed_by_one_that_nobody_waits_for(run, model, monkeypatch):
    monkeypatch.setattr("dragonnx.editor.pictures.SLOW_SECONDS", 0.0)
    run.editor.latent.next_seed()
    run.settled()
    with model.held("preview") as held:
        run.editor.latent.next_seed()
        held.wait()
        run.editor.latent.next_seed()
    run.settled()
    assert [(made.document.start.seed, made.is_preview) for made in run.all(PictureMade)[2:]] == [
        (42, True), (43, True), (43, False),
    ]  # fmt: skip


def test_a_model_without_small_pictures_has_no_coarse_ones(models, document, monkeypatch):
    monkeypatch.setattr("dragonnx.editor.pictures.SLOW_SECONDS", 0.0)
    models["sliding"] = SlidingModel(has_preview=False)
    with EditorRun(document) as run:
        for _ in range(3):
            run.editor.latent.next_seed()
            run.settled()
        assert not any(made.is_preview for made in run.all(PictureMade))


@pytest.mark.parametrize("error", [InputError("it broke"), MemoryError("no memory")])
def test_a_picture_that_fails_is_told_and_the_next_one_is_made(run, model, error):
    with model.failing("image", error):
        run.editor.latent.next_seed()
        run.received(TaskFailed)
    assert run.notice.startswith("Could not make the picture: ")
    assert str(error) in run.notice
    assert ("MemoryError" in run.notice) == isinstance(error, MemoryError)
    assert run.state.notice.tone == "bad"
    run.editor.latent.next_seed()
    run.settled()


def test_a_model_that_is_missing_at_the_start_is_told(document):
    document = document.with_model("missing")
    with EditorRun(document) as run:
        run.received(TaskFailed)
        assert run.notice.startswith("Could not make the picture: ")
        assert "missing" in run.notice
        run.editor.latent.use_model("sliding")
        run.settled()
        assert run.document.model == "sliding"


def test_truncation_shows_in_the_picture(run, model):
    run.editor.latent.use_psi(0.2)
    run.settled()
    np.testing.assert_array_equal(run.state.picture, picture_of(model, 40, 0.2))


def test_views_are_told_what_changed_until_they_end_it(run):
    told: list[Part] = []
    end = run.state.subscribe(told.append)
    run.editor.points.place((3, 4))
    assert Part.SCENE in told[0]
    assert Part.FACTS in told[0]
    assert any(Part.NOTICE in part for part in told)
    end()
    told.clear()
    run.editor.points.place((5, 6))
    assert told == []


def test_events_that_come_often_are_replaced_by_newer_ones():
    made = PictureMade(None, None)
    told = InversionProgressed(1, 2, 3.0, (), None, None)
    sheet = SheetPictureMade(1, 2, None)
    assert made.is_replaced_by(made)
    assert told.is_replaced_by(told)
    assert not told.is_replaced_by(made)
    assert not made.is_replaced_by(told)
    assert not sheet.is_replaced_by(sheet), "each is of another seed"
