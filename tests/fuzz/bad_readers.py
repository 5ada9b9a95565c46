"""Readers that do what none may, so that tests see that each of it is told. Run as the worker's module."""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

from fuzz.worker import Reader, main

from dragonnx.errors import InputError

VALID = b"valid"


def _good(path: Path) -> None:
    if path.read_bytes() != VALID:
        raise InputError(f"{path} is not valid")


def _bad(do: Callable[[Path], object]) -> Reader:
    """A reader that opens what is valid, and does something to all else, whatever it raises."""

    def read(path: Path) -> str | None:
        if path.read_bytes() == VALID:
            return None
        shown = do(path)
        return shown if isinstance(shown, str) else None

    return read


def _raise(error: BaseException) -> None:
    raise error


def _quietly(do: Callable[[], object]) -> Reader:
    """Does something and hides what comes of it."""

    def hide(path: Path) -> None:
        with contextlib.suppress(BaseException):
            do()

    return _bad(hide)


def _native_program() -> None:
    ctypes.CDLL(None).system(b"true")


def _busy(path: Path) -> None:
    end = time.process_time() + 1.5
    while time.process_time() < end:
        pass


BAD: MappingProxyType[str, Reader] = MappingProxyType(
    {
        "good": _good,
        "another error": _bad(lambda path: _raise(KeyError("x"))),
        "exit": _bad(lambda path: sys.exit(3)),
        "no message": _bad(lambda path: _raise(InputError(""))),
        "long message": _bad(lambda path: _raise(InputError("no " * 1000))),
        "terminal command": _bad(lambda path: "a title: \x1b]0;x\x07"),
        "memory": _bad(lambda path: len(b"x" * (600 << 20))),
        "reserved memory": _bad(lambda path: len(bytes(8 << 30))),
        "time": _bad(_busy),
        "wait": _bad(lambda path: time.sleep(600)),
        "crash": _bad(lambda path: ctypes.string_at(0)),
        "abort": _bad(lambda path: os.abort()),
        "program": _quietly(lambda: subprocess.run(["true"], check=False)),
        "native program": _quietly(_native_program),
        "fork": _quietly(os.fork),
        "socket": _quietly(lambda: socket.socket(socket.AF_INET)),
        "written": _quietly(lambda: Path("new").write_bytes(b"x")),
        "removed": _quietly(lambda: Path("not-there").unlink()),
        "folder": _quietly(lambda: Path("new").mkdir()),
    }
)

if __name__ == "__main__":
    main(BAD)
