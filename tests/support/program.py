"""The program as users run it: a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def dragonnx(
    *arguments: str | Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the program in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "dragonnx.cli", *map(str, arguments)],
        capture_output=True, text=True, timeout=120, check=False, env=os.environ | (env or {}),
    )  # fmt: skip
