"""Textual's driver for Linux and macOS, for terminals that read slowly, fall silent, or are gone.

Textual's own waits in the middle of a frame for a terminal that does not read, and goes on reading a
terminal that is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import selectors
import signal
import sys
import threading
import time
from codecs import getincrementaldecoder
from types import FrameType
from typing import TYPE_CHECKING, Any, Protocol

from textual import events
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from dragonnx.tui.line import Line

assert sys.platform != "win32", "elsewhere the editor leaves Textual's own"  # noqa: S101

if TYPE_CHECKING:
    from textual.app import App

_LOOK_EVERY = 0.1
"""Seconds between two looks at whether an escape was a key, or the beginning of one."""
_ENDING_SIGNALS = (signal.SIGTERM, signal.SIGHUP)
LONGEST_END = 10.0
"""Seconds from a signal until the process ends, whatever it does."""
_FAREWELL = 1.0
"""Seconds that a terminal gets to take the last of what is written to it."""


class Ended(Protocol):
    """What an application offers this driver."""

    def end_outside(self, code: int) -> None:
        """End, and keep the work: the user did not end it."""

    def line_has_room(self) -> None:
        """Paint what is owed."""


class _Watch:
    """Ends the process `LONGEST_END` seconds after a signal, whatever its main thread is at.

    Python runs handlers between two instructions of the main thread, so never while that hangs in a
    call. The byte that each signal leaves in a pipe comes all the same.

    Args:
        numbers: Of the signals that end it.
    """

    def __init__(self, numbers: frozenset[int]) -> None:
        self._numbers = numbers
        self._signals, self._from_signals = os.pipe()
        os.set_blocking(self._from_signals, False)
        self._before = signal.set_wakeup_fd(self._from_signals, warn_on_full_buffer=False)
        threading.Thread(target=self._wait, name="signals", daemon=True).start()

    def close(self) -> None:
        """Watch no further; what a signal began goes on."""
        signal.set_wakeup_fd(self._before)
        os.close(self._from_signals)

    def _wait(self) -> None:
        while content := os.read(self._signals, 64):
            for number in content:
                if number in self._numbers:
                    time.sleep(LONGEST_END)
                    os._exit(128 + number)
        os.close(self._signals)


class TerminalDriver(LinuxDriver):
    """Reads keys and writes frames. An application of it is an `Ended`."""

    def __init__(self, app: App[Any], **settings: Any) -> None:
        super().__init__(app, **settings)
        self._line: Line | None = None
        self._before: dict[signal.Signals, Any] = {}
        self._watch: _Watch | None = None

    @property
    def line(self) -> Line | None:
        """The way to the terminal; None while it is left to other programs."""
        return self._line

    def start_application_mode(self) -> None:
        """Take the terminal over."""
        self._line = Line(
            self._file.fileno(),  # type: ignore[union-attr]
            lambda: self._call("line_has_room"),
            lambda: self._call("end_outside", 128 + signal.SIGHUP),
        )
        for number in _ENDING_SIGNALS:
            # Who ignores one (nohup) keeps doing so.
            if signal.getsignal(number) == signal.SIG_DFL:
                self._before[number] = signal.signal(number, self._end_on_signal)
        self._watch = _Watch(frozenset(self._before))
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def write(self, data: str) -> None:
        """Write, without waiting for the terminal."""
        if self._line is not None:
            self._line.write(data)

    def close(self) -> None:
        """Leave the terminal to others."""
        if self._line is not None:
            self._line.close(_FAREWELL)
            self._line = None
        super().close()
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    def process_message(self, message: Message) -> None:
        """Hand on what was typed; an answer to the line's question is the line's."""
        if isinstance(message, events.CursorPosition):
            if self._line is not None:
                self._line.answered()
            return
        super().process_message(message)

    def run_input_thread(self) -> None:
        """Read until the driver is stopped, or until there is no terminal any more."""
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")("replace").decode
        # Polling a terminal does not work on macOS.
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(_LOOK_EVERY):
                    content = self._read()
                    if not content:
                        self._gone()
                        return
                    for event in parser.feed(decode(content)):
                        self.process_message(event)
                for event in parser.tick():
                    self.process_message(event)

    def _read(self) -> bytes:
        """What was typed; nothing where the terminal is gone, or the input at its end."""
        try:
            return os.read(self.fileno, 4096)
        except OSError:
            return b""

    def _gone(self) -> None:
        if self._line is not None:
            self._line.abandon()
        self._call("end_outside", 128 + signal.SIGHUP)

    def _end_on_signal(self, number: int, _frame: FrameType | None) -> None:
        """Have the application end; where it hangs, the watch ends it: the work is autosaved."""
        self._call("end_outside", 128 + number)

    def _call(self, method: str, *arguments: object) -> None:
        """Call the application on its own thread; it may be gone by then."""
        loop: asyncio.AbstractEventLoop = self._loop
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(getattr(self._app, method), *arguments)
