"""Edits that are asked for while something runs: it pauses or ends, and they are made after it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dragonnx.document import open_document
from dragonnx.drag.config import DragConfig
from dragonnx.editor.events import (
    DocumentSaved,
    DragProgressed,
    Exported,
    FileOpened,
    InversionEnded,
    InversionProgressed,
)
from dragonnx.editor.inversion_job import PhotoRequest
from dragonnx.editor.phase import Idle, Inverting, Stopping
from dragonnx.editor.tools import Tool
from dragonnx.inversion.config import InversionConfig

HANDLES = ((20, 20), (40, 30))
TARGET = (50, 10)
ENDLESS = DragConfig(preset="paper", step_size=1e-6, max_steps=10**6)
"""Steps so small that no handle ever leaves its pixel."""


@pytest.fixture
def dragging(run):
    """An editor in a drag of two pairs that does not end by itself."""
    run.editor.drag.use_settings(ENDLESS)
    for handle in HANDLES:
        run.place(handle, TARGET)
    run.state.selected = None
    run.editor.drag.start_or_pause()
    run.received(DragProgressed)
    return run


@pytest.fixture
def inverting(run):
    """An editor in an inversion that does not end by itself; before it, a pair was placed."""
    Image.effect_noise((80, 60), 90).convert("RGB").save("cat.png")
    run.place(HANDLES[0], TARGET)
    run.editor.photo.invert(PhotoRequest(Path("cat.png"), InversionConfig(steps=10**6)))
    run.received(InversionProgressed)
    return run


def handles(run) -> list[tuple[float, float]]:
    return [pair.handle for pair in run.document.pairs]


def test_all_that_waits_is_made_in_order_and_undone_one_by_one(dragging):
    run = dragging
    run.place((5, 6))
    run.place((7, 8))
    run.editor.drag.switch_space()
    assert isinstance(run.state.phase, Stopping)
    assert len(run.document.pairs) == 2
    run.settled()
    assert (run.document.pairs[2].handle, run.document.pairs[2].target) == ((5, 6), (7, 8))
    assert run.document.config.space == "w"
    undone = []
    while run.document.result is not None:
        run.editor.history.undo()
        undone.append(run.notice)
    assert [text.split(":")[1].split(",")[0].strip() for text in undone] == [
        "W or W+.", "place target point 3.", "place handle point 3.", "drag",
    ]  # fmt: skip
    assert run.document.config.max_steps == ENDLESS.max_steps


def test_deleting_twice_deletes_two(dragging):
    run = dragging
    run.editor.points.delete()
    run.editor.points.delete()
    run.settled()
    assert run.document.pairs == ()
    run.editor.history.undo()
    assert handles(run) == [HANDLES[0]]
    run.editor.history.undo()
    assert handles(run) == [*HANDLES]


@pytest.mark.parametrize("move", ["move_handle", "move_target"])
def test_a_point_that_is_gone_by_then_is_not_moved(dragging, move):
    run = dragging
    run.editor.points.select(1)
    run.editor.points.delete()
    getattr(run.editor.points, move)()
    run.settled()
    assert handles(run) == [HANDLES[0]]
    run.editor.history.undo()
    assert handles(run) == [*HANDLES], "nothing but the deletion was an edit"


def test_deleting_all_twice_is_one_edit(dragging):
    run = dragging
    run.editor.points.clear()
    run.editor.points.clear()
    run.settled()
    run.editor.history.undo()
    assert handles(run) == [*HANDLES]


def test_clearing_the_mask_twice_is_one_edit(run):
    run.editor.mask.use_tool(Tool.FIXED)
    run.editor.mask.stamp()
    run.editor.drag.use_settings(ENDLESS)
    run.place(HANDLES[0], TARGET)
    run.editor.drag.start_or_pause()
    run.received(DragProgressed)
    run.editor.mask.clear()
    run.editor.mask.clear()
    run.settled()
    assert run.document.mask is None
    run.editor.history.undo()
    assert run.document.mask is not None


def test_a_stroke_while_dragging_is_made_after_it(dragging):
    run = dragging
    run.editor.mask.use_tool(Tool.MOVABLE_BOX)
    run.editor.pointer.press((10, 10))
    run.editor.pointer.drag((13, 11))
    run.editor.pointer.release()
    assert run.document.mask is None
    run.settled()
    assert run.document.mask[10:12, 10:14].all()
    assert run.document.mask.sum() == 8
    assert run.state.stroke is None
    run.editor.pointer.drag((30, 30))
    assert run.document.mask.sum() == 8, "the mouse was released"


def test_a_marker_that_is_held_while_dragging_moves_after_the_pause(dragging):
    run = dragging
    run.editor.pointer.press(TARGET, (1, "target"))
    run.until(lambda: run.state.running is None)
    for place in ((30, 31), (32, 33)):
        run.editor.pointer.drag(place)
    run.editor.pointer.release()
    assert run.document.pairs[1].target == (32, 33)
    run.editor.history.undo()
    assert run.document.pairs[1].target == TARGET
    assert run.document.result is not None


def test_what_is_undone_while_dragging_is_the_drag(dragging):
    run = dragging
    before = run.document
    run.editor.history.undo()
    run.settled()
    assert run.document is before
    assert run.notice.startswith("Undid: drag, ")


def test_a_reset_while_dragging_brings_the_start_back(dragging):
    run = dragging
    run.editor.drag.reset()
    run.settled()
    assert run.document.result is None
    assert run.state.phase.paused is None
    run.editor.history.undo()
    assert run.document.result is not None


def test_a_picture_of_another_seed_is_shown_after_the_drag(dragging, model):
    run = dragging
    run.editor.latent.next_seed()
    run.settled()
    assert run.document.start.seed == 41
    assert np.array_equal(run.state.picture, np.asarray(model.image(model.w_plus(41))))


def test_what_is_written_while_dragging_holds_what_was_reached(dragging):
    run = dragging
    run.editor.files.save(Path("a.dragonnx"))
    run.editor.files.export("picture", Path("a.png"))
    run.received(DocumentSaved)
    run.received(Exported)
    assert open_document(Path("a.dragonnx")).result.steps == run.document.result.steps
    assert run.state.is_saved


def test_what_is_opened_while_dragging_comes_after_it(dragging):
    run = dragging
    drawn = np.zeros(run.state.picture.shape[:2], np.uint8)
    drawn[10:20, 5:60] = 255
    Image.fromarray(drawn).save("mask.png")
    run.editor.files.open(Path("mask.png"))
    run.received(FileOpened)
    assert run.document.result is not None
    assert np.array_equal(run.document.mask, drawn == 255)


def test_a_mask_lies_on_the_document_as_it_is_when_the_file_was_read(run, model):
    drawn = np.zeros(run.state.picture.shape[:2], np.uint8)
    drawn[10:20, 5:60] = 255
    Image.fromarray(drawn).save("mask.png")
    with model.held("image") as held:
        run.editor.latent.next_seed()
        held.wait()
        run.editor.files.open(Path("mask.png"))
        run.place(HANDLES[0])
    run.received(FileOpened)
    assert handles(run) == [HANDLES[0]]
    assert run.document.mask is not None


def test_edits_of_points_while_a_photo_is_inverted_find_none(inverting):
    run = inverting
    for command in ("delete", "clear", "select_next", "select_previous", "move_handle"):
        getattr(run.editor.points, command)()
    assert isinstance(run.state.phase, Inverting), "there is nothing to end it for"


def test_a_marker_that_is_held_when_a_photo_takes_its_picture_is_let_go(run):
    Image.effect_noise((80, 60), 90).convert("RGB").save("cat.png")
    run.place(HANDLES[0], TARGET)
    run.editor.points.grip((0, "target"))
    run.editor.photo.invert(PhotoRequest(Path("cat.png"), InversionConfig(steps=10**6)))
    run.received(InversionProgressed)
    run.editor.points.move_gripped((30, 30))
    run.received(InversionEnded)
    run.settled()
    assert run.document.pairs == ()


def test_a_drag_waits_for_an_inversion_to_end(inverting):
    run = inverting
    run.editor.history.undo()
    run.settled()
    assert run.document.start.w_plus is None
    assert handles(run) == [HANDLES[0]]
    assert isinstance(run.state.phase, Idle)
