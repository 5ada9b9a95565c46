"""The contact sheet: pages of many seeds, and pictures that come too late for them."""

from __future__ import annotations

import numpy as np
import pytest
from editor.sliding_model import SlidingModel
from support.editor_runs import EditorRun

from dragonnx.document import LatentStart
from dragonnx.editor.events import SheetPictureMade, TaskFailed
from dragonnx.editor.state import Part
from dragonnx.errors import InputError
from dragonnx.model.latent import LARGEST_SEED


@pytest.mark.parametrize(
    ("seed", "count", "first", "last"),
    [
        (40, 12, 36, 47),
        (36, 12, 36, 47),
        (0, 5, 0, 4),
        (-3, 5, 0, 4),
        (LARGEST_SEED, 10, LARGEST_SEED - 5, LARGEST_SEED),
        (LARGEST_SEED + 9, 10, LARGEST_SEED - 5, LARGEST_SEED),
    ],
)
def test_a_page_holds_the_seed_and_no_seed_that_is_none(run, seed, count, first, last):
    assert run.editor.sheet.show_page(seed, count) == list(range(first, last + 1))
    assert run.editor.sheet.seeds[0] == first


def test_pictures_are_those_of_the_seeds(run, model):
    run.editor.latent.use_psi(0.4)
    seeds = run.editor.sheet.show_page(40, 4)
    run.told.clear()
    run.until(lambda: len(run.editor.sheet.pictures) == 4)
    assert run.told.count(Part.SHEET) == 4
    for seed in seeds:
        picture = model.image(model.w_plus(seed, truncation_psi=0.4))
        np.testing.assert_array_equal(run.editor.sheet.pictures[seed], np.asarray(picture))
    assert run.document.start.seed == 40, "nothing is chosen yet"


def test_a_sheet_of_a_class(models, document):
    models["classes"] = SlidingModel("classes", labels=3)
    document = document.with_model("classes").with_start(LatentStart(seed=1, label=2))
    with EditorRun(document) as run:
        run.settled()
        run.editor.sheet.show_page(1, 3)
        run.until(lambda: len(run.editor.sheet.pictures) == 3)
        assert models["classes"].labels[-3:] == [2, 2, 2]


def test_a_sheet_from_a_latent_is_of_seeds(run, model):
    start = LatentStart(w_plus=np.ones((1, 3, 2), np.float32), name="a.npz")
    run.state.edit("open", lambda d: d.with_start(start))
    run.editor.sheet.show_page(7, 1)
    run.until(lambda: len(run.editor.sheet.pictures) == 1)
    np.testing.assert_array_equal(
        run.editor.sheet.pictures[7], np.asarray(model.image(model.w_plus(7)))
    )


def test_the_pictures_of_another_page_are_not_shown(run, model):
    with model.held("w_plus") as held:
        run.editor.sheet.show_page(0, 3)
        held.wait()
        run.editor.sheet.show_page(3, 3)
    run.until(lambda: len(run.editor.sheet.pictures) == 3)
    assert sorted(run.editor.sheet.pictures) == [3, 4, 5]
    assert [made.name for made in run.all(SheetPictureMade)] == [0, 3, 4, 5]


def test_the_same_page_again_takes_no_picture_of_the_first_time(run, model):
    with model.held("w_plus") as held:
        run.editor.sheet.show_page(0, 2)
        held.wait()
        run.editor.latent.use_psi(0.1)
        run.editor.sheet.show_page(0, 2)
    run.until(lambda: len(run.editor.sheet.pictures) == 2)
    picture = model.image(model.w_plus(0, truncation_psi=0.1))
    np.testing.assert_array_equal(run.editor.sheet.pictures[0], np.asarray(picture))


def test_what_is_closed_is_not_filled(run, model):
    with model.held("w_plus") as held:
        run.editor.sheet.show_page(0, 30)
        held.wait()
        run.editor.sheet.close()
        run.editor.latent.next_seed()
    run.settled()
    assert run.count(SheetPictureMade) == 1
    assert run.editor.sheet.pictures == {}
    assert run.editor.sheet.seeds == []


def test_a_picture_that_fails_is_told_and_the_others_come(run, model):
    with model.failing("image", InputError("it broke")):
        run.editor.sheet.show_page(0, 1)
        run.received(TaskFailed)
    assert run.notice == "Could not make the contact sheet: it broke"
    run.editor.sheet.show_page(0, 2)
    run.until(lambda: len(run.editor.sheet.pictures) == 2)


def test_many_pictures_are_coarse_where_full_ones_take_long(run, monkeypatch):
    monkeypatch.setattr("dragonnx.editor.pictures.SLOW_SECONDS", 0.0)
    run.editor.latent.next_seed()
    run.settled()
    run.editor.sheet.show_page(41, 1)
    run.until(lambda: len(run.editor.sheet.pictures) == 1)
    (coarse,) = run.editor.sheet.pictures.values()
    assert coarse.shape == run.state.picture.shape
    assert not np.array_equal(coarse, run.state.picture)
