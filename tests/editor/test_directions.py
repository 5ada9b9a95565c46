"""Directions as sliders: files and the model's own, each move an edit that the picture follows."""

from __future__ import annotations

import numpy as np
import pytest
from editor.sliding_model import NUM_WS, W_DIM, SlidingModel
from support.editor_runs import EditorRun
from support.program import dragonnx

from dragonnx.document import Document, LatentStart
from dragonnx.document.latents import current_w_plus
from dragonnx.drag.config import DragConfig
from dragonnx.editor.command_line import command_of
from dragonnx.editor.events import DirectionsRead, FileOpened, TaskFailed
from dragonnx.editor.state import Part
from dragonnx.errors import InputError
from dragonnx.model.motion import Motion

SIDEWAYS = np.array([[1.0, 0.0]], np.float32)


@pytest.fixture
def sideways(tmp_path):
    path = tmp_path / "sideways.npy"
    np.save(path, SIDEWAYS)
    return path


def names(run: EditorRun) -> list[str]:
    return [slider.name for slider in run.editor.directions.sliders()]


def test_the_model_s_own_directions_move_the_picture(run: EditorRun, model: SlidingModel) -> None:
    run.place((10, 10), (20, 10))
    before = current_w_plus(run.document, model)
    run.editor.directions.begin()
    assert not run.editor.directions.sliders()[0].is_known
    with pytest.raises(InputError, match="pc0 is not read yet"):
        run.editor.directions.move_to("pc0", 1)
    run.received(DirectionsRead, W_DIM)
    assert Part.DIRECTIONS in run.told
    for amount in (0.2, 0.4, -0.5):
        run.editor.directions.move_to("pc0", amount)
    run.settled()
    assert run.notice == "pc0: -0.5"
    np.testing.assert_array_equal(
        run.state.picture, np.asarray(model.image(before + np.array([-1.5, 0])))
    )
    assert len(run.document.pairs) == 1, "the points stay"
    assert run.document.start.describe() == "seed 40 + pc0:-0.5"
    run.editor.history.undo()
    assert not run.document.start.directions, "all moves of one slider are one edit"


def test_a_file_is_offered_now_and_by_the_next_editor(
    run: EditorRun, model: SlidingModel, sideways
) -> None:
    run.editor.directions.begin()
    assert run.editor.directions.add(str(sideways)) == "sideways.npy"
    run.until(lambda: run.editor.directions.sliders()[0].is_known)
    run.editor.directions.move_to("sideways.npy", 2)
    run.settled()
    wanted = model.w_plus(40) + np.repeat(2 * SIDEWAYS[None], NUM_WS, 1)
    np.testing.assert_allclose(current_w_plus(run.document, model), wanted, atol=1e-6)
    with EditorRun(run.document.with_directions(())) as later:
        later.settled()
        later.editor.directions.begin()
        later.until(lambda: later.editor.directions.sliders()[0].is_known)
        assert names(later)[0] == "sideways.npy"
        sideways.unlink()
        later.editor.directions.begin()
    with EditorRun(run.document.with_directions(())) as last:
        last.settled()
        last.editor.directions.begin()
        assert "sideways.npy" not in names(last), "it is gone"


def test_a_document_has_its_directions_without_their_files(run: EditorRun, sideways) -> None:
    run.editor.directions.begin()
    run.editor.directions.add(str(sideways))
    run.until(lambda: run.editor.directions.sliders()[0].is_known)
    run.editor.directions.move_to("sideways.npy", 2)
    sideways.unlink()
    with EditorRun(run.document) as later:
        later.settled()
        later.editor.directions.move_to("sideways.npy", 1)
        assert later.document.start.directions[0].amount == 1
        later.editor.latent.next_seed()
        assert later.document.start.describe() == "seed 41 + sideways.npy:1", "other seeds go too"
        later.place((10, 10), (20, 10))
        command, note = command_of(later.state)
        assert "--seed 41 --direction sideways.npy:1" in command
        assert note == "directions of files are named without their folder"


def test_what_a_drag_reached_goes_along(run: EditorRun, model: SlidingModel) -> None:
    run.editor.directions.begin()
    run.received(DirectionsRead, W_DIM)
    run.place((10, 10), (20, 10))
    run.drag_to_the_end()
    reached = current_w_plus(run.document, model)
    run.editor.directions.move_to("pc1", 1)
    run.settled()
    np.testing.assert_allclose(
        current_w_plus(run.document, model), reached + np.array([0, 2]), atol=1e-5
    )
    run.editor.history.undo()
    np.testing.assert_array_equal(current_w_plus(run.document, model), reached)


def test_what_is_no_direction_is_told(run: EditorRun, tmp_path) -> None:
    run.editor.directions.begin()
    for text, told in (
        ("", "Type a file"),
        ("gone.npy", "There is no file"),
        (str(tmp_path), "folder"),
    ):
        with pytest.raises(InputError, match=told):
            run.editor.directions.add(text)
    np.save(tmp_path / "long.npy", np.zeros((1, 77), np.float32))
    run.editor.directions.add(str(tmp_path / "long.npy"))
    run.until(lambda: any(event.subject == "long.npy" for event in run.all(TaskFailed)))
    assert run.notice.startswith("Could not read the direction long.npy: ")
    with pytest.raises(InputError, match="not read yet"):
        run.editor.directions.move_to("long.npy", 1)


def test_what_a_command_wrote_has_its_sliders_where_the_options_set_them(tmp_path) -> None:
    np.save(tmp_path / "d.npy", np.full((1, 192), 0.01, np.float32))
    made = dragonnx(
        "drag", "--seed", "40", "--direction", "pc1:1.5", "--direction", tmp_path / "d.npy:-2",
        "--point", "113,151:118,151", "--max-steps", "1", "-o", tmp_path / "a.png",
        "--device", "cpu", "--threads", "1",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    with EditorRun(Document()) as run:
        run.settled()
        run.editor.files.open(tmp_path / "a.png")
        run.received(FileOpened)
        run.settled()
        run.editor.drag.reset()
        run.editor.directions.begin()
        sliders = {each.name: each for each in run.editor.directions.sliders()}
        assert list(sliders)[:2] == ["d.npy", "pc0"]
        assert (sliders["pc1"].amount, sliders["d.npy"].amount) == (1.5, -2)
        assert sliders["d.npy"].is_known
        run.editor.directions.move_to("pc1", 0)
        run.editor.directions.move_to("d.npy", 0)
        run.settled()
        assert run.document.start.is_seed
        assert run.document.start.describe() == "seed 40"


@pytest.fixture
def turning(models) -> SlidingModel:
    """A model that turns and moves what it shows."""
    models["turning"] = SlidingModel("turning", turns=True)
    return models["turning"]


def test_only_a_model_that_can_turns_the_picture(run: EditorRun) -> None:
    run.editor.directions.begin()
    assert "turn deg" not in names(run)
    with pytest.raises(InputError, match="cannot turn and move what it shows"):
        run.editor.directions.move_to("turn deg", 1)


def test_a_picture_is_turned_and_moved_and_set_back(turning: SlidingModel) -> None:
    start = LatentStart(40, motion=Motion(30, (0, -2)))
    with EditorRun(Document(model="turning", start=start)) as run:
        run.settled()
        directions = run.editor.directions
        directions.begin()
        run.received(DirectionsRead, W_DIM)
        shown = {each.name: each.amount for each in directions.sliders()[-3:]}
        assert shown == {"turn deg": 30, "right px": 0, "down px": -2}
        run.place((10, 10), (20, 10))
        directions.move_to("pc0", 1)
        for amount in (1.0, 4.0):
            directions.move_to("right px", amount)
        run.settled()
        assert run.notice == "right px: 4"
        assert len(run.document.pairs) == 1, "the points stay"
        plain = turning.w_plus(40) + np.float32([3, 0])
        wanted = turning.transform(plain, rotation=30, translation=(4, -2))
        np.testing.assert_array_equal(current_w_plus(run.document, turning), wanted)
        np.testing.assert_array_equal(run.state.picture, np.asarray(turning.image(wanted)))
        run.editor.history.undo()
        assert run.document.start.motion == Motion(30, (0, -2)), "all moves of one are one edit"
        for name in ("turn deg", "down px", "pc0"):
            directions.move_to(name, 0)
        assert run.document.start.is_seed
        assert run.document.start.motion is None
        for name, amount in (("turn deg", 400), ("right px", float("inf"))):
            with pytest.raises(InputError, match="must be"):
                directions.move_to(name, amount)


def test_what_a_drag_reached_is_turned_from_there(turning: SlidingModel) -> None:
    start = LatentStart(40, motion=Motion(0, (3, 0)))
    config = DragConfig(preset="paper")
    with EditorRun(Document(model="turning", start=start, config=config)) as run:
        run.settled()
        run.place((10, 10), (20, 10))
        run.drag_to_the_end()
        reached = current_w_plus(run.document, turning)
        directions = run.editor.directions
        assert directions.sliders()[-2].amount == 0, "it is moved already"
        directions.move_to("right px", 2)
        wanted = turning.transform(reached, rotation=0, translation=(2, 0))
        np.testing.assert_array_equal(current_w_plus(run.document, turning), wanted)
        assert run.document.start.describe() == "seed 40, dragged + moved 2,0 px"
