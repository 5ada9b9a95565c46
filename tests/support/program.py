"""The program as users run it: a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
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
