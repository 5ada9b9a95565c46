"""Runs a command-line program so that every error is one sentence and an exit code."""

from __future__ import annotations

import contextlib
import logging
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from types import FrameType
from typing import NoReturn

import typer

from dragonnx.cli.streams import finish_output, prepare_streams, show_text
from dragonnx.errors import DragonnxError
from dragonnx.text import visible

BAD_INPUT = 2
UNREAD = 1
INTERRUPTED = 130
_ENDING_SIGNALS = ("SIGTERM", "SIGHUP")
"""What a system, a batch queue or a closed terminal sends to have a program end."""


def run(app: typer.Typer, program: str) -> NoReturn:
    """Run a typer app and exit.

    The exit code is 0; 2 for what a user can mend; 130 when interrupted, or told to end by its
    system, which is taken as an interrupt; 1 where who read its output left, as `head` does.
    """
    prepare_streams()
    handler = logging.StreamHandler()
    handler.setFormatter(_Visible(f"{program}: %(message)s"))
    logging.basicConfig(handlers=[handler])
    # Of a picture whose metadata is broken: no line for users, least of all across the editor.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    interrupt_on_signals()
    code, complaint = _outcome(app, program)
    try:
        finish_output()
    except BrokenPipeError:
        code = code or UNREAD
    except DragonnxError as error:
        code, complaint = code or BAD_INPUT, complaint or str(error)
    if complaint:
        say(f"{program}: {complaint}")
    sys.exit(code)


def interrupt_on_signals() -> None:
    """Have what ends a program interrupt it: results are kept, nothing half written is left."""
    _handle(signal.SIG_DFL, _interrupt)


def end_on_signals() -> None:
    """Take `interrupt_on_signals` back."""
    _handle(_interrupt, signal.SIG_DFL)


@contextlib.contextmanager
def stopping(stop: Callable[[], object]) -> Iterator[None]:
    """The first interrupt in the block stops what runs there, wherever it is; the next one ends it.

    Args:
        stop: Has it stop soon, with what it reached; may be called at any moment.
    """
    if threading.current_thread() is not threading.main_thread():  # which alone gets signals
        yield
        return
    before = {
        number: handler
        for number in _numbers("SIGINT", *_ENDING_SIGNALS)
        if (handler := signal.getsignal(number)) in (_interrupt, signal.default_int_handler)
    }

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def first(_number: int, _frame: FrameType | None) -> None:
        restore()
        stop()

    for number in before:
        signal.signal(number, first)
    try:
        yield
    finally:
        restore()


def say(line: str) -> None:
    """A line for the user at the terminal; standard output is left to results."""
    print(visible(line), file=sys.stderr)  # noqa: T201


def show(line: str) -> None:
    """A line of a result, on standard output."""
    show_text(visible(line))


def has_terminal() -> bool:
    """Whether a user sits at a terminal: nothing is redirected."""
    streams = (sys.stdin, sys.stdout, sys.stderr)  # None in a program without a console
    return all(stream is not None and stream.isatty() for stream in streams)


def _outcome(app: typer.Typer, program: str) -> tuple[int, str]:
    """The exit code, and what to say of it."""
    try:
        code = app(standalone_mode=False, prog_name=program)
    except SystemExit as end:  # as Typer does where nobody reads what it prints
        code = end.code
    except DragonnxError as error:
        return BAD_INPUT, str(error)
    except typer.TyperException as error:
        # Typer breaks some of its sentences into lines.
        return BAD_INPUT, " ".join(error.format_message().split())
    except (typer.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except MemoryError:
        return BAD_INPUT, "there is not enough memory for this"
    except OSError as error:  # of a machine, where nothing nearer to it knew better
        about = f"{error.filename} cannot be used" if error.filename else "the system refuses it"
        return BAD_INPUT, f"{about} ({error.strerror or error})"
    if code == INTERRUPTED:
        return INTERRUPTED, "interrupted"
    return code if isinstance(code, int) else 0, ""


def _handle(present: object, handler: Callable[[int, FrameType | None], object] | int) -> None:
    for number in _numbers(*_ENDING_SIGNALS):
        if signal.getsignal(number) == present:
            signal.signal(number, handler)


def _numbers(*names: str) -> list[signal.Signals]:
    """Signals by name; Windows has not all of them."""
    return [getattr(signal, name) for name in names if hasattr(signal, name)]


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


class _Visible(logging.Formatter):
    """Formats what is logged as `say` prints it."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 logging's name
        return visible(super().formatMessage(record))
