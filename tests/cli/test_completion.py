"""`dragonnx --install-completion` in the shells that are here, as a user starts them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from support.completion import SHELLS, offered


@pytest.mark.skipif(sys.platform == "win32", reason="its shells are others")
@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_completes_commands(shell: str, tmp_path: Path) -> None:
    start = "from dragonnx.cli import main; main()"
    words = offered(shell, "dragonnx", start, "d", tmp_path)
    assert {"drag", "doctor"} <= words, words
    assert "invert" not in words
