"""Runs cases of a reader in a worker, and tells what was wrong: the findings."""

from __future__ import annotations

import contextlib
import io
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import IO, Any, Self

from fuzz.cases import Case, remove
from fuzz.corpus import MakeCase, cases_of
from PIL import Image
from support.system_calls import SIGNAL

SECONDS = 10.0
"""Of the worker's own time for one input, so that a busy machine is no finding."""
HANGS = 60.0
"""Seconds after which an input is taken to hang: one that waits takes no time of the worker's."""
MEMORY = 512 << 20
"""Bytes for one input, beyond what the worker held before it and what the pixels of a picture take."""
BYTES_A_PIXEL = 8
MOST_PIXELS = 200_000_000
"""Of a picture that is read; one of more is refused, and takes no memory for them."""


@dataclass(frozen=True)
class Finding:
    """An input that was not answered as it should have been.

    Attributes:
        reader: Which reader.
        seed: Of the campaign; with the number it gives the input again.
        number: Of the input.
        fault: What was wrong.
        where: The lines that an error came through, if there was one.
    """

    reader: str
    seed: int
    number: int
    fault: str
    where: str = ""

    def __str__(self) -> str:
        return f"{self.reader} {self.seed} {self.number}: {self.fault} {self.where}".rstrip()


def case_of(reader: str, seed: int, number: int, make: MakeCase | None = None) -> Case:
    """The input of a number."""
    return (make or cases_of(reader))(Random(f"{seed} {reader} {number}"))


class Worker:
    """A process that opens files, started anew whenever a file has ended it. A context manager.

    Args:
        valid: A valid input of each reader, which is opened first: it loads what is loaded once.
        module: What the process runs.
    """

    def __init__(self, valid: Mapping[str, Case], module: str = "fuzz.worker") -> None:
        self._module = module
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="fuzz-")
        self._place = Path(self._folder.name)
        (self._place / "case").mkdir()
        # Appended to, so that nothing but what was written last is in it once it was emptied.
        self._errors: IO[bytes] = (self._place / "errors").open("a+b")
        self.valid = {
            reader: case.lay(self._place / "valid" / reader) for reader, case in valid.items()
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()
        self._errors.close()
        self._folder.cleanup()

    def fault_of(self, reader: str, case: Case) -> tuple[str, str]:
        """What is wrong with how a reader answers, and where it came from; empty for nothing."""
        remove(self._place / "case")
        try:
            path = case.lay(self._place / "case")
        except OSError:  # a name that this file system does not take
            return "", ""
        answer = self.answer(reader, path)
        fault = answer["fault"]
        if not fault and answer["seconds"] > SECONDS:
            fault = f"took {answer['seconds']:.0f} s"
        if not fault and answer["memory"] > MEMORY:
            beyond = answer["memory"] - MEMORY - _pixels(path) * BYTES_A_PIXEL
            fault = f"took {answer['memory'] >> 20} MiB" if beyond > 0 else ""
        if fault:
            # What it holds by now would count for the next one.
            self._stop()
        return fault, answer["message"] if answer["outcome"] == "raised" else ""

    def answer(self, reader: str, path: Path) -> dict[str, Any]:
        """What became of opening a path: see `fuzz.worker`."""
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        self._errors.truncate(0)
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps([reader, os.fspath(path)]).encode() + b"\n")
            process.stdin.flush()
        if not select.select([process.stdout], [], [], HANGS)[0]:
            fault = f"hung for {HANGS:.0f} s"
        elif line := process.stdout.readline():
            answer: dict[str, Any] = json.loads(line)
            return answer
        else:
            fault = _ending(process.wait())
        self._stop()
        self._errors.seek(0)
        told = [
            t for t in self._errors.read().decode("utf-8", "replace").split("\n") if "File" in t
        ]
        where = " < ".join(line.strip() for line in told[:6])
        return {"outcome": "raised", "message": where, "fault": fault, "seconds": 0, "memory": 0}

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._stop()
        self._process = subprocess.Popen(
            [sys.executable, "-m", self._module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd=self._place,
            start_new_session=True,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                "PYTHONDONTWRITEBYTECODE": "1",
                "HOME": str(self._place / "home"),
            },
        )
        assert self._process.stdin is not None
        self._process.stdin.write(
            json.dumps({r: os.fspath(p) for r, p in self.valid.items()}).encode() + b"\n"
        )
        self._process.stdin.flush()
        return self._process

    def _stop(self) -> None:
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()
        self._process = None


def findings(worker: Worker, reader: str, seed: int, numbers: Sequence[int]) -> Iterator[Finding]:
    """The findings among the inputs of these numbers."""
    make = cases_of(reader)
    for number in numbers:
        fault, where = worker.fault_of(reader, case_of(reader, seed, number, make))
        if fault:
            yield Finding(reader, seed, number, fault, where)


def _pixels(path: Path) -> int:
    """How many pixels a picture has; 0 where it is none, or has more than are read."""
    if not path.is_file():
        return 0
    content = io.BytesIO(path.read_bytes())
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(content) as picture:
            pixels = picture.width * picture.height
    except Exception:  # whatever plugins of Pillow raise for a damaged file
        return 0
    return pixels if pixels <= MOST_PIXELS else 0


def _ending(code: int) -> str:
    if code == -SIGNAL:
        return "started a program, opened a socket, or made, moved or removed a file"
    if code < 0:
        return f"ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
