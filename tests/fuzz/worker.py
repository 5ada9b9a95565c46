"""The process in which files are opened: one after the other, until one of them ends it.

Each line of its standard input names a reader and a path; each is answered by a line of JSON.
"""

from __future__ import annotations

import faulthandler
import gc
import json
import os
import signal
import sys
import time
import unicodedata
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from fuzz.confinement import confine
from support.system_calls import SIGNAL

from dragonnx.errors import DragonnxError

RESERVED = 2 << 30
"""Bytes of address space beyond the start; what asks for more has not looked at a size."""
Reader: TypeAlias = "Callable[[Path], str | None]"
"""Opens a path; gives nothing, or the text that it shows to a user. Raises `DragonnxError` alone."""

LONGEST = 700
"""Characters of a message, its path not counted."""
LONGEST_LINE = 2000
"""Likewise of what a command shows, its paths counted."""
_HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Unicode's categories of what commands a terminal, or is not seen."""


def main(readers: Mapping[str, Reader], writers: Collection[str] = ()) -> None:
    """Answer lines until there are no more; the first one has a valid path for each reader.

    Args:
        readers: All that there are.
        writers: Those that may make and remove files where they read.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends it
    # What readers print must not come between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    faulthandler.enable()
    faulthandler.register(SIGNAL, chain=True)
    valid = json.loads(sys.stdin.readline())
    for reader, path in valid.items():
        readers[reader](Path(path))  # loads what is loaded once
    gc.freeze()  # what is loaded stays; collecting after each input then takes no time
    peak = _Peak()
    noticed = confine(RESERVED, files=not valid.keys().isdisjoint(writers))
    for line in sys.stdin:
        reader, path = json.loads(line)
        noticed.clear()
        answer = _read(readers[reader], Path(path), peak)
        if noticed:
            answer["fault"] = f"asked for {noticed[0]}"
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _read(reader: Reader, path: Path, peak: _Peak) -> dict[str, Any]:
    fault = message = ""
    before = peak.reset()
    started = time.process_time()
    try:
        shown = reader(path)
        outcome = "opened"
        if shown:
            message, fault = shown, _fault_of_text(shown)
    except DragonnxError as error:
        outcome, message = "refused", str(error)
        fault = _fault_of_message(message, path)
    except BaseException as error:
        outcome, message = "raised", _where(error)
        fault = f"{type(error).__name__}: {str(error)[:300]}"
    seconds = time.process_time() - started
    memory = peak.bytes() - before
    gc.collect()
    return {
        "outcome": outcome, "message": message[:1000], "fault": fault, "seconds": seconds,
        "memory": memory,
    }  # fmt: skip


def _fault_of_message(message: str, path: Path) -> str:
    """What is wrong with an error's words; empty where nothing is. Who shows them makes them visible."""
    for known in (os.path.realpath(path), str(path), path.name):
        message = message.replace(known, "")
    if not message.strip():
        return "an empty message"
    return f"a message of {len(message)} characters" if len(message) > LONGEST else ""


def _fault_of_text(shown: str) -> str:
    """What is wrong with lines that a user sees; empty where nothing is."""
    hidden = {c for c in shown if unicodedata.category(c) in _HIDDEN} - {"\n"}
    if hidden:
        return f"a message with {''.join(sorted(hidden))!a}"
    longest = max(map(len, shown.split("\n")))
    return f"a line of {longest} characters" if longest > LONGEST_LINE else ""


def _where(error: BaseException) -> str:
    """The lines that an error came through, the innermost last."""
    places, trace = [], error.__traceback__
    while trace is not None:
        places.append(f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " ".join(places[-8:])


class _Peak:
    """The most memory that this process held since it was asked, in bytes."""

    def __init__(self) -> None:
        self._forget = os.open("/proc/self/clear_refs", os.O_WRONLY)
        self._facts = os.open("/proc/self/status", os.O_RDONLY)

    def reset(self) -> int:
        """Forget what was before; what is held now."""
        os.write(self._forget, b"5")
        return self._fact("VmRSS:")

    def bytes(self) -> int:
        return self._fact("VmHWM:")

    def _fact(self, name: str) -> int:
        text = os.pread(self._facts, 4096, 0).decode()
        return int(text.split(name)[1].split()[0]) * 1024


if __name__ == "__main__":
    from fuzz.readers import READERS, WRITERS

    main(READERS, WRITERS)
