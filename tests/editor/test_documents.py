"""Which file a document belongs to, and what its name is, through opening, undo and saving."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from editor.sliding_model import NUM_WS, W_DIM
from support.documents import same
from support.editor_runs import EditorRun
from support.pickle_files import torch_zip

from dragonnx.document import LatentStart, open_document, save_document
from dragonnx.editor.events import (
    DocumentSaved,
    DragEnded,
    Exported,
    FileOpened,
    TaskFailed,
)
from dragonnx.errors import InputError


@pytest.fixture
def dragged(run):
    """An editor with a pair, and three steps of its drag."""
    run.place((20, 20), (40, 25))
    for _ in range(3):
        run.editor.drag.step()
        run.until(lambda: run.state.running is None)
    return run


def save(run, path: str | None = None, **options) -> None:
    count = run.count(DocumentSaved)
    run.editor.files.save(None if path is None else Path(path), **options)
    run.received(DocumentSaved, count + 1)


def export(run, kind: str, path: str) -> None:
    count = run.count(Exported)
    run.editor.files.export(kind, Path(path))
    run.received(Exported, count + 1)


def open_file(run, path: str) -> None:
    count = run.count(FileOpened)
    run.editor.files.open(Path(path))
    run.received(FileOpened, count + 1)
    run.settled()


def test_a_document_comes_back_whole(dragged):
    run = dragged
    save(run, "a.dragonnx")
    saved = run.document
    with EditorRun(saved.with_start(LatentStart(seed=9))) as other:
        open_file(other, "a.dragonnx")
        assert same(other.document, saved)
        np.testing.assert_array_equal(other.state.picture, run.state.picture)
        assert other.state.title == "a.dragonnx"
        assert other.state.losses == tuple(saved.result.loss)
        assert other.notice == (
            "Opened a.dragonnx; u brings back what was here. The drag is paused; Space goes on."
        )
        assert other.state.path == Path("a.dragonnx")


def test_a_picture_brings_its_document_but_is_no_documents_file(dragged):
    run = dragged
    export(run, "picture", "a.png")
    drawn = run.document
    run.editor.latent.next_seed()
    save(run, "other.dragonnx")
    open_file(run, "a.png")
    assert same(run.document.pairs, drawn.pairs)
    assert run.document.result.steps == drawn.result.steps
    assert run.state.path is None, "saving it must not replace the document that was there"
    assert run.state.title == "unsaved document *"


def test_the_star_tells_what_is_not_in_the_file(run):
    assert run.state.title == "unsaved document"
    run.place((5, 5))
    assert run.state.title == "unsaved document *"
    save(run, "a.dragonnx")
    assert run.state.title == "a.dragonnx"
    assert run.notice == "Saved a.dragonnx."
    assert run.state.notice.tone == "good"
    run.editor.history.undo()
    assert run.state.title == "a.dragonnx *"
    run.editor.history.redo()
    assert run.state.title == "a.dragonnx"


def test_what_is_edited_while_it_is_saved_is_not_saved(run, model):
    with model.held("image") as held:
        run.editor.files.save(Path("a.dragonnx"))
        held.wait()
        run.place((5, 5))
    run.received(DocumentSaved)
    assert run.state.title == "a.dragonnx *"
    assert open_document(Path("a.dragonnx")).pairs == ()


def test_saving_again_asks_nothing_and_saving_over_another_file_does(run):
    Path("mine.dragonnx").write_text("precious", "utf-8")
    save(run, "a.dragonnx")
    run.place((5, 5))
    save(run)
    assert len(open_document(Path("a.dragonnx")).pairs) == 1
    with pytest.raises(InputError, match=r"mine\.dragonnx exists"):
        run.editor.files.save(Path("mine.dragonnx"))
    save(run, "mine.dragonnx", replace=True)
    assert run.state.path == Path("mine.dragonnx")


def test_a_document_that_cannot_be_saved_keeps_its_name(run, model):
    Path("folder").mkdir()
    save(run, "a.dragonnx")
    run.place((5, 5))
    with pytest.raises(InputError, match="There is no folder"):
        run.editor.files.save(Path("nowhere/b.dragonnx"))
    with pytest.raises(InputError, match=r"must end in \.dragonnx"):
        run.editor.files.save(Path("b.png"))
    with model.held("image") as held:
        run.editor.files.save(Path("folder/b.dragonnx"))
        held.wait()
        shutil.rmtree("folder")
    run.received(TaskFailed)
    assert run.notice.startswith("Could not save the document: ")
    assert run.state.title == "a.dragonnx *"


def test_names_are_suggested_after_model_and_seed_then_after_the_file(run):
    files = run.editor.files
    assert files.suggested_document() == Path("sliding-seed40.dragonnx")
    Path("sliding-seed40.dragonnx").touch()
    assert files.suggested_document() == Path("sliding-seed40-2.dragonnx")
    assert files.suggested_output("mask") == Path("sliding-seed40-mask.png")
    save(run, "cat.dragonnx")
    assert files.suggested_document() == Path("cat.dragonnx"), "its own file may be replaced"
    assert files.suggested_output("animation") == Path("cat-drag.gif")


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("a.npz", "cats-a"),
        ("Foto vom Häuschen.jpg", "cats-Foto vom Häuschen"),
        ("C:\\a?\x1b.npz", "cats-C__a"),
        ("", "cats-latent"),
        ("..", "cats-latent"),
    ],
)
def test_names_of_a_latent_and_of_a_models_folder(model, models, document, name, stem):
    models["/my models/cats"] = model
    start = LatentStart(w_plus=np.ones((1, 3, 2), np.float32), name=name)
    run = EditorRun(document.with_model("/my models/cats").with_start(start))
    assert run.editor.files.suggested_stem() == stem


def test_a_latent_replaces_the_start_of_the_document_as_it_is_by_then(dragged, model):
    run = dragged
    export(run, "latent", "a.npz")
    reached = run.document.result.w_plus
    with model.held("image") as held:
        run.editor.latent.next_seed()
        held.wait()
        run.editor.files.open(Path("a.npz"))
        run.editor.drag.switch_space()
    run.received(FileOpened)
    run.settled()
    assert np.array_equal(run.document.start.w_plus, reached)
    assert run.document.start.name == "a.npz"
    assert run.document.config.space == "w"
    assert run.document.result is None


def test_a_latent_of_another_tool_opens_and_tells_that_there_are_several(run):
    latents = np.random.default_rng(0).standard_normal((2, NUM_WS, W_DIM)).astype(np.float32)
    Path("a.pt").write_bytes(torch_zip(latents))
    open_file(run, "a.pt")
    np.testing.assert_array_equal(run.document.start.w_plus, latents[:1])
    assert "a.pt holds 2 latents, numbered from 0: number 0 is taken" in run.notice
    run.editor.files.open(Path("a.pt"), 1)
    run.received(FileOpened, 2)
    run.settled()
    np.testing.assert_array_equal(run.document.start.w_plus, latents[1:])


def test_a_file_of_nothing_that_is_known_is_refused(run):
    Path("notes.txt").write_text("no picture", "utf-8")
    Path("a.dragonnx").write_text("no document", "utf-8")
    Path("a.npz").write_text("no latent", "utf-8")
    before = run.document
    for count, name in enumerate(("notes.txt", "a.dragonnx", "a.npz", "missing.png"), 1):
        run.editor.files.open(Path(name))
        run.received(TaskFailed, count)
        assert run.notice.startswith(f"Could not open {name}: ")
        assert "\n" not in run.notice
        assert run.document is before
    assert run.state.path is None


def test_a_document_of_a_model_that_is_gone_is_refused(run, document):
    save_document(document.with_model("gone"), Path("a.dragonnx"))
    before = run.document
    run.editor.files.open(Path("a.dragonnx"))
    run.received(TaskFailed)
    assert run.notice.startswith("Could not open a.dragonnx: ")
    assert run.document is before
    run.editor.latent.next_seed()
    run.settled()


def test_undo_brings_back_which_file_a_document_belongs_to(run):
    run.place((5, 5))
    save(run, "a.dragonnx")
    first = run.document
    run.place((6, 6))
    save_document(first.without_pairs(), Path("b.dragonnx"))
    open_file(run, "b.dragonnx")
    assert run.state.title == "b.dragonnx"
    run.place((9, 9))
    assert run.state.title == "b.dragonnx *"
    for title in ("b.dragonnx", "a.dragonnx *", "a.dragonnx"):
        run.editor.history.undo()
        assert run.state.title == title
    run.editor.history.redo()
    save(run)
    assert len(open_document(Path("a.dragonnx")).complete_pairs) == 1
    assert open_document(Path("b.dragonnx")).pairs == (), "the other file is as it was"


def test_what_is_dragged_further_after_saving_keeps_the_file(dragged):
    run = dragged
    save(run, "a.dragonnx")
    count = run.count(DragEnded)
    run.editor.drag.step()
    run.received(DragEnded, count + 1)
    assert run.document.result.steps == 4
    assert run.state.title == "a.dragonnx *"
