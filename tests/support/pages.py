"""The shell blocks of README and docs, and how a test runs them as a user would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from support.program import HANGS

PROJECT = Path(__file__).parents[2]
README = PROJECT / "README.md"
DOCS = PROJECT / "docs"
PAGES = (
    README,
    *(PROJECT / name for name in ("CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")),
    *(PROJECT / name / "README.md" for name in ("export", "examples")),
    *sorted(DOCS.glob("*.md")),
)
"""What users read."""


def fenced(page: Path, language: str) -> list[str]:
    """The page's blocks in a language."""
    return re.findall(rf"```{language}\n(.*?)```", page.read_text("utf-8"), re.DOTALL)


def shell_lines(page: Path) -> list[str]:
    """Each line of the page's shell blocks, as a shell joins those that end in a backslash."""
    return "".join(fenced(page, "sh")).replace("\\\n", "").splitlines()


def run_lines(lines: Sequence[str], folder: Path) -> None:
    """Run these lines in a folder, with the programs of this Python's environment; none may fail."""
    environment = os.environ | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "DRAGONNX_STATE": str(folder / "state"),
        "DRAGONNX_MODELS": str(folder / "models"),
    }
    done = subprocess.run(
        ["bash", "-c", "\n".join(["set -euo pipefail", *lines])],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
        timeout=HANGS,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
