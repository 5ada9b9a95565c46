"""Coroutines as tests, and a terminal and folders of each test's own."""

from __future__ import annotations

import asyncio
import inspect

import pytest

from dragonnx.model.generator import Generator


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """Run coroutine tests."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture(scope="session")
def critters():
    """The bundled model; its graphs load once for all tests."""
    return Generator.open("critters", "cpu")


@pytest.fixture(autouse=True)
def opened_once(monkeypatch, critters):
    """Editors that open the bundled model share it."""
    opened = Generator.open

    def open_model(model, *arguments):
        return critters if model == "critters" else opened(model, *arguments)

    monkeypatch.setattr(Generator, "open", open_model)


@pytest.fixture(autouse=True)
def surroundings(monkeypatch, tmp_path):
    """A truecolor terminal, and folders of the test's own."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("DRAGONNX_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("DRAGONNX_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("DRAGONNX_MODELS", str(tmp_path / "models"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
