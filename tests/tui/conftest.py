"""Coroutines as tests, the bundled model, and a terminal and folders of each test's own."""

from __future__ import annotations

import asyncio
import inspect

import pytest
from support.surroundings import critters, labels, opened_once, surroundings

__all__ = ["critters", "labels", "opened_once", "surroundings"]


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """Run coroutine tests."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True
