"""A process with an empty home and without a network: what it leaves there, and that it asks for none.

Opening a socket ends it: the kernel does that (seccomp), so that native code is watched too, without
rights or programs that a machine may lack.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import subprocess
import sys
from pathlib import Path

from support.program import HANGS

SOCKET = {"x86_64": 41, "aarch64": 198}.get(platform.machine())
"""Number of the system call that opens a socket; None where this file does not know it."""
CAN_SEAL = sys.platform == "linux" and SOCKET is not None
_FAMILY_OF_PIPES = 1
"""AF_UNIX: within the machine; event loops wake themselves by one."""
_SET_SECCOMP, _FILTER, _SET_NO_NEW_PRIVILEGES = 22, 2, 38
_LOAD, _IS_EQUAL, _RETURN = 0x20, 0x15, 0x06
_FIRST_ARGUMENT = 16
_ALLOW, _END_PROCESS = 0x7FFF0000, 0x80000000


def seal() -> None:
    """End this process, or a child of it, as soon as it opens a socket that leads out of the machine."""
    steps = [
        (_LOAD, 0, 0, 0),  # the call's number
        (_IS_EQUAL, 0, 2, SOCKET),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),  # the family; both kinds of processor are little-endian
        (_IS_EQUAL, 0, 1, _FAMILY_OF_PIPES),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _END_PROCESS),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = struct.pack("HP", len(steps), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    for call in ((_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0), (_SET_SECCOMP, _FILTER, program, 0, 0)):
        if libc.prctl(*call) != 0:
            raise OSError(ctypes.get_errno(), "the process cannot be sealed")


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
