"""A photo of one's own: inverting it, stopping, undoing, comparing, and photos that cannot be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from editor.sliding_model import NUM_WS, W_DIM
from PIL import Image
from support.face_models import insightface
from support.pictures import png

from dragonnx import FaceDetector, align_face
from dragonnx.document import open_document
from dragonnx.editor.answers import photo_settings_of
from dragonnx.editor.comparison import Shown
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

HANDLE, TARGET = (20, 20), (30, 25)
ENDLESS = InversionConfig(steps=10**6)


@pytest.fixture
def photo():
    """A photo wider than the model's pictures."""
    path = Path("cat.jpg")
    Image.effect_noise((180, 100), 90).convert("RGB").save(path, quality=90)
    return path


@pytest.fixture
def inverting(run, photo):
    """An editor in the middle of an inversion that would take long."""
    run.place(TARGET, HANDLE)
    run.editor.photo.invert(PhotoRequest(photo, ENDLESS))
    run.received(InversionProgressed)
    return run


def invert(run, path, steps: int = 2, **options) -> None:
    count = run.count(InversionEnded)
    run.editor.photo.invert(PhotoRequest(path, InversionConfig(steps=steps), **options))
    run.received(InversionEnded, count + 1)


def test_a_photo_appears_is_undone_saved_and_dragged(run, photo):
    before = run.state.picture
    run.place(HANDLE, TARGET)
    invert(run, photo, 8)
    assert run.count(PhotoRead) == 1
    assert run.count(InversionProgressed) >= 1
    assert "8 steps, " in run.notice
    start = run.document.start
    assert start.name == "cat.jpg"
    assert start.w_plus.shape == (1, NUM_WS, W_DIM)
    assert run.document.pairs == ()
    found = run.state.picture
    assert not np.array_equal(found, before)
    run.editor.history.undo()
    run.settled()
    assert run.document.pairs[0].handle == HANDLE
    assert np.array_equal(run.state.picture, before)
    run.editor.history.redo()
    run.settled()
    assert np.array_equal(run.state.picture, found)
    run.place(HANDLE, TARGET)
    run.editor.drag.step()
    run.received(DragEnded)
    assert run.document.result.steps == 1
    assert np.array_equal(run.document.result.latents[:1], start.w_plus)
    run.editor.files.save(Path("cat.dragonnx"))
    run.received(DocumentSaved)
    assert np.array_equal(open_document(Path("cat.dragonnx")).start.w_plus, start.w_plus)


@pytest.mark.parametrize("key", ["stop", "start_or_pause"])
def test_stop_keeps_the_best_so_far(inverting, key):
    run = inverting
    assert isinstance(run.state.running, Inverting)
    assert "of 1000000" in run.notice
    getattr(run.editor.drag, key)()
    assert "Stopping" in run.notice
    run.received(InversionEnded)
    end = run.all(InversionEnded)[-1]
    assert end.steps > 0
    assert np.array_equal(run.document.start.w_plus, end.w_plus)
    assert run.state.running is None
    run.settled()


def test_a_stop_before_the_first_step_changes_nothing(run, photo):
    before = run.document
    run.editor.photo.invert(PhotoRequest(photo, ENDLESS))
    run.editor.drag.stop()
    run.received(InversionEnded)
    assert "all is as before" in run.notice
    assert run.document is before
    assert run.state.comparison.shown is Shown.NOW
    run.settled()


def test_an_edit_while_it_runs_ends_it_and_is_made_after(inverting):
    run = inverting
    assert live_pairs(run.state) == ()
    assert run.scene.mask is None
    for command in (
        run.editor.points.select_next, run.editor.points.move_handle, run.editor.points.delete,
        run.editor.points.clear, run.editor.drag.step,
    ):  # fmt: skip
        command()
    run.place(HANDLE)
    assert "That ends it" in run.notice
    run.until(lambda: run.document.waits_for_target)
    assert run.document.start.name == "cat.jpg"
    run.editor.history.undo()
    assert run.document.start.name == "cat.jpg"
    assert run.document.pairs == ()
    run.editor.history.undo()
    assert run.document.start.w_plus is None


def test_another_photo_while_one_is_inverted_comes_after_it(inverting, photo):
    run = inverting
    invert(run, photo, 1)
    run.received(InversionEnded, 2)
    assert run.all(InversionEnded)[-1].steps == 1
    run.settled()


def test_the_photo_and_the_picture_are_compared(run, photo):
    run.editor.compare.show_next()
    assert "nothing to compare" in run.notice
    run.editor.photo.invert(PhotoRequest(photo, InversionConfig(steps=2, space="w"), "pad"))
    run.received(PhotoRead)
    assert run.scene.picture is run.state.comparison.photo
    run.received(InversionEnded)
    assert run.editor.photo.last_request.fit == "pad"
    w_plus = run.document.start.w_plus
    assert np.array_equal(w_plus, np.repeat(w_plus[:, :1], NUM_WS, axis=1))
    run.editor.compare.show_next()
    assert run.scene.picture is run.state.comparison.photo
    run.editor.compare.show_next()
    assert run.scene.picture is run.state.picture
    run.editor.compare.show_next()
    run.editor.pointer.use()
    assert run.scene.picture is run.state.picture


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_a_photo_that_is_opened_is_to_be_asked_about(run, photo, suffix):
    path = photo.with_suffix(suffix)
    with Image.open(photo) as picture:
        picture.save(path)
    before = run.document
    run.editor.files.open(Path(path))
    run.received(PhotoFound)
    assert run.editor.photo.found == path
    assert Part.PHOTO in run.told
    assert run.document is before


def test_a_coloured_picture_of_the_right_size_is_no_mask(run, model):
    model.image(model.w_plus(5)).save("plain.png")
    drawn = np.zeros(model.manifest.image_size, np.uint8)
    drawn[10:30, 20:50] = 255
    Image.fromarray(drawn).save("mask.png")
    run.editor.files.open(Path("plain.png"))
    run.received(PhotoFound)
    run.editor.files.open(Path("mask.png"))
    run.received(FileOpened)
    assert np.array_equal(run.document.mask, drawn == 255)


def nonsense(path: Path) -> None:
    path.write_bytes(b"no picture at all")


def cut_off(path: Path) -> None:
    Image.effect_noise((300, 300), 90).save(path)
    path.write_bytes(path.read_bytes()[:2000])


def tiny(path: Path) -> None:
    Image.new("RGB", (20, 20)).save(path)


def huge(path: Path) -> None:
    path.write_bytes(png(60_000, 60_000))


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
def test_a_bad_photo_is_one_sentence_and_changes_nothing(run, make, reason, how):
    path = Path("bad.jpg")
    make(path)
    run.place(HANDLE, TARGET)
    before, picture = run.document, run.state.picture
    if how == "asked":
        run.editor.photo.invert(PhotoRequest(path, ENDLESS))
    else:
        run.editor.files.open(Path(path))
    run.received(TaskFailed)
    assert reason in run.notice
    assert run.notice.startswith("Could not ")
    assert run.document is before
    assert run.state.picture is picture
    assert run.state.running is None
    run.editor.drag.step()
    run.received(DragEnded)


@pytest.mark.parametrize("steps", [0, 2])
@pytest.mark.parametrize("error", [InputError("it broke"), MemoryError("no memory")])
def test_a_step_that_fails_is_told_and_the_best_before_it_stays(
    run, monkeypatch, photo, error, steps
):
    made = InversionSession.__next__

    def fail(session):
        if session.steps == steps:
            raise error
        return made(session)

    before, picture = run.document, run.state.picture
    with monkeypatch.context() as patch:
        patch.setattr(InversionSession, "__next__", fail)
        run.editor.photo.invert(PhotoRequest(photo, ENDLESS))
        run.until(lambda: run.state.running is None)
    assert run.notice.startswith("Could not invert the photo: ")
    assert str(error) in run.notice
    assert (run.document is before) == (steps == 0)
    if steps:
        run.editor.history.undo()
    run.settled()
    assert np.array_equal(run.state.picture, picture)
    invert(run, photo, 1)
    assert run.document.start.name == "cat.jpg"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("steps", "many", "whole number"),
        ("steps", "0", "a whole number from 1 to"),
        ("space", "z", r"w\+ or w"),
        ("fit", "stretch", "crop or pad"),
        ("face", "missing.txt", "no file missing.txt"),
    ],
)
def test_choices_that_are_nonsense_are_refused(name, value, words):
    good = {"space": "W+ ", "steps": "20", "fit": "pad", "face": " "}
    request = photo_settings_of(good)
    assert (request.config.space, request.config.steps, request.fit) == ("w+", 20, "pad")
    assert request.face is None
    with pytest.raises(InputError, match=words):
        photo_settings_of({**good, name: value})


def test_a_face_is_aligned_by_landmarks(run, photo):
    five = [(70, 40), (100, 30), (90, 50), (80, 75), (105, 68)]
    Path("points.txt").write_text("".join(f"{x} {y}\n" for x, y in five), "utf-8")
    invert(run, photo, face=Path("points.txt"))
    shown = run.state.comparison.photo
    expected = align_face(photo, five, shown.shape[:2])
    assert np.array_equal(shown, expected.picture.convert("RGB"))


def test_a_face_is_found_by_a_network_and_others_are_told_of(run):
    spots = Image.new("RGB", (640, 640))
    for left, top, side in ((320, 160, 32), (96, 400, 16)):
        spots.paste((255, 0, 0), (left, top, left + side, top + side))
    spots.save("spots.png")
    Path("faces.onnx").write_bytes(insightface(strides=(16, 32)))
    invert(run, Path("spots.png"), face=Path("faces.onnx"))
    (read,) = [event for event in run.events if isinstance(event, PhotoRead)]
    assert read.note.startswith(
        "4 faces were found, and the largest is taken; the others are 2 at "
    )
    landmarks = FaceDetector.open("faces.onnx").faces("spots.png")[0].landmarks
    expected = align_face("spots.png", landmarks, run.state.comparison.photo.shape[:2])
    assert np.array_equal(run.state.comparison.photo, expected.picture.convert("RGB"))


@pytest.mark.parametrize("name", ["words.txt", "words.onnx"])
def test_a_face_that_cannot_be_aligned_leaves_everything(run, photo, name):
    before = run.document
    Path(name).write_text("no face", "utf-8")
    run.editor.photo.invert(PhotoRequest(photo, ENDLESS, face=Path(name)))
    run.received(TaskFailed)
    assert name in run.notice
    assert run.document is before
