"""A shell in which a program's completion is installed, and what it offers then."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.program import HANGS

SHELLS = ("bash", "fish", "zsh")
# Of zsh the lines that it offers, from which it makes its menu.
_ASKED = {
    "bash": "source ~/.bashrc; COMP_WORDS=({program} {word}); COMP_CWORD=1; "
    "_{name}_completion {program}; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
    "fish": "complete -C '{program} {word}' | cut -f1",
    "zsh": "source ~/.zshrc; print -r -- $_comps[{program}]; _TYPER_COMPLETE_ARGS='{program} {word}' "
    "_{upper}_COMPLETE=complete_zsh {program} | grep -o '\"[a-z]*\"' | tr -d '\"'",
}


def offered(shell: str, program: str, start: str, word: str, folder: Path) -> set[str]:
    """The words that a shell offers for the first one of a command, after `--install-completion`.

    Args:
        shell: One of `SHELLS`; the test is skipped where it is not installed.
        program: The command's name.
        start: Python that runs it.
        word: What of the word was typed.
        folder: Becomes the user's home.
    """
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    executable = folder / "bin" / program
    executable.parent.mkdir()
    executable.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c \'{start}\' "$@"\n')
    executable.chmod(0o755)
    environment = {k: v for k, v in os.environ.items() if k not in ("XDG_CONFIG_HOME", "ZDOTDIR")}
    environment |= {"HOME": str(folder), "PATH": f"{executable.parent}:{os.environ['PATH']}"}

    def run(command: str) -> str:
        done = subprocess.run(
            [shell, "-c", command], env=environment, capture_output=True, text=True, timeout=HANGS, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert f"{shell} completion installed in" in run(f"{program} --install-completion && true")
    name = program.replace("-", "_")
    asked = _ASKED[shell].format(program=program, word=word, name=name, upper=name.upper())
    return {*run(asked).split()}
