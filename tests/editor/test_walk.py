"""Walks from the picture to seeds and files, written by the worker and ended at will."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from editor.sliding_model import SlidingModel
from PIL import Image
from support.editor_runs import EditorRun

from dragonnx.editor.events import Exported, TaskFailed, WalkEnded, WalkProgressed
from dragonnx.editor.walks import WalkRequest, waypoints_of
from dragonnx.errors import InputError
from dragonnx.model.latent import save_latent


def request(run: EditorRun, to: str, path: Path, frames: int = 3, *, loop: bool = False):
    return WalkRequest(waypoints_of(to, run.document), frames, loop, path)


def test_a_walk_goes_from_what_is_shown_through_seeds_and_files(
    run: EditorRun, model: SlidingModel, tmp_path: Path
) -> None:
    run.place((10, 10), (20, 10))
    run.drag_to_the_end()
    save_latent(model.w_plus(9), tmp_path / "a.npz")
    path = tmp_path / "w.webp"
    run.editor.files.walk(request(run, f"41, {tmp_path / 'a.npz'}", path))
    run.received(WalkEnded)
    assert run.notice == f"Wrote {path}. V views it."
    assert [event.made for event in run.all(WalkProgressed)] == [1, 2, 3]
    latents = [run.document.result.w_plus, model.w_plus(41), model.w_plus(9)]
    with Image.open(path) as animation:
        assert animation.n_frames == 3
        for at, latent in enumerate(latents):
            animation.seek(at)
            shown = np.asarray(animation.convert("RGB"), float)
            far = np.abs(shown - np.asarray(model.image(latent).convert("RGB"), float)).mean()
            assert far < 6, "what a WebP loses"


def test_a_walk_is_ended_and_leaves_nothing(
    run: EditorRun, model: SlidingModel, tmp_path: Path
) -> None:
    with model.held("image") as held:
        run.editor.files.walk(request(run, "41", tmp_path / "w.gif", 60))
        held.wait()
        run.editor.stop()
    run.received(WalkEnded)
    assert run.notice == "The walk was ended; nothing was written."
    assert list(tmp_path.glob("*.gif")) == []
    run.editor.stop()
    assert run.notice == "No drag runs."
    run.editor.files.walk(request(run, "41", tmp_path / "w.gif"))
    run.received(Exported)


def test_a_walk_pauses_a_drag_and_takes_what_is_shown(run: EditorRun, tmp_path: Path) -> None:
    run.place((10, 10), (20, 10))
    run.editor.drag.start_or_pause()
    run.editor.files.walk(request(run, "41", tmp_path / "w.gif"))
    run.received(WalkEnded)
    assert run.document.result is not None or run.state.running is None
    assert (tmp_path / "w.gif").exists()


def test_what_cannot_be_walked_to_is_told(run: EditorRun, tmp_path: Path) -> None:
    files = run.editor.files
    for text, told in ((" , ", "Type a seed"), ("5,gone.npz", "There is no file gone.npz")):
        with pytest.raises(InputError, match=told):
            waypoints_of(text, run.document)
    with pytest.raises(InputError, match="frames must be a whole number from 2"):
        files.walk(request(run, "41", tmp_path / "w.gif", 1))
    with pytest.raises(InputError, match="must end in"):
        files.walk(request(run, "41", tmp_path / "w.png"))
    (tmp_path / "w.gif").write_bytes(b"mine")
    with pytest.raises(InputError, match="exists"):
        files.walk(request(run, "41", tmp_path / "w.gif"))
    save_latent(np.zeros((1, 9, 9), np.float32), tmp_path / "other.npz")
    files.walk(request(run, str(tmp_path / "other.npz"), tmp_path / "new.gif"))
    run.received(TaskFailed)
    assert run.notice.startswith("Could not write new.gif: ")
    run.editor.stop()
    assert run.notice == "No drag runs.", "it is over"
