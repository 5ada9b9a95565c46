"""Standard input and outputs that are closed, full, or no longer read."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import Any, TextIO, cast

from dragonnx.errors import InputError


def prepare_streams() -> None:
    """Have nothing of ours fail, or be damaged, because nobody listens on standard error."""
    for number in range(3):
        _occupy(number)
    stream = sys.stderr if sys.stderr is not None else open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    sys.stderr = cast(TextIO, _Told(stream))
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A path may hold what the encoding of a pipe or an old console lacks.
        sys.stdout.reconfigure(errors="backslashreplace")


def show_text(text: str) -> None:
    """A line of a result, on standard output.

    Raises:
        InputError: Standard output is closed, or takes no more.
        BrokenPipeError: Who read it left.
    """
    if sys.stdout is None:
        raise InputError("standard output is closed: there is no place to show anything")
    try:
        print(text)  # noqa: T201
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _unwritable(error) from error


def finish_output() -> None:
    """Have everything on standard output that was shown.

    Raises:
        InputError: It takes no more.
        BrokenPipeError: Who read it left.
    """
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except OSError as error:
        # What still waits in it would fail once more as the interpreter ends.
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.close(nowhere)
        if isinstance(error, BrokenPipeError):
            raise
        raise _unwritable(error) from error


class _Told:
    """Standard error: what nobody hears must not end the work of minutes that it is about.

    Args:
        stream: It.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, where that is possible."""
        with contextlib.suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush, where that is possible."""
        with contextlib.suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _occupy(number: int) -> None:
    """Have a descriptor in use: else the next file to be opened gets it, and the lines for users."""
    try:
        os.fstat(number)
    except OSError:
        with contextlib.suppress(OSError):
            os.open(os.devnull, os.O_RDWR)


def _unwritable(error: OSError) -> InputError:
    return InputError(f"standard output cannot be written ({error.strerror or error})")
