"""Killed at any moment: nothing that was acknowledged is lost, nothing is left over.

DRAGONNX_KILLS says how many moments there are, DRAGONNX_SEED from which on; `make kill` takes 300.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from support.forked_program import forked_program
from support.killing import SCENARIOS, Killer

MOMENTS = int(os.environ.get("DRAGONNX_KILLS", "10"))
FIRST = int(os.environ.get("DRAGONNX_SEED", "0"))

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@pytest.fixture(scope="module")
def killer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killer]:
    folder = tmp_path_factory.mktemp("killing")
    with forked_program(folder) as program:
        yield Killer(program, folder)


@pytest.mark.parametrize("seed", range(FIRST, FIRST + MOMENTS))
def test_a_kill_loses_nothing_and_leaves_nothing(killer: Killer, seed: int) -> None:
    names = list(SCENARIOS)
    print(killer.kill(names[seed % len(names)], seed))  # noqa: T201
