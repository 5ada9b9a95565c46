"""Python as it is where Unix's own modules and functions are missing, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from support.program import HANGS

WITHOUT_UNIX = """
import os, sys, warnings
import platformdirs  # goes by the name of the system, which is still that of this one
for name in ("fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty"):
    sys.modules[name] = None
for name in (
    "chown", "fchmod", "fork", "getpgid", "getuid", "geteuid", "killpg", "mkfifo", "pread",
    "pwrite", "setpriority", "getpriority", "setsid", "sysconf", "umask",
):
    if hasattr(os, name):
        delattr(os, name)
# Elsewhere the encoding of files that is taken for granted is another one.
warnings.filterwarnings("error", category=EncodingWarning, module="dragonnx")
"""
"""Hides what a system may lack, from every module, and makes text without an encoding an error."""


def without_unix(code: str, *arguments: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run Python code where nothing of Unix is to be had.

    Args:
        code: What to run; its arguments are in `sys.argv[1:]`.
        arguments: Those.
        env: More of the environment. There is no TERM unless it is given.
    """
    surroundings = {k: v for k, v in os.environ.items() if k not in ("TERM", "COLORTERM")}
    return subprocess.run(
        [sys.executable, "-X", "warn_default_encoding", "-c", WITHOUT_UNIX + code,
         *map(str, arguments)],
        capture_output=True, text=True, encoding="utf-8", timeout=HANGS, check=False,
        env=surroundings | env,
    )  # fmt: skip


def dragonnx_without_unix(*arguments: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the program there."""
    return without_unix("from dragonnx.cli.program import main; main()", *arguments, **env)
