"""A worker process: does one job after another, and ends when whoever started it is gone."""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import sys
import threading
import time
from typing import BinaryIO, NoReturn

from dragonnx.batch.bench import Bench
from dragonnx.batch.job import Job
from dragonnx.batch.messages import Answer, Done, Ready, Setup, Stuck
from dragonnx.errors import DragonnxError

_LOOK = 1.0
"""Seconds between two looks at who started us."""


def main() -> NoReturn:
    """Work until standard input ends, as it does however the process at its other end ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is told to the one who started us
    requests, answers = _own_streams()
    jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
    setup: Setup = pickle.load(requests)  # noqa: S301 whoever started us wrote it
    threading.Thread(target=_listen, args=(requests, jobs), daemon=True).start()
    threading.Thread(target=_watch, args=(setup.starter,), daemon=True).start()
    try:
        _work(setup, jobs, answers)
    except DragonnxError as error:
        _answer(answers, Stuck(error))
    threading.Event().wait()  # for the end of standard input, which ends us
    raise AssertionError


def _work(setup: Setup, jobs: queue.SimpleQueue[Job], answers: BinaryIO) -> NoReturn:
    bench = Bench(setup)
    _answer(answers, Ready())
    while True:
        _answer(answers, Done(bench.do(jobs.get())))


def _listen(requests: BinaryIO, jobs: queue.SimpleQueue[Job]) -> None:
    """Pass jobs on; end this process at once where no more can come, whatever it is doing.

    Files are written whole or not at all, so that nothing needs to be ended well.
    """
    with contextlib.suppress(EOFError, OSError, pickle.UnpicklingError):
        while True:
            jobs.put(pickle.load(requests))  # noqa: S301 whoever started us wrote it
    os._exit(0)


def _watch(starter: int) -> None:
    """End this process where the one that started it is gone.

    Standard input tells that sooner, but not where a fork of the one that is gone holds its other end.
    """
    while os.getppid() == starter:
        time.sleep(_LOOK)
    os._exit(0)


def _answer(answers: BinaryIO, answer: Answer) -> None:
    try:
        pickle.dump(answer, answers)
        answers.flush()
    except OSError:  # nobody is there
        os._exit(0)


def _own_streams() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output for messages alone: what else is printed or read finds nothing."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    sys.stdin = sys.stdout = None  # as in a program without a console
    return requests, answers


if __name__ == "__main__":
    main()
