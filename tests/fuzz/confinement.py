"""Takes from a process what no reader needs: programs, sockets, new files, memory without end."""

from __future__ import annotations

import resource
import sys
from pathlib import Path
from typing import Any

from support.system_calls import FILES, PROGRAMS, SOCKETS, forbid

_TOLD_BY_PYTHON = frozenset({"pickle.find_class", "ctypes.dlopen"})


def confine(memory: int, *, files: bool = False) -> list[str]:
    """Take all of it from this process and every thread of it, for good.

    Args:
        memory: Bytes that may be reserved beyond what is reserved now.
        files: Whether files may be made, moved and removed.

    Returns:
        Grows by each thing that Python itself was asked to do and should not have been, where the
        kernel would see nothing of it.
    """
    noticed: list[str] = []

    def notice(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _TOLD_BY_PYTHON:
            noticed.append(f"{event} {arguments[:2]}"[:200])

    sys.addaudithook(notice)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    reserved = pages * resource.getpagesize() + memory
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (reserved, reserved))
    forbid(PROGRAMS | SOCKETS | (frozenset() if files else FILES))
    return noticed
