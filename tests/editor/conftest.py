"""The bundled model, a model that costs nothing, and folders of each test's own."""

from __future__ import annotations

import pytest
from editor.sliding_model import SlidingModel
from support.editor_runs import EditorRun
from support.surroundings import critters, labels, opened_once, surroundings

from dragonnx.document import Document, LatentStart
from dragonnx.drag.config import DragConfig
from dragonnx.model.generator import Generator

__all__ = ["critters", "labels", "opened_once", "surroundings"]


@pytest.fixture
def models(monkeypatch, opened_once):
    """Models that cost nothing, by name; a test may add some. Other names are opened as ever."""
    known = {"sliding": SlidingModel()}
    opened = Generator.open

    def open_model(model, *arguments, **named):
        return known[model] if model in known else opened(model, *arguments, **named)

    monkeypatch.setattr(Generator, "open", open_model)
    return known


@pytest.fixture
def model(models):
    """The model of `document`."""
    return models["sliding"]


@pytest.fixture
def document(model):
    return Document(
        model=model.manifest.name,
        start=LatentStart(seed=40),
        config=DragConfig(preset="paper"),  # steps of a known size
    )


@pytest.fixture
def run(document):
    """An editor of that document, which shows its first picture."""
    with EditorRun(document) as run:
        run.settled()
        yield run
