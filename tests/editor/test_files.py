"""Opening, saving and exporting: what touches the disk."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.bundled import NOSE, NOSE_NEAR, NUM_WS, SEED, SIZE, W_DIM, point_option
from support.editor_runs import EditorRun
from support.full_disk import full_disk
from support.program import dragonnx

from dragonnx import open_picture
from dragonnx.document import Document, LatentStart, open_document, save_document
from dragonnx.document.outputs import OUTPUTS
from dragonnx.drag.config import DragConfig
from dragonnx.editor.answers import existing_file, new_file
from dragonnx.editor.events import DocumentSaved, Exported, FileOpened, TaskFailed
from dragonnx.editor.tools import Tool
from dragonnx.errors import InputError
from dragonnx.model.library import find_bundle


@pytest.fixture
def run():
    with EditorRun() as run:
        run.settled()
        yield run


@pytest.fixture
def dragged(run):
    """An editor after a drag of a few steps."""
    run.editor.drag.use_settings(DragConfig(preset="paper", max_steps=3))
    run.place(NOSE, NOSE_NEAR)
    run.drag_to_the_end()
    return run


def save(run, path: str | None = None, **options) -> None:
    count = run.count(DocumentSaved)
    run.editor.files.save(None if path is None else Path(path), **options)
    run.received(DocumentSaved, count + 1)


def export(run, kind: str, path: str, **options) -> None:
    count = run.count(Exported)
    run.editor.files.export(kind, Path(path), **options)
    run.received(Exported, count + 1)


def open_file(run, path: str | Path) -> None:
    count = run.count(FileOpened)
    run.editor.files.open(Path(path))
    run.received(FileOpened, count + 1)
    run.settled()


def test_every_output_of_a_drag(dragged):
    run = dragged
    run.editor.mask.use_tool(Tool.MOVABLE)
    run.editor.pointer.use()
    for output in OUTPUTS:
        path = run.editor.files.suggested_output(output.id)
        assert path.name == f"critters-seed{SEED}{output.tail}{output.suffixes[0]}"
        export(run, output.id, str(path))
        assert run.notice == f"Wrote {path}. V views it."
        assert path.is_file()
        assert run.editor.files.suggested_output(output.id) != path
    stem = f"critters-seed{SEED}"
    with Image.open(f"{stem}.png") as picture:
        assert picture.size == (SIZE, SIZE)
    with Image.open(f"{stem}-pair.png") as pair:
        assert pair.width > 2 * pair.height
    assert json.loads(Path(f"{stem}-report.json").read_text("utf-8"))["outcome"] == "max_steps"
    assert np.load(f"{stem}.npz")["w_plus"].shape == (1, NUM_WS, W_DIM)
    assert open_picture(Path(f"{stem}.png")).result.outcome == "max_steps"


def test_what_there_is_nothing_of_is_not_written(run):
    for kind, what in (("comparison", "nothing was dragged"), ("mask", "no mask")):
        with pytest.raises(InputError, match=what):
            run.editor.files.export(kind, Path("a.png"))


def test_nothing_is_replaced_unless_it_may_be(run):
    for name in ("mine.png", "mine.dragonnx"):
        Path(name).write_text("precious", "utf-8")
    with pytest.raises(InputError, match=r"mine\.png exists"):
        run.editor.files.export("picture", Path("mine.png"))
    with pytest.raises(InputError, match=r"mine\.dragonnx exists"):
        run.editor.files.save(Path("mine.dragonnx"))
    assert Path("mine.png").read_text("utf-8") == "precious"
    export(run, "picture", "mine.png", replace=True)
    assert Path("mine.png").read_bytes().startswith(b"\x89PNG")
    save(run, "mine.dragonnx", replace=True)
    save(run)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("nowhere/a.png", "no folder nowhere"),
        ("a.gif", r"must end in \.png"),
        (".", "is a folder"),
    ],
)
def test_a_path_that_cannot_be_written_is_refused(run, path, reason):
    with pytest.raises(InputError, match=reason):
        run.editor.files.export("picture", Path(path))
    with pytest.raises(InputError, match=reason):
        new_file(path, (".png",))


def test_typed_names(tmp_path):
    assert new_file(" cat ", (".png", ".gif")) == Path("cat.png")
    assert new_file("cat.GIF", (".png", ".gif")) == Path("cat.GIF")
    for read in (existing_file, lambda text: new_file(text, (".png",))):
        with pytest.raises(InputError, match="Type a file's name"):
            read(" ")
    with pytest.raises(InputError, match=r"no file missing\.png"):
        existing_file("missing.png")
    with pytest.raises(InputError, match="is a folder: name a file in it"):
        existing_file(str(tmp_path))


def test_what_cannot_be_written_is_said(run):
    with full_disk():
        run.editor.files.export("picture", Path("a.png"))
        run.received(TaskFailed)
        assert run.notice.startswith("Could not write a.png: ")
        assert "No space left" in run.notice
        run.place(NOSE)
        run.editor.files.save(Path("a.dragonnx"))
        run.received(TaskFailed, 2)
        assert run.notice.startswith("Could not save the document: ")
        assert "It is still here: save it again" in run.notice
        assert not run.state.is_saved
    assert list(Path().iterdir()) == []
    assert run.state.path is None
    run.editor.latent.next_seed()
    run.settled()


def test_a_model_that_gives_no_picture_keeps_no_document_unsaved(dragged, monkeypatch):
    def broken(*_arguments, **_settings):
        raise RuntimeError("the graph is broken")

    monkeypatch.setattr("dragonnx.model.generator.Generator.image", broken)
    dragged.editor.files.save(Path("a.dragonnx"))
    dragged.received(DocumentSaved)
    assert open_document(Path("a.dragonnx")).pairs == dragged.document.pairs


def test_save_and_open_a_document(dragged):
    run = dragged
    with pytest.raises(InputError, match="no file yet"):
        run.editor.files.save()
    assert run.editor.files.suggested_document() == Path(f"critters-seed{SEED}.dragonnx")
    save(run, "cat.dragonnx")
    assert run.notice == "Saved cat.dragonnx."
    assert run.state.title == "cat.dragonnx"
    run.editor.history.undo()
    assert run.state.title == "cat.dragonnx *"
    run.editor.history.redo()
    save(run)
    assert run.state.is_saved
    drawn = run.state.picture
    assert "preview.png" in zipfile.ZipFile("cat.dragonnx").namelist()
    save(run, "other.dragonnx")
    assert run.editor.files.suggested_stem() == "other"
    with EditorRun() as again:
        again.settled()
        open_file(again, "cat.dragonnx")
        assert np.array_equal(again.state.picture, drawn)
        assert again.document.pairs[0].origin == NOSE
        assert again.state.path == Path("cat.dragonnx")
        assert again.state.is_saved
        again.editor.history.undo()
        assert again.document.result is None


def test_a_picture_a_latent_a_mask_and_nonsense_are_opened(dragged):
    run = dragged
    drawn = run.state.picture
    for name in ("a.png", "a.jpg", "a.webp"):
        export(run, "picture", name)
    export(run, "latent", "a.npz")
    run.editor.mask.use_tool(Tool.MOVABLE)
    run.editor.pointer.use()
    export(run, "mask", "mask.png")
    mask = run.document.mask
    run.editor.latent.next_seed()
    run.settled()
    for name, taken in (
        ("a.png", ""), ("a.jpg", ""), ("a.webp", ""), ("a.npz", " as a latent"), ("mask.png", " as the mask"),
    ):  # fmt: skip
        open_file(run, name)
        assert np.array_equal(run.state.picture, drawn)
        assert run.notice == f"Opened {name}{taken}; u brings back what was here."
        assert not run.state.is_saved
        assert run.state.path is None
    assert np.array_equal(run.document.mask, mask)
    assert run.document.start.name == "a.npz"
    Path("notes.txt").write_text("no picture", "utf-8")
    run.editor.files.open(Path("notes.txt"))
    run.received(TaskFailed)
    assert "Could not open notes.txt: notes.txt cannot be opened" in run.notice


def test_a_mask_is_put_on_the_document_as_it_is_by_then(run):
    drawn = np.zeros((SIZE, SIZE), np.uint8)
    drawn[30:90, 20:70] = 255
    Image.fromarray(drawn).save("mask.png")
    run.editor.files.open(Path("mask.png"))
    run.place(NOSE)
    run.received(FileOpened)
    assert run.document.pairs[0].handle == NOSE
    assert np.array_equal(run.document.mask, drawn == 255)


def test_a_file_opened_while_dragging_pauses_it_first(run):
    save_document(Document(start=LatentStart(SEED + 5)), Path("other.dragonnx"))
    run.place(NOSE, NOSE_NEAR)
    run.editor.drag.start_or_pause()
    open_file(run, "other.dragonnx")
    assert run.document.start.seed == SEED + 5
    run.editor.history.undo()
    assert run.document.pairs[0].target == NOSE_NEAR


def test_a_document_that_does_not_fit_its_model_is_not_opened(run):
    unfit = Document(start=LatentStart(w_plus=np.zeros((1, 3, 4), np.float32), name="a"))
    small = Document().with_mask(np.eye(8, dtype=bool))
    before = run.document
    for count, document in enumerate((unfit, small), 1):
        save_document(document, Path("unfit.dragonnx"))
        run.editor.files.open(Path("unfit.dragonnx"))
        run.received(TaskFailed, count)
        assert run.notice.startswith("Could not open unfit.dragonnx: ")
        assert run.document is before


def test_a_picture_of_the_command_line_opens_with_everything(run, tmp_path):
    model = tmp_path / "my model"
    shutil.copytree(find_bundle("critters"), model)
    mask = Image.new("L", (SIZE, SIZE), 255)
    mask.paste(0, (0, 0, SIZE, SIZE // 4))
    mask.save("mask.png")
    done = dragonnx(
        "drag", "--model", model, "--seed", str(SEED), "--point", point_option(NOSE, NOSE_NEAR),
        "--mask", "mask.png", "--step-size", "0.02", "--max-steps", "4", "--device", "cpu", "--threads", "1",
        "-o", "a.png",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    open_file(run, "a.png")
    document = run.document
    assert document.model == str(model.resolve())
    assert document.start.seed == SEED
    assert np.array_equal(document.mask, np.asarray(mask) == 255)
    assert document.config == DragConfig(step_size=0.02, max_steps=4)
    (pair,) = document.pairs
    assert (pair.origin, pair.target) == (NOSE, NOSE_NEAR)
    assert document.result.steps == 4
    assert document.result.outcome == "max_steps"
    assert document.result.masked
    assert pair.handle == tuple(document.result.trace[-1][0])
    with Image.open("a.png") as picture:
        assert np.array_equal(run.state.picture, np.asarray(picture))
    run.editor.drag.reset()
    assert run.document.pairs[0].handle == NOSE


def test_a_video_of_a_drag(dragged, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("importlib.util.find_spec", lambda _name: None)
        with pytest.raises(InputError, match=r"pip install 'dragonnx\[video\]'"):
            dragged.editor.files.export("animation", Path("drag.mp4"))
    pytest.importorskip("av")
    export(dragged, "animation", "drag.mp4")
    assert b"ftyp" in Path("drag.mp4").read_bytes()[:16]
    assert list(Path().iterdir()) == [Path("drag.mp4")]


def test_what_waits_is_written_though_the_editor_is_closed():
    with EditorRun() as run:
        run.settled()
        run.editor.files.save(Path("late.dragonnx"))
        run.editor.files.export("picture", Path("late.png"))
    assert open_document(Path("late.dragonnx")).start.seed == SEED
    assert open_picture(Path("late.png")).start.seed == SEED
