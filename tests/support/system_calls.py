"""Takes system calls from a process and its threads for good: what they may not ask ends the process.

The kernel's filter (seccomp) also sees what libraries do behind Python's back, a signal ends the process,
so that no `except` hides it, and it takes neither rights nor programs that a machine may lack.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import signal
import socket
import struct
import sys
from collections.abc import Collection

AVAILABLE = sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64")
SIGNAL = int(getattr(signal, "SIGSYS", 0))
"""What ends a process that asks what it may not."""

PROGRAMS = frozenset({"clone", "clone3", "fork", "vfork", "execve", "execveat"})
"""Starting one; threads are fine."""
SOCKETS = frozenset({"socket"})
"""That lead out of the machine: event loops, and looking up a user's name, take one within it."""
FILES = frozenset(
    {
        "open", "creat", "openat", "openat2", "mkdir", "mkdirat", "rmdir", "unlink", "unlinkat", "rename",
        "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat",
    }
)  # fmt: skip
"""Making, moving and removing them. Opening one that is there is fine."""

_NUMBERS = {
    "x86_64": {
        "open": 2, "socket": 41, "clone": 56, "fork": 57, "vfork": 58, "execve": 59, "rename": 82, "mkdir": 83,
        "rmdir": 84, "creat": 85, "link": 86, "unlink": 87, "symlink": 88, "openat": 257, "mkdirat": 258,
        "unlinkat": 263, "renameat": 264, "linkat": 265, "symlinkat": 266, "renameat2": 316, "seccomp": 317,
        "execveat": 322, "clone3": 435, "openat2": 437,
    },
    "aarch64": {
        "mkdirat": 34, "unlinkat": 35, "symlinkat": 36, "linkat": 37, "renameat": 38, "openat": 56, "socket": 198,
        "clone": 220, "execve": 221, "renameat2": 276, "seccomp": 277, "execveat": 281, "clone3": 435,
        "openat2": 437,
    },
}  # fmt: skip
"""The kernel's numbers of its calls."""
_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _TRAP, _REFUSE = 0x7FFF0000, 0x00030000, 0x00050000
_CALL, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_CLONE_THREAD, _O_CREAT = 0x10000, os.O_CREAT
_NO_NEW_PRIVILEGES, _SET_FILTER, _ALL_THREADS = 38, 1, 1


def forbid(calls: Collection[str]) -> None:
    """Take calls from this process, all threads that it has and all that will come of it.

    Args:
        calls: Names, as of `PROGRAMS`; those that this machine has not are passed over.

    Raises:
        OSError: The kernel takes no filter.
    """
    _install(_program(platform.machine(), calls))


def _program(machine: str, calls: Collection[str]) -> bytes:
    numbers = {name: number for name, number in _NUMBERS[machine].items() if name in calls}
    refused = _REFUSE | errno.ENOSYS
    program = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, _ARCHITECTURES[machine]),
        (_RETURN, 0, 0, _TRAP),
        (_LOAD, 0, 0, _CALL),
    ]
    for name, number in numbers.items():
        rule = [(_RETURN, 0, 0, _TRAP)]
        if name == "clone":  # threads are fine
            rule = [*_argument(0), (_ANY_BIT, 1, 0, _CLONE_THREAD), *rule, (_RETURN, 0, 0, _ALLOW)]
        elif name in (
            "clone3",
            "openat2",
        ):  # what it asks lies in memory; libraries know older ones
            rule = [(_RETURN, 0, 0, refused)]
        elif name == "socket":  # by its family
            rule = [*_argument(0), (_EQUAL, 1, 0, socket.AF_UNIX), *rule, (_RETURN, 0, 0, _ALLOW)]
        elif name in ("open", "openat"):
            flags = _argument(1 if name == "open" else 2)
            rule = [*flags, (_ANY_BIT, 0, 1, _O_CREAT), *rule, (_RETURN, 0, 0, _ALLOW)]
        program += [(_EQUAL, 0, len(rule), number), *rule]
    program.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in program)


def _argument(index: int) -> list[tuple[int, int, int, int]]:
    return [(_LOAD, 0, 0, _ARGUMENTS + 8 * index)]


def _install(program: bytes) -> None:
    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))

    library = ctypes.CDLL(None, use_errno=True)
    kept = ctypes.create_string_buffer(program, len(program))
    asked = Program(len(program) // 8, ctypes.cast(kept, ctypes.c_void_p))
    number = _NUMBERS[platform.machine()]["seccomp"]
    if library.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or library.syscall(
        number, _SET_FILTER, _ALL_THREADS, ctypes.byref(asked)
    ):
        raise OSError(ctypes.get_errno(), "the kernel takes no filter")
