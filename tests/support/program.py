"""The program as users run it: a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HANGS = 900
"""Seconds after which a process is taken to hang: far more than a busy machine needs for any."""


def dragonnx(
    *arguments: str | Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the program in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "dragonnx.cli", *map(str, arguments)],
        capture_output=True, text=True, timeout=HANGS, check=False, env=os.environ | (env or {}),
    )  # fmt: skip


def in_turn(commands: Sequence[Sequence[str | Path]], main: str = "dragonnx.cli") -> str:
    """Python code that runs commands one after another, and prints how each ends.

    Args:
        commands: The arguments of each.
        main: The module whose `main` runs a command.
    """
    return (
        f"import sys\nfrom {main} import main\n"
        f"for arguments in {[[str(argument) for argument in each] for each in commands]!r}:\n"
        "    sys.argv[1:] = arguments\n"
        "    try:\n"
        "        main()\n"
        "    except SystemExit as end:\n"
        "        print('ended', end.code)\n"
    )


def ends(stdout: str) -> list[int]:
    """The exit codes of commands that were run `in_turn`."""
    return [int(line.split()[1]) for line in stdout.splitlines() if line.startswith("ended ")]
