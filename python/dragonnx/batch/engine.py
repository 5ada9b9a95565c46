"""Many jobs at once: any number of them, in worker processes, each done once."""

from __future__ import annotations

import functools
import os
import queue
import secrets
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from dragonnx.batch.backlog import Backlog, Waiting
from dragonnx.batch.feeder import Exhausted, Feeder, Refused
from dragonnx.batch.formats import Formats
from dragonnx.batch.job import Job
from dragonnx.batch.making import INVERSION_STEPS, JobMaker
from dragonnx.batch.memory import Room, free_memory
from dragonnx.batch.messages import Answer, Done, Gone, Setup, Stuck
from dragonnx.batch.processes import ProcessTeam
from dragonnx.batch.results import JobResult, Results
from dragonnx.batch.shares import MOST_WORKERS, Shares, shares
from dragonnx.batch.store import results_at
from dragonnx.batch.team import Team, Worker
from dragonnx.errors import InputError, StateError
from dragonnx.folders import temporary_folder
from dragonnx.log import logger
from dragonnx.paths import as_path
from dragonnx.reading.values import flag, function, one_of, shown, whole
from dragonnx.runtime import Sharing
from dragonnx.types import DeviceName, Precision

EngineName = Literal["local", "ray"]
_Gather: TypeAlias = Callable[[Setup, queue.SimpleQueue[Any], ExitStack], Team[Any]]
"""Starts workers: what one alone on the CPU would be told, where answers go, what ends with them."""
_FALSE_STARTS = 16
"""Workers in a row that are killed before they are ready: then it is no chance."""
_TICK = 0.5
"""Seconds: Windows lets Ctrl+C through between two waits alone."""


def run(
    jobs: Iterable[Job | Mapping[str, Any]],
    output: str | os.PathLike[str],
    *,
    workers: int | None = None,
    resume: bool = False,
    device: DeviceName = "auto",
    precision: Precision = "auto",
    inversion_steps: int = INVERSION_STEPS,
    format: str = "png",  # noqa: A002 as in a job
    quality: int | None = None,
    video: str | None = None,
    folder: str | os.PathLike[str] = ".",
    engine: EngineName = "local",
    address: str | None = None,
    gpus: float | None = None,
    stop: Callable[[], bool] | None = None,
) -> Generator[JobResult, None, None]:
    """Do jobs in worker processes, and yield what becomes of each as it comes.

    Jobs are taken and done as results are taken, a bounded number ahead, so that there may be any
    number of them. Closing the iterator, or leaving it, ends the workers at once.

    A job that fails does not stop the others. One on which a worker process ends, as where the
    system's memory is full, is done again once.

    Args:
        jobs: What to do: mappings with the fields of `dragonnx batch --schema`, or what `read_jobs`
            gave. They are taken from another thread.
        output: The folder for `ID.png` and `ID.json`; it must be empty, or missing. An address such as
            s3://bucket/run is a place in an object store, which fsspec and what it needs for such an
            address reach.
        workers: How many processes; None for one a core, or one a card, of the machine or cluster, and
            on this machine's CPU for no more than its memory has room for.
        resume: Go on in a folder: what is done there and has not changed is not done again.
        device: "auto", "cpu", "cuda" for all cards, "cuda:1" for the second one.
        precision: Of convolutions and matrix products.
        inversion_steps: For photos whose job does not say.
        format: Of pictures whose job does not say: "png", "jpeg" or "webp".
        quality: Of those that are JPEG or WebP, 1 to 100; None for 95. A WebP of 100 is lossless.
        video: For drags whose job does not say: "gif", "webp", "mp4", or None for no video.
        folder: What paths in jobs are relative to.
        engine: "local" for processes of this machine, "ray" for actors of a Ray cluster, all of whose
            nodes must see `output` under the same path, if it is a folder. All else goes with the jobs.
        address: Of the cluster, as `ray.init` takes it; None for what RAY_ADDRESS says, or for one of
            this machine alone.
        gpus: The share of a card for each worker on the cluster; None for a whole one where `device`
            is a card.
        stop: Asked twice a second; True ends the workers at once. What was done stays.

    Raises:
        InputError: An argument is wrong, or the folder holds results or is in use.
        DeviceError: The device is not to be had.
        OutputError: A result cannot be written, as on a full disk; free some and go on with `resume`.
        StateError: Workers cannot be started.
    """
    if isinstance(jobs, Mapping | str | bytes) or not isinstance(jobs, Iterable):
        raise InputError(f"jobs must be an iterable of jobs, not {shown(jobs)}")
    flag(resume, "resume")
    function(stop, "stop")
    one_of(engine, "engine", get_args(EngineName))
    if engine == "local" and not (address is None and gpus is None):
        raise InputError("address and gpus are for the engine ray")
    maker = JobMaker(as_path(folder), inversion_steps, Formats(format, quality, video))
    results = results_at(output)
    results.check_empty(resume=resume)
    gather: _Gather
    if engine == "ray":
        gather = functools.partial(_gather_actors, workers, device, address, gpus)
    else:
        gather = functools.partial(_gather_processes, shares(workers, device, precision))
    return _results(jobs, maker, results, precision, gather, resume, stop)


def _results(
    jobs: Iterable[Job | Mapping[str, Any]],
    maker: JobMaker,
    results: Results,
    precision: Precision,
    gather: _Gather,
    resume: bool,
    stop: Callable[[], bool] | None,
) -> Generator[JobResult, None, None]:
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    run = secrets.token_hex(8)
    with ExitStack() as stack:
        stack.enter_context(results.claimed(resume=resume))
        setup = Setup(results, run, "cpu", precision, 1, sharing=None, starter=os.getpid())
        team = gather(setup, inbox, stack)
        stack.callback(team.end)
        feeder = Feeder(jobs, maker, inbox)
        stack.callback(feeder.close)
        yield from _Batch(results, run, team, feeder, inbox, resume, stop).results()


def _gather_processes(
    share: Shares, setup: Setup, inbox: queue.SimpleQueue[Any], stack: ExitStack
) -> Team[Any]:
    """Workers of this machine."""
    shared = _shared_folder(stack) if share.share_weights else None
    # The last part of a picture takes up to half of its time, and most of all memory.
    sharing = None if shared is None else Sharing(shared, (len(share.devices) + 1) // 2)
    free = free_memory() if share.may_be_fewer else None
    room = Room(len(share.devices), free, sharing)
    setup = replace(setup, threads=share.threads, sharing=sharing)
    return ProcessTeam(setup, share.devices, inbox, room)


def _gather_actors(
    workers: int | None,
    device: DeviceName,
    address: str | None,
    gpus: float | None,
    setup: Setup,
    inbox: queue.SimpleQueue[Any],
    stack: ExitStack,
) -> Team[Any]:
    """Workers of a Ray cluster."""
    from dragonnx.batch import cluster

    share = cluster.checked_share(device, gpus)
    stack.callback(cluster.connect(address))
    count = cluster.room(share)
    if workers is not None:
        count = whole(workers, "workers", 1, MOST_WORKERS)
    chosen: DeviceName = "cuda" if share else "cpu"
    return cluster.RayTeam(setup, (chosen,) * count, inbox, share)


def _shared_folder(stack: ExitStack) -> Path | None:
    """A folder for weights until the stack is left; None where there is no place for one."""
    try:
        return stack.enter_context(temporary_folder(Path(tempfile.gettempdir())))
    except OSError as error:
        logger.warning(
            "each worker has a copy of the weights, since no temporary folder can be made (%s)",
            error.strerror or error,
        )
        return None


class _Batch:
    """A batch under way."""

    def __init__(
        self,
        results: Results,
        run: str,
        team: Team[Any],
        feeder: Feeder,
        inbox: queue.SimpleQueue[Any],
        resume: bool,
        stop: Callable[[], bool] | None,
    ) -> None:
        self._results = results
        self._run = run
        self._team = team
        self._feeder = feeder
        self._inbox = inbox
        self._resume = resume
        self._stop = stop
        self._backlog = Backlog()
        self._false_starts = 0
        """Workers in a row that ended before they were ready."""
        self._under_way: dict[str, bool] = {}
        """Ids in small letters, since some systems take capitals for the same; whether each replaces
        the result of another job."""

    def results(self) -> Iterator[JobResult]:
        """What becomes of each job, until there is none left, or until told to stop."""
        exhausted: Exhausted | None = None
        while True:
            self._give_out()
            if exhausted and not self._backlog and not self._team.is_at_work:
                break
            event = self._next_event()
            if event is None:
                return
            if isinstance(event, Exhausted):
                exhausted = event
                continue
            found = self._fed(event) if isinstance(event, Job | Refused) else self._heard(*event)
            if found is not None:
                yield found
        if exhausted.error is not None:
            raise exhausted.error

    def _next_event(self) -> Any:
        """What comes next; None where it was told to stop."""
        while not (self._stop is not None and self._stop()):
            try:
                return self._inbox.get(timeout=_TICK)
            except queue.Empty:
                continue
        return None

    def _give_out(self) -> None:
        available = self._team.available()
        while self._backlog and (worker := next(available, None)) is not None:
            waiting = self._backlog.take(worker.loaded)
            assert waiting is not None  # noqa: S101 one waits
            worker.give(waiting)
            if not waiting.tries:
                self._feeder.taken_up()

    def _fed(self, job: Job | Refused) -> JobResult | None:
        """A job that came; what became of it, where that is known."""
        if isinstance(job, Refused):
            self._feeder.taken_up()
            return JobResult(job.id, "failed", job.reason, None, {})
        clashes = job.id.lower() in self._under_way
        earlier = self._results.report(job.id)
        if clashes or (earlier is not None and earlier.get("run") == self._run):
            self._feeder.taken_up()
            reason = f"another job of this batch has the id {job.id}, or one that differs in capitals alone"
            return JobResult(job.id, "failed", reason, None, {})
        if self._resume and (found := self._results.earlier(job)) is not None:
            self._feeder.taken_up()
            return found
        is_changed = earlier is not None and earlier.get("key") != job.key
        self._under_way[job.id.lower()] = is_changed
        self._team.expect(job)
        self._backlog.add(Waiting(job))
        return None

    def _heard(self, worker: Worker, answer: Answer) -> JobResult | None:
        """What a worker told; what became of its job, where that is known."""
        waiting = worker.waiting
        worker.heard(answer)
        if isinstance(answer, Stuck):
            raise answer.error
        if isinstance(answer, Done):
            return self._ended(answer.result)
        if not isinstance(answer, Gone):
            return None
        how = worker.how_it_ended()
        self._team.remove(worker)
        self._false_starts = 0 if worker.is_ready else self._false_starts + 1
        if self._false_starts and (not worker.was_killed or self._false_starts >= _FALSE_STARTS):
            raise StateError(
                f"a worker process {how} before it was ready: what it printed may say why"
            )
        logger.warning("a worker process %s; another takes its place", how)
        if waiting is None:
            return None
        waiting.tries += 1
        if waiting.tries < self._team.most_tries:
            self._backlog.add(waiting)
            return None
        others = "another one" if waiting.tries == 2 else f"{waiting.tries - 1} others"
        reason = (
            f"its worker process {how}, and so did {others} before it: where the system's memory was "
            "full, take fewer workers"
        )
        return self._ended(self._results.save_failure(waiting.job, reason, self._run, 0.0))

    def _ended(self, result: JobResult) -> JobResult:
        """What became of a job that was under way."""
        return replace(result, was_changed=self._under_way.pop(result.id.lower()))
