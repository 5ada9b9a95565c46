"""Every file command in every phase: what is running pauses or ends, and what is shown is written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dragonnx import open_picture
from dragonnx.document import LatentStart, open_document, save_document
from dragonnx.document.recovery import Recovery
from dragonnx.drag.config import DragConfig
from dragonnx.editor.events import (
    DocumentSaved,
    DragEnded,
    DragProgressed,
    Exported,
    FileOpened,
    InversionProgressed,
)
from dragonnx.editor.inversion_job import PhotoRequest
from dragonnx.editor.phase import Dragging, Idle, Inverting, Stopping
from dragonnx.inversion.config import InversionConfig

ENDLESS = DragConfig(preset="paper", step_size=1e-6, max_steps=10**6)
"""Steps so small that no handle ever leaves its pixel."""
FILE = Path("cat.dragonnx")


def idle(run) -> None:
    del run


def dragging(run) -> None:
    run.editor.drag.start_or_pause()
    run.received(DragProgressed, 2)
    assert isinstance(run.state.phase, Dragging)


def pausing(run) -> None:
    dragging(run)
    run.editor.drag.start_or_pause()
    assert isinstance(run.state.phase, Stopping)


def stopping(run) -> None:
    dragging(run)
    run.editor.drag.stop()
    assert isinstance(run.state.phase, Stopping)


def paused(run) -> None:
    pausing(run)
    run.received(DragEnded)
    assert isinstance(run.state.phase, Idle)


def inverting(run) -> None:
    Image.effect_noise((80, 60), 90).convert("RGB").save("photo.png")
    run.editor.photo.invert(PhotoRequest(Path("photo.png"), InversionConfig(steps=10**6)))
    run.received(InversionProgressed)
    assert isinstance(run.state.phase, Inverting)


PHASES = {each.__name__: each for each in (idle, dragging, pausing, stopping, paused, inverting)}


def save(run):
    run.editor.files.save()
    run.received(DocumentSaved, 2)
    return open_document(FILE)


def save_as(run):
    run.editor.files.save(Path("other.dragonnx"))
    run.received(DocumentSaved, 2)
    return open_document(Path("other.dragonnx"))


def export_picture(run):
    run.editor.files.export("picture", Path("a.png"))
    run.received(Exported)
    return open_picture(Path("a.png"))


def export_latent(run):
    run.editor.files.export("latent", Path("a.npz"))
    run.received(Exported)
    with np.load("a.npz") as archive:
        return archive["w_plus"]


def open_another(run):
    save_document(run.document.with_start(LatentStart(seed=9)), Path("another.dragonnx"))
    run.editor.files.open(Path("another.dragonnx"))
    run.received(FileOpened)
    assert run.document.start.seed == 9
    run.editor.history.undo()
    return run.document


def end(run):
    """The editor is ended from outside: a signal, a terminal that is gone."""
    run.editor.close(keep=True)
    run.editor.join()
    lost = Recovery().lost()
    assert len(lost) == (not run.state.is_saved)
    return open_document(lost[0].path if lost else FILE)


COMMANDS = {each.__name__: each for each in (save, save_as, export_picture, export_latent,
                                             open_another, end)}  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("phase", PHASES)
def test_what_is_shown_is_what_is_written(run, phase, command):
    run.editor.drag.use_settings(ENDLESS)
    run.place((20, 20), (50, 10))
    run.editor.files.save(FILE)
    run.received(DocumentSaved)
    PHASES[phase](run)
    told = run.all(DragProgressed)
    shown = told[-1].steps if told else 0
    written = COMMANDS[command](run)
    if command in ("save", "save_as", "export_picture", "export_latent"):
        assert run.state.running is None
        if phase in ("dragging", "inverting"):
            assert any("Pausing to" in text or "That ends it" in text for text in run.said)
    if command == "end" and phase == "inverting":
        assert written.start.w_plus is not None
        return
    if isinstance(written, np.ndarray):
        result = run.document.result
        now = run.document.start.w_plus if result is None else result.w_plus
        assert now is None or np.array_equal(written, now)
        return
    if phase == "inverting":
        assert np.array_equal(written.start.w_plus, run.document.start.w_plus)
    elif phase == "idle":
        assert written.result is None
        assert len(written.complete_pairs) == 1
    else:
        assert written.result.steps >= max(shown, 1)


def test_after_saving_a_drag_that_runs_it_goes_on_where_it_was(run):
    run.editor.drag.use_settings(ENDLESS)
    run.place((20, 20), (50, 10))
    dragging(run)
    run.editor.files.save(FILE)
    run.received(DocumentSaved)
    assert run.notice == "Saved cat.dragonnx. The drag is paused; Space goes on."
    saved = open_document(FILE).result.steps
    assert run.state.is_saved
    run.editor.drag.step()
    run.received(DragEnded, 2)
    assert run.document.result.steps == saved + 1
