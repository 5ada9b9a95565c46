"""Recipes: a saved picture opens as the document that made it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from PIL import Image
from support.bundled import SEED
from support.documents import documents, same

from dragonnx import open_picture, save_picture
from dragonnx.document import Document
from dragonnx.document.latent_file import load_latent
from dragonnx.document.latents import current_w_plus
from dragonnx.document.opening import read_file
from dragonnx.document.outputs import output, report
from dragonnx.document.recipe import document_of, recipe_of
from dragonnx.drag.config import DragConfig
from dragonnx.errors import InputError
from dragonnx.media import PICTURE_SUFFIXES, read_recipe

V0 = Path(__file__).parents[1] / "fixtures" / "v0"


def of_v0(name: str) -> Document:
    return document_of(json.loads((V0 / f"{name}.json").read_text("utf-8")))


def without_frames(document: Document) -> Document:
    result = document.result
    return document if result is None else replace(document, result=result.with_ends_only())


@settings(deadline=None)
@given(documents())
def test_any_document_is_what_its_recipe_tells(document):
    written = json.loads(json.dumps(recipe_of(document)))
    assert same(document_of(written), without_frames(document))


def test_a_picture_opens_as_the_document_that_made_it(tmp_path, generator, dragged):
    for kind in ("picture", "comparison"):
        for suffix in PICTURE_SUFFIXES:
            path = tmp_path / f"{kind}{suffix}"
            output(kind).write(dragged, generator, path)
            assert same(open_picture(path), without_frames(dragged))
            found = load_latent(path, generator=generator)
            np.testing.assert_array_equal(found, dragged.result.w_plus)
            opened = read_file(path, Document(), generator)
            assert (opened.kind, same(opened.document, without_frames(dragged))) == (
                "picture",
                True,
            )


def test_a_program_saves_pictures_that_open_again(tmp_path, generator, dragged):
    for name, quality in (("fine.jpg", None), ("coarse.jpg", 20), ("all.webp", 100)):
        save_picture(dragged, generator, str(tmp_path / name), quality)
        assert same(open_picture(str(tmp_path / name)), without_frames(dragged))
    shown = generator.image(current_w_plus(dragged, generator))
    with Image.open(tmp_path / "all.webp") as picture:
        np.testing.assert_array_equal(picture, shown)
    for wrong in (
        lambda: save_picture(dragged, generator, tmp_path / "a.gif"),
        lambda: save_picture(dragged, generator, tmp_path / "a.jpg", 0),
        lambda: save_picture({}, generator, tmp_path / "a.jpg"),
        lambda: save_picture(dragged, generator, 3),
        lambda: open_picture(tmp_path / "missing.jpg"),
        lambda: open_picture(3),
    ):
        with pytest.raises(InputError):
            wrong()


def test_a_recipe_that_does_not_tell_the_device(dragged):
    """As dragonnx wrote them before it knew precisions."""
    recipe = recipe_of(dragged)
    for name in ("device", "precision"):
        del recipe["result"][name]
    document = document_of(recipe)
    assert (document.result.device, document.result.precision) == ("", "")
    assert (report(document)["device"], report(document)["precision"]) == (None, None)


def test_only_chosen_settings_are_told():
    chosen = {"preset": "best", "r1": 5.0}
    assert recipe_of(Document(config=DragConfig(r1=5.0)))["config"] == chosen


def test_settings_without_a_preset_are_of_the_papers():
    """What was written when no other was the default stays what it was."""
    recipe = recipe_of(Document(config=DragConfig(preset="paper", r1=5.0)))
    assert recipe["config"] == {"r1": 5.0}
    assert document_of(recipe).config == DragConfig(preset="paper", r1=5.0)


def test_the_editors_recipe_of_0_1_0(generator):
    document = of_v0("editor-recipe")
    assert document.start.seed == SEED
    assert document.config == DragConfig(preset="paper", max_steps=2, step_size=0.02)
    assert not document.mask[:40].any()
    assert document.pairs[0].target == (126, 151)
    assert document.result.settings["r1"] == 20
    np.testing.assert_array_equal(current_w_plus(document, generator), document.result.w_plus)


def test_a_latents_recipe_of_0_1_0(generator):
    document = of_v0("editor-latent-recipe")
    np.testing.assert_array_equal(current_w_plus(document, generator), generator.w_plus(7))
    assert document.start.describe() == "mine.npz"


def test_the_commands_recipe_of_0_1_0():
    document = of_v0("command-recipe")
    assert document.start.seed == SEED
    assert document.pairs[0].handle == (113, 151)
    assert document.config.max_steps == 2
    assert document.result is None


def test_a_photos_recipe_of_0_1_0_says_what_to_open():
    with pytest.raises(InputError, match=r"open the \.npz file"):
        of_v0("invert-recipe")


@pytest.mark.parametrize(
    "recipe",
    [
        {},
        [],
        {"model": "critters", "pairs": 3},
        {"model": "critters", "pairs": [{"target": [1, 2]}]},
        {"model": "critters", "w_plus": "AAAA"},
        {"model": "no such model", "w_plus": "AAAA"},
        {"model": "critters", "config": {"unknown": 1}},
        {"model": "critters", "mask": "AAAA"},
        {"format_version": 99},
        {"format_version": 1},
        {**recipe_of(Document()), "members": {"mask.png": "AAAA"}},
        {**recipe_of(Document()), "members": {"start_w_plus.npy": "not base64"}},
        {**recipe_of(Document()), "members": None},
        {**recipe_of(Document()), "config": {"r1": -1}},
    ],
)
def test_a_bad_recipe_is_one_sentence(recipe):
    with pytest.raises(InputError, match="recipe"):
        document_of(recipe)


def test_pictures_without_a_recipe_are_refused(tmp_path, generator):
    path = tmp_path / "plain.png"
    generator.image(generator.w_plus(1)).save(path)
    with pytest.raises(InputError, match="did not write"):
        read_recipe(path)
    path.write_bytes(b"no picture")
    with pytest.raises(InputError, match="no picture"):
        read_recipe(path)
