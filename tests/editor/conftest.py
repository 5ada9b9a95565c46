"""Folders of each test's own, and models that cost nothing."""

from __future__ import annotations

import pytest
from editor.sliding_model import SlidingModel
from support.editor_runs import EditorRun

from dragonnx.document import Document, LatentStart
from dragonnx.model.generator import Generator


@pytest.fixture(autouse=True)
def surroundings(monkeypatch, tmp_path):
    """Folders of the test's own; it runs in an empty one."""
    monkeypatch.setenv("DRAGONNX_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("DRAGONNX_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("DRAGONNX_MODELS", str(tmp_path / "models"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


@pytest.fixture(scope="session")
def critters():
    """The bundled model; its graphs load once for all tests."""
    return Generator.open("critters", "cpu", threads=1)


@pytest.fixture
def models(monkeypatch, request):
    """Models by name, to which a test may add; other names are opened as ever."""
    known = {"sliding": SlidingModel()}
    opened = Generator.open

    def open_model(model, *arguments):
        if model == "critters":
            return request.getfixturevalue("critters")
        return known[model] if model in known else opened(model, *arguments)

    monkeypatch.setattr(Generator, "open", open_model)
    return known


@pytest.fixture
def model(models):
    """The model that documents of these tests have."""
    return models["sliding"]


@pytest.fixture
def document():
    """The document that editors of these tests begin with."""
    return Document(model="sliding", start=LatentStart(seed=40))


@pytest.fixture
def run(model, document):
    """An editor that shows its first picture."""
    with EditorRun(document) as run:
        run.settled()
        yield run
