"""Drags that are paused, saved as a document and opened again: they go on as if they never had been."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.bundled import EYE, EYE_TARGET, FAR, NOSE, NOSE_TARGET, SEED, SIZE
from support.documents import same

from dragonnx import Generator
from dragonnx.document import Document, DragRun, LatentStart, drag, open_document, save_document
from dragonnx.document.recipe import document_of, recipe_of
from dragonnx.drag.config import DragConfig
from dragonnx.errors import InputError

STEPS = 4
ONE = Document(start=LatentStart(SEED), config=DragConfig(max_steps=STEPS)).with_point(NOSE)
LOWER = np.arange(SIZE)[:, None].repeat(SIZE, 1) > SIZE // 3


def with_config(document: Document, **settings: object) -> Document:
    return document.with_config(replace(document.config, **settings))


FAR_AWAY = ONE.with_point(FAR)
KINDS = {
    "one point": FAR_AWAY,
    "a mask": FAR_AWAY.with_mask(LOWER),
    "the paper's preset": with_config(FAR_AWAY, preset="paper"),
    "the space w": with_config(FAR_AWAY, space="w"),
    "two points and one that is off": ONE.with_point(NOSE_TARGET)
    .with_point((3, 3))
    .with_point((9, 9))
    .with_pair_switched(1)
    .with_point(EYE)
    .with_point(EYE_TARGET),
}


def reopened(document: Document, folder: Path) -> Document:
    save_document(document, folder / "a.dragonnx")
    return open_document(folder / "a.dragonnx")


def assert_same(found: Document, expected: Document) -> None:
    """Every bit, but for how long it took."""
    assert found.result is not None
    assert expected.result is not None
    seconds = expected.result.seconds
    assert same(replace(found, result=replace(found.result, seconds=seconds)), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_it_goes_on_to_the_bit_wherever_it_was_paused(
    generator: Generator, tmp_path: Path, kind: str
) -> None:
    document = KINDS[kind]
    whole = DragRun(document, generator).go_on()
    for done in range(1, STEPS):
        paused = DragRun(document, generator).go_on(steps=done)
        assert paused.result is not None
        assert paused.result.outcome == "paused"
        opened = reopened(paused, tmp_path)
        assert same(opened, paused)
        later = DragRun(opened, generator)
        assert later.steps == done
        assert_same(later.go_on(), whole)


def test_it_may_be_paused_again_and_again_without_its_frames(
    generator: Generator, tmp_path: Path
) -> None:
    whole = drag(FAR_AWAY, generator)
    document = FAR_AWAY
    for _ in range(STEPS - 1):
        run = DragRun(document, generator, keep_frames=False)
        document = reopened(run.go_on(steps=1), tmp_path)
    assert_same(drag(document, generator), whole)
    run = DragRun(document, generator)
    assert run.steps == 0, "an animation needs the steps from before: it begins anew"


def test_it_goes_on_with_another_end(generator: Generator, tmp_path: Path) -> None:
    paused = reopened(DragRun(FAR_AWAY, generator).go_on(steps=2), tmp_path)
    longer = with_config(paused, max_steps=STEPS + 1, stop_distance=0.5)
    found = DragRun(longer, generator).go_on()
    assert found.result is not None
    assert found.result.steps == STEPS + 1
    wanted = DragRun(with_config(FAR_AWAY, max_steps=STEPS + 1, stop_distance=0.5), generator)
    np.testing.assert_array_equal(wanted.go_on().result.latents, found.result.latents)


CHANGES = {
    "a target": lambda d: d.with_target(0, NOSE_TARGET),
    "a handle": lambda d: d.with_handle(0, NOSE_TARGET),
    "a point": lambda d: d.with_point(EYE).with_point(EYE_TARGET),
    "the mask": lambda d: d.with_mask(LOWER),
    "the settings": lambda d: with_config(d, r1=5.0),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_changed_since_begins_a_drag_of_its_own(
    generator: Generator, tmp_path: Path, change: str
) -> None:
    paused = DragRun(FAR_AWAY, generator).go_on(steps=2)
    run = DragRun(CHANGES[change](reopened(paused, tmp_path)), generator)
    assert run.steps == 0
    np.testing.assert_array_equal(run.w_plus, paused.result.w_plus)


def test_only_a_drag_that_is_paused_goes_on(generator: Generator, tmp_path: Path) -> None:
    paused = DragRun(FAR_AWAY, generator).go_on(steps=2)
    assert DragRun(paused, generator, anew=True).steps == 0
    assert DragRun(paused.at_start(), generator).steps == 0
    cut = replace(paused, result=paused.result.until(1))
    assert not cut.can_go_on
    assert drag(FAR_AWAY, generator).result.paused is None, "its end was reached"
    assert document_of(recipe_of(paused)).result.paused is None, "a picture keeps the ends alone"


def test_a_document_grows_little_by_it(generator: Generator, tmp_path: Path) -> None:
    paused = DragRun(FAR_AWAY, generator).go_on(steps=2)
    sizes = []
    for name, document in (
        ("with", paused),
        ("without", replace(paused, result=replace(paused.result, paused=None))),
    ):
        save_document(document, tmp_path / name)
        sizes.append((tmp_path / name).stat().st_size)
    moments = paused.result.paused.mean.nbytes + paused.result.paused.square.nbytes
    assert sizes[0] - sizes[1] < moments + 2048


@pytest.mark.parametrize(
    ("name", "array", "sentence"),
    [
        ("mean", np.zeros((1, 1, 192)), "mean must be finite numbers of type float64 in the shape"),
        ("square", np.zeros((1, 6, 192)), "square must be finite numbers"),
    ],
)
def test_moments_of_another_drag_are_refused_by_their_name(
    generator: Generator, name: str, array: np.ndarray, sentence: str
) -> None:
    paused = DragRun(FAR_AWAY, generator).go_on(steps=1)
    changed = replace(paused.result.paused, **{name: array})
    document = replace(paused, result=replace(paused.result, paused=changed))
    with pytest.raises(InputError, match=sentence):
        DragRun(document, generator)
