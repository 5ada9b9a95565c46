"""The program as users run it: its words and its exit code, within the tests' process or in its own.

Within the tests' process a run costs what it computes; a process of its own costs half a second of
imports more, and four where torch is among them. What only a process shows (its imports, signals, the
end of its streams) is tested in one.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from unittest.mock import patch

HANGS = 900
"""Seconds after which a process is taken to hang: far more than a busy machine needs for any."""


def dragonnx(
    *arguments: object, env: dict[str, str] | None = None, main: str = "dragonnx.cli"
) -> subprocess.CompletedProcess[str]:
    """Run the program here; what it does not turn into a sentence is raised.

    Args:
        arguments: Its arguments.
        env: More of the environment.
        main: The module whose `main` is the program.
    """
    run = import_module(main).main
    command = [main, *map(str, arguments)]
    with _as_if_alone(command, env or {}) as (stdout, stderr):
        try:
            run()
        except SystemExit as end:
            code = end.code
    told = [stream.getvalue().decode() for stream in (stdout, stderr)]
    return subprocess.CompletedProcess(command, code, *told)


def dragonnx_export(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the exporter's program here."""
    return dragonnx(*arguments, main="dragonnx_export.cli")


def dragonnx_process(
    *arguments: str | Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the program in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "dragonnx.cli", *map(str, arguments)],
        capture_output=True, text=True, timeout=HANGS, check=False, env=os.environ | (env or {}),
    )  # fmt: skip


def in_turn(commands: Sequence[Sequence[str | Path]], main: str = "dragonnx.cli") -> str:
    """Python code that runs commands one after another, and prints how each ends.

    Args:
        commands: The arguments of each.
        main: The module whose `main` runs a command.
    """
    return (
        f"import sys\nfrom {main} import main\n"
        f"for arguments in {[[str(argument) for argument in each] for each in commands]!r}:\n"
        "    sys.argv[1:] = arguments\n"
        "    try:\n"
        "        main()\n"
        "    except SystemExit as end:\n"
        "        print('ended', end.code)\n"
    )


def ends(stdout: str) -> list[int]:
    """The exit codes of commands that were run `in_turn`."""
    return [int(line.split()[1]) for line in stdout.splitlines() if line.startswith("ended ")]


@contextlib.contextmanager
def _as_if_alone(
    command: list[str], env: dict[str, str]
) -> Iterator[tuple[io.BytesIO, io.BytesIO]]:
    """What a program finds in a process of its own and may change there; its two outputs."""
    outputs = io.BytesIO(), io.BytesIO()
    stdout, stderr = (io.TextIOWrapper(each, "utf-8", write_through=True) for each in outputs)
    names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    signals = {getattr(signal, name): signal.getsignal(getattr(signal, name)) for name in names}
    with (
        patch.dict(os.environ, env),
        patch.object(sys, "argv", command),
        patch.object(sys, "stdout", stdout),
        patch.object(sys, "stderr", stderr),
        patch.object(logging.root, "handlers", []),
        warnings.catch_warnings(),
    ):
        try:
            yield outputs
        finally:
            stdout.detach()  # else the bytes would go with it
            stderr.detach()
            for number, handler in signals.items():
                signal.signal(number, handler)
