"""Runs a command-line program so that every error is one sentence and an exit code."""

from __future__ import annotations

import io
import logging
import sys
import warnings
from typing import NoReturn

import typer

from dragonnx.errors import DragonnxError
from dragonnx.text import visible

BAD_INPUT = 2
INTERRUPTED = 130


def run(app: typer.Typer, program: str) -> NoReturn:
    """Run a typer app and exit: 0, 2 for what a user can mend, 130 when interrupted."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A path may hold what the encoding of a pipe or an old console lacks.
        sys.stdout.reconfigure(errors="backslashreplace")
    handler = logging.StreamHandler()
    handler.setFormatter(_Visible(f"{program}: %(message)s"))
    logging.basicConfig(handlers=[handler])
    # Of a picture whose metadata is broken: no line for users, least of all across the editor.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    try:
        code = app(standalone_mode=False, prog_name=program)
    except DragonnxError as error:
        say(f"{program}: {error}")
        sys.exit(BAD_INPUT)
    except typer.TyperException as error:
        # Typer breaks some of its sentences into lines.
        say(f"{program}: {' '.join(error.format_message().split())}")
        sys.exit(BAD_INPUT)
    except (typer.Abort, KeyboardInterrupt):
        say(f"{program}: interrupted")
        sys.exit(INTERRUPTED)
    sys.exit(code if isinstance(code, int) else 0)


class _Visible(logging.Formatter):
    """Formats what is logged as `say` prints it."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 logging's name
        return visible(super().formatMessage(record))


def say(line: str) -> None:
    """A line for the user at the terminal; standard output is left to results."""
    print(visible(line), file=sys.stderr)  # noqa: T201


def show(line: str) -> None:
    """A line of a result, on standard output."""
    print(visible(line))  # noqa: T201


def has_terminal() -> bool:
    """Whether a user sits at a terminal: nothing is redirected."""
    streams = (sys.stdin, sys.stdout, sys.stderr)  # None in a program without a console
    return all(stream is not None and stream.isatty() for stream in streams)
