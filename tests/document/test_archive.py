"""The file of a document."""

from __future__ import annotations

import json
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from support.documents import documents, same

from dragonnx.document import Document, LatentStart, open_document, save_document
from dragonnx.document.latents import current_w_plus
from dragonnx.errors import InputError

V0 = Path(__file__).parents[1] / "fixtures" / "v0"


@settings(deadline=None)
@given(documents())
def test_any_document_is_what_is_opened_again(document):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.dragonnx"
        save_document(document, path)
        assert same(open_document(path), document)


def test_a_file_of_0_1_0_opens(generator):
    document = open_document(V0 / "dragged.dragonnx")
    assert document.start.seed == 40
    assert (document.config.max_steps, document.config.step_size) == (2, 0.02)
    assert document.config.r1 is None, "what was not chosen is not chosen now"
    assert not document.mask[:40].any()
    assert document.mask[40:].all()
    assert document.pairs[0].target == (126, 151)
    assert document.result.steps == 2
    assert current_w_plus(document, generator).shape == (1, 14, 192)


def test_save_and_open_give_the_same_document(tmp_path, dragged):
    path = tmp_path / "a.dragonnx"
    save_document(dragged, path, preview=b"png")
    opened = open_document(path)
    assert same(dragged, opened)
    assert zipfile.ZipFile(path).read("preview.png") == b"png"


def test_a_latent_start_is_kept(tmp_path, generator):
    w_plus = generator.w_plus(5)
    path = tmp_path / "a.dragonnx"
    save_document(Document(start=LatentStart(w_plus=w_plus, name="mine.npz")), path)
    opened = open_document(path)
    np.testing.assert_array_equal(opened.start.w_plus, w_plus)
    assert opened.start.describe() == "mine.npz"
    np.testing.assert_array_equal(current_w_plus(opened, generator), w_plus)


def with_facts(path, change) -> None:
    facts = json.loads(zipfile.ZipFile(path).read("document.json"))
    change(facts)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("document.json", json.dumps(facts))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.update(format_version=99), "format version 99"),
        (lambda f: f.pop("pairs"), "pairs is missing"),
        (lambda f: f.update(pairs=[{"handle": None}]), r"pairs\[0\]\.handle must be a point"),
        (lambda f: f["config"].update(step_size=-1), "config.step_size must be a positive number"),
        (lambda f: f.update(result={"seconds": 1}), "latents.npy is missing"),
    ],
)
def test_a_damaged_document_is_one_sentence(tmp_path, change, message):
    path = tmp_path / "a.dragonnx"
    save_document(Document(), path)
    with_facts(path, change)
    with pytest.raises(InputError, match=message):
        open_document(path)


def test_what_is_no_document_is_refused(tmp_path):
    path = tmp_path / "a.dragonnx"
    with pytest.raises(InputError, match="No such file"):
        open_document(path)
    path.write_bytes(b"\x89PNG nothing")
    with pytest.raises(InputError, match="no dragonnx document"):
        open_document(path)
    with pytest.raises(InputError, match="cannot be written"):
        save_document(Document(), tmp_path / "none" / "a.dragonnx")


def test_what_would_not_open_again_is_not_written(tmp_path, dragged, monkeypatch):
    monkeypatch.setattr("dragonnx.document.archive.LARGEST", 10_000)
    with pytest.raises(InputError, match="are opened again: drag in parts of fewer steps"):
        save_document(dragged, tmp_path / "a.dragonnx")
    assert list(tmp_path.iterdir()) == []
