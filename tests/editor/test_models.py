"""Other models: their facts, and what of the old picture's does not fit them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from editor.sliding_model import HEIGHT, STEP_SIZE, TRAINABLE, WIDTH, SlidingModel
from PIL import Image
from support.editor_runs import EditorRun

from dragonnx.document import LatentStart, save_document
from dragonnx.drag.config import DragConfig
from dragonnx.editor.events import DragProgressed, FileOpened, ModelChosen, ModelOpened, TaskFailed
from dragonnx.editor.tools import Tool
from dragonnx.errors import InputError

OTHER = (32, 80)
"""Height and width of the other model's pictures."""


@pytest.fixture(autouse=True)
def other(models):
    models["other"] = SlidingModel("Other's own name", labels=3, size=OTHER)
    return models["other"]


def choose(run, model: str) -> None:
    count = run.count(ModelChosen)
    run.editor.latent.use_model(model)
    run.received(ModelChosen, count + 1)
    run.settled()


def test_a_folder_is_found_from_everywhere(run, models):
    """A picture or a document that is opened in another folder finds its model."""
    folder = str(Path("mine").resolve())
    models[folder] = SlidingModel("mine")
    choose(run, str(Path("mine", "..", "mine")))
    assert run.document.model == folder


GONE = "/gone/mine"


def test_a_document_whose_model_was_moved_takes_the_one_that_was_chosen(run, document):
    moved = document.with_model(GONE).with_point((20, 20)).with_point((24, 20))
    save_document(moved, "a.dragonnx")
    run.editor.files.open(Path("a.dragonnx"))
    run.received(FileOpened)
    run.settled()
    assert run.document.model == "sliding"
    assert run.document.pairs == moved.pairs
    assert f"{GONE} is gone, so sliding took its place." in run.notice
    other = document.with_model(GONE).with_start(
        LatentStart(w_plus=np.ones((1, 3, 77), np.float32))
    )
    save_document(other, "b.dragonnx")
    run.editor.files.open(Path("b.dragonnx"))
    assert "and sliding does not fit (" in run.received(TaskFailed).reason
    assert run.document.model == "sliding"


def test_a_document_whose_model_was_moved_is_told_with_what_to_do_where_none_was_chosen(document):
    save_document(document.with_model(GONE), "a.dragonnx")
    with EditorRun() as run:
        run.settled()
        run.editor.files.open(Path("a.dragonnx"))
        assert (
            "no bundle folder /gone/mine; where it was moved, choose it with m"
            in run.received(TaskFailed).reason
        )


def test_the_facts_of_a_model(run):
    manifest = run.state.model.manifest
    assert (manifest.name, manifest.label_dim) == ("sliding", 0)
    assert run.state.image_size == (WIDTH, HEIGHT)
    assert run.state.cursor == (WIDTH // 2, HEIGHT // 2)
    assert run.editor.drag.most_layers() == TRAINABLE
    choose(run, "other")
    manifest = run.state.model.manifest
    assert (manifest.name, manifest.label_dim) == ("Other's own name", 3)
    assert run.state.image_size == OTHER[::-1]
    assert run.state.cursor == (OTHER[1] // 2, OTHER[0] // 2)
    assert run.scene.picture.shape == (*OTHER, 3)


def test_the_usual_settings_are_the_models_then_the_presets(run, document):
    usual = run.editor.drag.usual_settings()
    assert usual["step_size"] == STEP_SIZE
    assert usual["trainable_layers"] == TRAINABLE
    assert usual["max_steps"] == 300
    assert usual["stop_distance"] == 1.0
    assert not any(isinstance(value, bool | str) for value in usual.values())
    run.editor.drag.use_settings(DragConfig(preset="released"))
    assert run.editor.drag.usual_settings()["stop_distance"] == 2.0
    unopened = EditorRun(document)
    assert unopened.editor.drag.usual_settings() == {}
    assert unopened.editor.drag.most_layers() == 18


def test_more_layers_than_a_model_has_are_refused(run):
    with pytest.raises(InputError, match=f"at most {TRAINABLE} for this model, not 3"):
        run.editor.drag.use_settings(DragConfig(trainable_layers=TRAINABLE + 1))
    before = run.document
    run.editor.drag.use_settings(before.config)
    assert run.document is before


def test_a_model_is_chosen_after_the_drag_that_runs(run):
    run.editor.drag.use_settings(DragConfig(preset="paper", step_size=1e-6, max_steps=10**6))
    run.place((20, 20), (40, 20))
    run.editor.drag.start_or_pause()
    run.received(DragProgressed)
    choose(run, "other")
    assert run.document.model == "other"
    assert run.document.pairs == ()
    assert run.document.config.max_steps == 10**6
    run.editor.history.undo()
    run.settled()
    assert run.document.result.steps > 0


def test_a_drag_that_begins_while_a_model_is_opened_pauses_for_it(run, other):
    run.editor.drag.use_settings(DragConfig(preset="paper", step_size=1e-6, max_steps=10**6))
    run.place((20, 20), (40, 20))
    with other.held("image"):
        run.editor.latent.use_model("other")
        run.editor.drag.start_or_pause()
    run.received(ModelChosen)
    run.settled()
    assert run.document.model == "other"
    run.editor.history.undo()
    run.settled()
    assert run.document.model == "sliding"
    assert len(run.document.pairs) == 1


def test_the_model_that_is_there_is_not_chosen_again(run):
    before = run.document
    for model in ("", "sliding"):
        run.editor.latent.use_model(model)
    assert run.document is before
    assert "Opening" not in run.notice


@pytest.mark.parametrize("error", [InputError("it broke"), ZeroDivisionError("so did that")])
def test_a_model_that_gives_no_picture_is_not_chosen(run, other, error):
    before, shown = run.document, run.state.picture
    with other.failing("image", error):
        run.editor.latent.use_model("other")
        run.received(TaskFailed)
    assert run.notice.startswith("Could not open the model other: ")
    assert run.document is before
    assert run.state.picture is shown
    assert run.count(ModelOpened) == 1
    run.editor.latent.next_seed()
    run.settled()


def test_nothing_is_placed_or_painted_before_the_model_is_open(document):
    run = EditorRun(document)
    run.place((100, 100))
    run.editor.mask.use_tool(Tool.MOVABLE)
    run.editor.mask.stamp()
    run.editor.drag.start_or_pause()
    assert run.document is document
    assert run.notice == "The model is not open yet."


@pytest.mark.parametrize("tool", [Tool.MOVABLE_BOX, Tool.FIXED])
def test_what_is_painted_when_the_model_changes_is_dropped(run, tool):
    run.editor.mask.use_tool(tool)
    run.editor.pointer.press((3, 3))
    choose(run, "other")
    run.editor.pointer.drag((20, 20))
    run.editor.pointer.release()
    assert run.document.mask is None
    assert run.state.stroke is None


def test_what_is_painted_when_a_model_is_undone_is_dropped(run):
    choose(run, "other")
    run.editor.mask.use_tool(Tool.MOVABLE_BOX)
    run.editor.pointer.press((3, 3))
    run.editor.history.undo()
    run.editor.pointer.drag((20, 20))
    run.editor.pointer.release()
    assert run.document.mask is None
    run.settled()
    run.editor.pointer.press((3, 3))
    run.editor.pointer.drag((20, 20))
    run.editor.pointer.release()
    assert run.document.mask.shape == (HEIGHT, WIDTH)


def test_classes(run, other):
    for ask in (run.editor.latent.label_count, lambda: run.editor.latent.use_label(0)):
        with pytest.raises(InputError, match="no classes"):
            ask()
    choose(run, "other")
    assert run.editor.latent.label_count() == 3
    assert other.labels[-1] == 0, "the first class, where none is chosen"
    assert run.notice.startswith("This is class 0 of 3: l chooses another.")
    for label in (-1, 3):
        with pytest.raises(InputError, match="from 0 to 2"):
            run.editor.latent.use_label(label)
    before = run.document
    run.editor.latent.use_label(0)
    assert run.document is before
    run.place((5, 5))
    run.editor.latent.use_label(2)
    assert run.notice == "Class 2. Points and mask went with the old picture; u undoes."
    assert run.document.pairs == ()
    run.settled()
    assert other.labels[-1] == 2
    run.editor.latent.next_seed()
    run.settled()
    assert run.document.start.label == 2, "another seed is of the same class"


def test_a_latent_has_neither_class_nor_truncation(document):
    start = LatentStart(w_plus=np.ones((1, 3, 2), np.float32), name="a.npz")
    with EditorRun(document.with_model("other").with_start(start)) as run:
        run.settled()
        for use in (lambda: run.editor.latent.use_label(1), lambda: run.editor.latent.use_psi(0.5)):
            with pytest.raises(InputError, match="starts from a latent"):
                use()


def test_a_seed_that_is_there_already_takes_nothing(run):
    run.place((5, 5))
    before = run.document
    run.editor.latent.use_seed(40)
    assert run.document is before
    assert "went" not in run.notice


def test_a_photo_of_another_model_is_not_compared(run):
    run.state.comparison.photo = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    run.editor.compare.show_next()
    assert run.scene.picture is run.state.comparison.photo
    choose(run, "other")
    run.editor.compare.show_next()
    assert "nothing to compare" in run.notice
    assert run.scene.picture is run.state.picture


def test_a_mask_of_another_size_is_refused(run):
    Image.new("L", OTHER[::-1], 255).save("mask.png")
    with Image.open("mask.png") as mask:
        mask.paste(0, (0, 0, 9, 9))
        mask.save("mask.png")
    before = run.document
    run.editor.files.open(Path("mask.png"))
    run.received(TaskFailed)
    assert run.notice.startswith("Could not open mask.png: ")
    assert f"the image is {WIDTH} x {HEIGHT}" in run.notice
    assert run.document is before
