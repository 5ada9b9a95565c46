"""A photo of one's own: inverting it, stopping, undoing, comparing, and photos that cannot be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.bundled import NOSE, NOSE_NEAR, NUM_WS, SIZE, W_DIM
from support.headless_editor import HeadlessEditor

from dragonnx.document import open_document
from dragonnx.editor.answers import photo_settings_of
from dragonnx.editor.events import (
    DocumentSaved,
    DragEnded,
    FileOpened,
    InversionEnded,
    InversionProgressed,
    PhotoFound,
    PhotoRead,
    TaskFailed,
)
from dragonnx.editor.inversion_job import PhotoRequest
from dragonnx.editor.phase import Inverting
from dragonnx.editor.scene import live_pairs
from dragonnx.editor.state import Part
from dragonnx.errors import InputError
from dragonnx.inversion.config import InversionConfig
from dragonnx.inversion.session import InversionSession


@pytest.fixture(autouse=True)
def quick_start(monkeypatch):
    """The start is the average picture, found at once."""
    monkeypatch.setattr(InversionSession, "_coarse_distance", lambda *_: 0.0)
    monkeypatch.setattr("dragonnx.inversion.session._SPACE_SAMPLES", 300)


@pytest.fixture
def photo(critters):
    """A photo wider than the model's pictures."""
    path = Path("cat.jpg")
    picture = critters.image(critters.w_plus(77)).convert("RGB")
    picture.resize((180, 140), Image.Resampling.LANCZOS).save(path, quality=90)
    return path


@pytest.fixture
def editor():
    with HeadlessEditor() as editor:
        yield editor


@pytest.fixture
def inverting(editor, photo):
    """An editor in the middle of an inversion that would take long."""
    editor.place(NOSE_NEAR, NOSE)
    editor.photo.invert(PhotoRequest(photo, InversionConfig()))
    editor.came(InversionProgressed)
    return editor


def invert(editor, path, steps: int = 2, **options) -> None:
    count = editor.count(InversionEnded)
    editor.photo.invert(PhotoRequest(path, InversionConfig(steps=steps), **options))
    editor.came(InversionEnded, count + 1)


def test_a_photo_appears_is_undone_saved_and_dragged(editor, photo):
    before = editor.state.picture
    editor.place(NOSE, NOSE_NEAR)
    invert(editor, photo, 8)
    assert editor.count(PhotoRead) == 1
    assert editor.count(InversionProgressed) >= 1
    assert "8 steps, " in editor.status
    start = editor.document.start
    assert start.name == "cat.jpg"
    assert start.w_plus.shape == (1, NUM_WS, W_DIM)
    assert editor.document.pairs == ()
    found = editor.state.picture
    assert not np.array_equal(found, before)
    editor.history.undo()
    editor.settle()
    assert editor.document.pairs[0].handle == NOSE
    assert np.array_equal(editor.state.picture, before)
    editor.history.redo()
    editor.settle()
    assert np.array_equal(editor.state.picture, found)
    editor.place(NOSE, NOSE_NEAR)
    editor.drag.step()
    editor.came(DragEnded)
    assert editor.document.result.steps == 1
    assert np.array_equal(editor.document.result.latents[:1], start.w_plus)
    editor.files.save(Path("cat.dragonnx"))
    editor.came(DocumentSaved)
    assert np.array_equal(open_document(Path("cat.dragonnx")).start.w_plus, start.w_plus)


@pytest.mark.parametrize("key", ["stop", "start_or_pause"])
def test_stop_keeps_the_best_so_far(inverting, key):
    editor = inverting
    assert isinstance(editor.state.running, Inverting)
    assert "of 500" in editor.status
    getattr(editor.drag, key)()
    assert "Stopping" in editor.status
    editor.came(InversionEnded)
    end = editor.newest(InversionEnded)
    assert 0 < end.steps < 500
    assert np.array_equal(editor.document.start.w_plus, end.w_plus)
    assert editor.state.running is None
    editor.settle()


def test_a_stop_before_the_first_step_changes_nothing(editor, photo):
    before = editor.document
    editor.photo.invert(PhotoRequest(photo, InversionConfig()))
    editor.drag.stop()
    editor.came(InversionEnded)
    assert "all is as before" in editor.status
    assert editor.document is before
    assert not editor.state.photo_shown
    editor.settle()


def test_an_edit_while_it_runs_ends_it_and_is_made_after(inverting):
    editor = inverting
    assert live_pairs(editor.state) == ()
    assert editor.scene.mask is None
    for command in (
        editor.points.select_next, editor.points.move_handle, editor.points.delete,
        editor.points.clear, editor.drag.step,
    ):  # fmt: skip
        command()
    editor.place(NOSE)
    assert "That ends it" in editor.status
    editor.until(lambda: editor.document.waits_for_target)
    assert editor.document.start.name == "cat.jpg"
    editor.history.undo()
    assert editor.document.start.name == "cat.jpg"
    assert editor.document.pairs == ()
    editor.history.undo()
    assert editor.document.start.w_plus is None


def test_another_photo_while_one_is_inverted_comes_after_it(inverting, photo):
    editor = inverting
    invert(editor, photo, 1)
    editor.came(InversionEnded, 2)
    assert editor.newest(InversionEnded).steps == 1
    editor.settle()


def test_the_photo_and_the_picture_are_compared(editor, photo):
    editor.photo.compare()
    assert "no photo" in editor.status
    editor.photo.invert(PhotoRequest(photo, InversionConfig(steps=2, space="w"), "pad"))
    editor.came(PhotoRead)
    assert editor.scene.picture is editor.state.photo
    editor.came(InversionEnded)
    assert editor.photo.last_request.fit == "pad"
    w_plus = editor.document.start.w_plus
    assert np.array_equal(w_plus, np.repeat(w_plus[:, :1], NUM_WS, axis=1))
    editor.photo.compare()
    assert editor.scene.picture is editor.state.photo
    editor.photo.compare()
    assert editor.scene.picture is editor.state.picture
    editor.photo.compare()
    editor.pointer.use()
    assert editor.scene.picture is editor.state.picture


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_a_photo_that_is_opened_is_to_be_asked_about(editor, photo, suffix):
    path = photo.with_suffix(suffix)
    with Image.open(photo) as picture:
        picture.save(path)
    before = editor.document
    editor.open(path)
    editor.came(PhotoFound)
    assert editor.photo.found == path
    assert Part.PHOTO in editor.parts
    assert editor.document is before


def test_a_coloured_picture_of_the_right_size_is_no_mask(editor, critters):
    critters.image(critters.w_plus(5)).save("plain.png")
    drawn = np.zeros((SIZE, SIZE), np.uint8)
    drawn[30:90, 20:70] = 255
    Image.fromarray(drawn).save("mask.png")
    editor.open("plain.png")
    editor.came(PhotoFound)
    editor.open("mask.png")
    editor.came(FileOpened)
    assert np.array_equal(editor.document.mask, drawn == 255)


def nonsense(path: Path) -> None:
    path.write_bytes(b"no picture at all")


def cut_off(path: Path) -> None:
    Image.effect_noise((300, 300), 90).save(path)
    path.write_bytes(path.read_bytes()[:2000])


def tiny(path: Path) -> None:
    Image.new("RGB", (20, 20)).save(path)


def huge(path: Path) -> None:
    Image.new("RGB", (400, 400)).save(path)


@pytest.mark.parametrize("how", ["asked", "opened"])
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (nonsense, "no picture that can be read"),
        (cut_off, "cannot be read"),
        (tiny, "20 x 20 pixels"),
        (huge, "more pixels than any camera's"),
    ],
)
def test_a_bad_photo_is_one_sentence_and_changes_nothing(editor, monkeypatch, make, reason, how):
    path = Path("bad.jpg")
    make(path)
    if make is huge:
        monkeypatch.setattr("PIL.Image.MAX_IMAGE_PIXELS", 1000)
    editor.place(NOSE, NOSE_NEAR)
    before, picture = editor.document, editor.state.picture
    if how == "asked":
        editor.photo.invert(PhotoRequest(path, InversionConfig()))
    else:
        editor.open(path)
    editor.came(TaskFailed)
    assert reason in editor.status
    assert editor.status.startswith("Could not ")
    assert editor.document is before
    assert editor.state.picture is picture
    assert editor.state.running is None
    editor.drag.step()
    editor.came(DragEnded)


@pytest.mark.parametrize("steps", [0, 2])
@pytest.mark.parametrize("error", [InputError("it broke"), MemoryError("no memory")])
def test_a_step_that_fails_is_told_and_the_best_before_it_stays(
    editor, monkeypatch, photo, error, steps
):
    made = InversionSession.__next__

    def fail(session):
        if session.steps == steps:
            raise error
        return made(session)

    before, picture = editor.document, editor.state.picture
    with monkeypatch.context() as patch:
        patch.setattr(InversionSession, "__next__", fail)
        editor.photo.invert(PhotoRequest(photo, InversionConfig()))
        editor.until(lambda: editor.state.running is None)
    assert editor.status.startswith("Could not invert the photo: ")
    assert str(error) in editor.status
    assert (editor.document is before) == (steps == 0)
    if steps:
        editor.history.undo()
    editor.settle()
    assert np.array_equal(editor.state.picture, picture)
    invert(editor, photo, 1)
    assert editor.document.start.name == "cat.jpg"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("steps", "many", "whole number"),
        ("steps", "0", "at least 1"),
        ("space", "z", r"w\+ or w"),
        ("fit", "stretch", "crop or pad"),
    ],
)
def test_choices_that_are_nonsense_are_refused(name, value, words):
    good = {"space": "W+ ", "steps": "20", "fit": "pad"}
    request = photo_settings_of(good)
    assert (request.config.space, request.config.steps, request.fit) == ("w+", 20, "pad")
    with pytest.raises(InputError, match=words):
        photo_settings_of({**good, name: value})
