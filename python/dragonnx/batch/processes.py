"""The worker processes: started, given jobs, replaced, ended. None outlives who started it."""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from dragonnx.batch.job import Job
from dragonnx.batch.memory import Room
from dragonnx.batch.messages import POOLS, Gone, Setup
from dragonnx.batch.team import Team, Worker
from dragonnx.errors import StateError
from dragonnx.types import DeviceName

_ALLOCATIONS = {"MALLOC_MMAP_THRESHOLD_": str(2**20)}
"""From so many bytes on, memory that a worker gives back goes to the system at once: the GNU library
otherwise keeps as much as was ever given back in one piece, up to 64 MB, in each worker."""


class ProcessWorker(Worker):
    """A worker process, seen from the one that started it.

    Args:
        setup: What it is told first.
        inbox: Where its answers go, each with the worker; the last is `Gone`.

    Raises:
        StateError: The system starts no process.
    """

    def __init__(self, setup: Setup, inbox: queue.SimpleQueue[Any]) -> None:
        super().__init__(setup.device)
        self._process = _started(setup.threads)
        self._inbox = inbox
        threading.Thread(target=self._listen, daemon=True).start()
        self._send(setup)

    def end(self) -> None:
        """End the process, whatever it does, and wait for that."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None  # noqa: S101 both are pipes
            with contextlib.suppress(OSError):  # what was not sent yet
                stream.close()

    @property
    def was_killed(self) -> bool:
        """See `Worker.was_killed`."""
        return self._process.wait() < 0

    def how_it_ended(self) -> str:
        """See `Worker.how_it_ended`."""
        code = self._process.wait()
        if code >= 0:
            return f"ended with exit code {code}"
        with contextlib.suppress(ValueError):
            return f"was ended by {signal.Signals(-code).name}"
        return f"was ended by signal {-code}"

    def _start(self, job: Job) -> None:
        self._send(job)

    def _send(self, message: Any) -> None:
        stream = self._process.stdin
        assert stream is not None  # noqa: S101 it is a pipe
        with contextlib.suppress(OSError):  # where it has ended, `Gone` follows
            pickle.dump(message, stream)
            stream.flush()

    def _listen(self) -> None:
        stream = self._process.stdout
        assert stream is not None  # noqa: S101 it is a pipe
        # A process that is killed while it answers leaves half an answer, or half a length of one.
        with contextlib.suppress(EOFError, OSError, ValueError, pickle.UnpicklingError):
            while True:
                self._inbox.put((self, pickle.load(stream)))  # noqa: S301 our own process wrote it
        self._inbox.put((self, Gone()))


class ProcessTeam(Team[ProcessWorker]):
    """Worker processes of this machine.

    Args:
        setup: What each is told first, but for its device.
        devices: Of each.
        inbox: Where their answers go.
        room: How many of them the machine has memory for.
    """

    most_tries = 2

    def __init__(
        self,
        setup: Setup,
        devices: tuple[DeviceName, ...],
        inbox: queue.SimpleQueue[Any],
        room: Room,
    ) -> None:
        super().__init__()
        self._setup = setup
        self._threads = setup.threads * len(devices)
        """Of all of them."""
        self._room = room
        self._free = list(reversed(devices))
        self._inbox = inbox

    def expect(self, job: Job) -> None:
        """See `Team.expect`."""
        self._room.expect(job)

    def available(self) -> Iterator[ProcessWorker]:
        """Workers without a job; at last new ones, as long as there may be more."""
        yield from [worker for worker in self.workers if worker.waiting is None]
        while self._free and len(self.workers) < self._room.workers:
            device = self._free.pop()
            threads = self._threads // self._room.workers
            worker = ProcessWorker(
                replace(self._setup, device=device, threads=threads), self._inbox
            )
            self.workers.append(worker)
            yield worker

    def remove(self, worker: ProcessWorker) -> None:
        """See `Team.remove`."""
        worker.end()
        self.workers.remove(worker)
        self._free.append(worker.device)

    def end(self) -> None:
        """See `Team.end`."""
        for worker in self.workers:
            worker.end()
        self.workers.clear()


def _started(threads: int) -> subprocess.Popen[bytes]:
    """A new worker process, which Ctrl+C does not reach."""
    if not sys.executable:
        raise StateError(
            "there is no Python interpreter to start workers with: sys.executable is empty"
        )
    paths = [path or str(Path.cwd()) for path in sys.path]
    env = (
        os.environ
        | {"PYTHONPATH": os.pathsep.join(paths)}
        | dict.fromkeys(POOLS, str(threads))
        | _ALLOCATIONS
    )
    with _interrupts_held():
        try:
            return subprocess.Popen(
                [sys.executable, "-m", "dragonnx.batch.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=env,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
        except OSError as error:
            raise StateError(
                f"no worker process can be started ({error.strerror or error})"
            ) from error


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl+C back in the block. A process that is started in it holds it back from its start."""
    if sys.platform == "win32":  # there a process group of its own does it
        yield
    else:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
