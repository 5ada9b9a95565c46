"""`dragonnx --install-completion` in the shells that are here, as a user starts them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.program import HANGS

ASKED = {
    "bash": "source ~/.bashrc; COMP_WORDS=(dragonnx d); COMP_CWORD=1; "
    "_dragonnx_completion dragonnx; printf '%s\\n' \"${COMPREPLY[@]}\"",
    "fish": "complete -C 'dragonnx d' | cut -f1",
    # The lines that it offers, from which zsh makes its menu.
    "zsh": "source ~/.zshrc; print -r -- $_comps[dragonnx]; "
    "_TYPER_COMPLETE_ARGS='dragonnx d' _DRAGONNX_COMPLETE=complete_zsh dragonnx | grep -o '\"[a-z]*\"' | tr -d '\"'",
}


@pytest.mark.skipif(sys.platform == "win32", reason="its shells are others")
@pytest.mark.parametrize("shell", ASKED)
def test_a_shell_completes_commands(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    program = tmp_path / "bin" / "dragonnx"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m dragonnx.cli "$@"\n')
    program.chmod(0o755)
    environment = {k: v for k, v in os.environ.items() if k not in ("XDG_CONFIG_HOME", "ZDOTDIR")}
    environment |= {"HOME": str(tmp_path), "PATH": f"{program.parent}:{os.environ['PATH']}"}

    def run(command: str) -> str:
        done = subprocess.run(
            [shell, "-c", command], env=environment, capture_output=True, text=True, timeout=HANGS, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert f"{shell} completion installed in" in run("dragonnx --install-completion && true")
    offered = run(ASKED[shell]).split()
    assert {"drag", "doctor"} <= {*offered}, offered
    assert "invert" not in offered
