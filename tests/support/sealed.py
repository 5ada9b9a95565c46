"""A process with an empty home and without a network: what it leaves there, and that it asks for none.

Opening a socket ends it, in native code too.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from support.program import HANGS
from support.system_calls import AVAILABLE, SOCKETS, forbid

CAN_SEAL = AVAILABLE


def seal() -> None:
    """End this process, or a child of it, as soon as it opens a socket that leads out of the machine."""
    forbid(SOCKETS)


class SealedHome:
    """Empty folders for a program that is run for the first time.

    Args:
        root: Where they are made.
    """

    def __init__(self, root: Path) -> None:
        self.home, self.temporary, self.work = (root / name for name in ("home", "tmp", "work"))
        for folder in (self.home, self.temporary, self.work):
            folder.mkdir()

    def environment(self, **more: str) -> dict[str, str]:
        """What little the program gets; nothing of what tells ONNX Runtime that it is tested."""
        return {
            "HOME": str(self.home),
            "TMPDIR": str(self.temporary),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(
                [str(Path(__file__).parents[1]), *filter(None, sys.path)]
            ),
            "TERM": "xterm-256color",
        } | more

    def command(self, code: str) -> list[str]:
        """Arguments that run Python code in a sealed process."""
        return [sys.executable, "-c", f"from support.sealed import seal\nseal()\n{code}"]

    def run(self, code: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run Python code in a sealed process, with `more` in its environment."""
        return subprocess.run(
            self.command(code), env=self.environment(**more), cwd=self.work, capture_output=True,
            text=True, timeout=HANGS, check=False,
        )  # fmt: skip

    def foreign_files(self) -> list[str]:
        """What was written into the home and beside it that is not dragonnx's own."""
        found = [*self.home.rglob("*"), *self.temporary.rglob("*")]
        return [str(path) for path in found if path.is_file() and "dragonnx" not in path.parts]
