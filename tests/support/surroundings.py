"""What tests of the editor share: the bundled model, opened once, and folders of each test's own."""

from __future__ import annotations

import functools

import pytest

from dragonnx.model.generator import Generator

_open = Generator.open


@functools.cache
def _bundled() -> Generator:
    return _open("critters", "cpu", 1)


@pytest.fixture
def critters() -> Generator:
    """The bundled model; its graphs load once for all tests."""
    return _bundled()


@pytest.fixture(autouse=True)
def opened_once(monkeypatch):
    """Editors that open the bundled model share it."""

    def open_model(model, *arguments, **named):
        return _bundled() if model == "critters" else _open(model, *arguments, **named)

    monkeypatch.setattr(Generator, "open", open_model)


@pytest.fixture(autouse=True)
def surroundings(monkeypatch, tmp_path):
    """A truecolor terminal, folders of the test's own, and a worker that gives way to nobody.

    On a machine that is busy with other things a nice worker would wait for all of them.
    """
    monkeypatch.setattr("dragonnx.editor.pace.NICENESS", 0)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name in ("state", "config", "models"):
        monkeypatch.setenv(f"DRAGONNX_{name.upper()}", str(tmp_path / name))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


@pytest.fixture
def labels(monkeypatch):
    """Gives the bundled model three classes; returns the labels that pictures were made with."""
    from dataclasses import replace

    from dragonnx.model.labels import fitting_label, label_row

    asked = []

    def mapped(self, *arguments, label=None, **settings):
        asked.append(label)
        assert label_row(fitting_label(label, "classes", 3), 3).shape == (1, 3)
        return made(self, *arguments, **settings)  # the bundled model has no classes

    made, manifest = Generator.w_plus, Generator.manifest.fget
    monkeypatch.setattr(Generator, "w_plus", mapped)
    monkeypatch.setattr(
        Generator, "manifest", property(lambda self: replace(manifest(self), label_dim=3))
    )
    return asked
