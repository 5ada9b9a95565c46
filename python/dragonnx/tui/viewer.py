"""Opening a file with the program that the system has for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from dragonnx.errors import InputError


def open_outside(path: Path) -> None:
    """Open a file in the system's own viewer; returns at once.

    Raises:
        InputError: The system has none, or there is no screen for it.
    """
    if sys.platform == "win32":
        os.startfile(path)  # noqa: S606 what Windows has for it
    else:
        _start_viewer(path)


def _start_viewer(path: Path) -> None:
    name = "open" if sys.platform == "darwin" else "xdg-open"
    program = shutil.which(name)
    has_screen = sys.platform == "darwin" or any(
        os.environ.get(each) for each in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    if program is None or not has_screen:
        raise InputError(f"{path} is written, but no viewer can be opened from this terminal")
    # A session of its own, so that a key for the editor's terminal does not end it.
    subprocess.Popen(  # noqa: S603 no shell
        [program, os.fspath(path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
