"""The terminal editor killed at any moment: nothing that a user has read is lost, no dialog loses it.

DRAGONNX_KILLS says how many moments there are, DRAGONNX_SEED from which on; `make kill` takes 300.
"""

from __future__ import annotations

import os
import sys

import pytest

if sys.platform == "win32":
    pytest.skip("this system has no pseudo-terminals", allow_module_level=True)

from support.editor_killing import EditorKiller

MOMENTS = int(os.environ.get("DRAGONNX_KILLS", "5"))
FIRST = int(os.environ.get("DRAGONNX_SEED", "0"))


@pytest.fixture(scope="module")
def killer(tmp_path_factory: pytest.TempPathFactory) -> EditorKiller:
    return EditorKiller(tmp_path_factory.mktemp("killing"))


@pytest.mark.slow
@pytest.mark.parametrize("number", range(FIRST, FIRST + MOMENTS))
def test_a_kill_loses_nothing_that_was_read(killer: EditorKiller, number: int) -> None:
    print(killer.kill(number))  # noqa: T201
