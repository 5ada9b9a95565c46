"""Workers on a Ray cluster, an actor each: Ray places them, and tells when one is lost with its process or node."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import dragonnx
from dragonnx.batch.bench import Bench
from dragonnx.batch.job import Job
from dragonnx.batch.messages import POOLS, Answer, Done, Gone, Ready, Setup, Stuck
from dragonnx.batch.parcel import Packer, Parcel, unpacked
from dragonnx.batch.results import JobResult
from dragonnx.batch.team import Team, Worker
from dragonnx.errors import DeviceError, DragonnxError, InputError, StateError
from dragonnx.log import logger
from dragonnx.reading.values import number
from dragonnx.types import DeviceName

_MOST_GPUS = 64.0


class RayBench:
    """What runs in an actor.

    Args:
        setup: What a worker is told.
        version: Of the dragonnx that gives the jobs.
    """

    def __init__(self, setup: Setup, version: str) -> None:
        self._setup = setup
        self._version = version
        self._bench: Bench | None = None

    def start(self) -> None:
        """Be ready for jobs. Apart from making the actor, so that errors come as they are.

        Raises:
            DeviceError: The node has no such device.
            StateError: The node has another dragonnx.
        """
        if dragonnx.__version__ != self._version:
            raise StateError(
                f"a node of the Ray cluster has dragonnx {dragonnx.__version__}, and the batch is run by "
                f"{self._version}: install the same on all"
            )
        self._bench = Bench(self._setup)

    def do(self, parcel: Parcel) -> JobResult:
        """Do a job."""
        assert self._bench is not None  # noqa: S101 `start` comes first
        with unpacked(parcel, _ray().get) as job:
            return self._bench.do(job)


class RayWorker(Worker):
    """An actor, seen from the one that started it.

    Args:
        team: Whose it is.
        device: Where it computes.
    """

    def __init__(self, team: RayTeam, device: DeviceName) -> None:
        super().__init__(device)
        self._why = "was lost"
        self._inbox = team.inbox
        self._packer = team.packer
        self.actor = team.actor(replace(team.setup, device=device))
        self._await_start()

    @property
    def was_killed(self) -> bool:
        """See `Worker.was_killed`: an actor does not end by itself."""
        return True

    def how_it_ended(self) -> str:
        """See `Worker.how_it_ended`."""
        return self._why

    def _start(self, job: Job) -> None:
        self.actor.do.remote(self._packer.parcel(job)).future().add_done_callback(self._done)

    def _await_start(self) -> None:
        self.actor.start.remote().future().add_done_callback(self._started)

    def _started(self, told: Future[None]) -> None:
        error = told.exception()
        self._inbox.put((self, Ready() if error is None else self._answer_to(error)))

    def _done(self, told: Future[JobResult]) -> None:
        error = told.exception()
        self._inbox.put((self, Done(told.result()) if error is None else self._answer_to(error)))

    def _answer_to(self, error: BaseException) -> Answer:
        cause = getattr(error, "cause", error)
        if isinstance(cause, DragonnxError):
            return Stuck(cause)
        if isinstance(error, _ray().exceptions.RayActorError):
            self._why = f"was lost ({str(error).splitlines()[0]})"
            return Gone()
        return Stuck(StateError(f"a worker of the Ray cluster failed: {error}"))


class RayTeam(Team[RayWorker]):
    """Actors of a Ray cluster.

    Args:
        setup: What each is told first, but for its device.
        devices: Of each.
        inbox: Where their answers go, each with the worker.
        gpus: The share of a card that each has.
    """

    most_tries = 4  # nodes of a cluster go more often than processes of one machine

    def __init__(
        self,
        setup: Setup,
        devices: tuple[DeviceName, ...],
        inbox: queue.SimpleQueue[Any],
        gpus: float,
    ) -> None:
        super().__init__()
        self.setup = setup
        self.inbox = inbox
        self.packer = Packer(_ray().put)
        variables = dict.fromkeys(POOLS, str(setup.threads))
        # A restarted actor keeps its call, and may wait for a free node all the while: what it was at
        # goes to one that runs, and another actor takes its place when there is room for it.
        self._kind = _ray().remote(RayBench).options(
            num_cpus=setup.threads, num_gpus=gpus, max_restarts=0, max_task_retries=0,
            runtime_env={"env_vars": variables},
        )  # fmt: skip
        self.workers = [RayWorker(self, device) for device in devices]

    def actor(self, setup: Setup) -> Any:
        """A new actor."""
        return self._kind.remote(setup, dragonnx.__version__)

    def expect(self, job: Job) -> None:
        """See `Team.expect`: Ray places workers before any job is known."""

    def available(self) -> Iterator[RayWorker]:
        """Workers that run and have no job."""
        yield from [each for each in self.workers if each.is_ready and each.waiting is None]

    def remove(self, worker: RayWorker) -> None:
        """Let go of one that was lost; another takes its place, where and when Ray finds one."""
        self.workers.remove(worker)
        _ray().kill(worker.actor)
        self.workers.append(RayWorker(self, worker.device))

    def end(self) -> None:
        """See `Team.end`."""
        for worker in self.workers:
            _ray().kill(worker.actor)
        self.workers.clear()


def checked_share(device: DeviceName, gpus: float | None) -> float:
    """The share of a card for each worker; 0 on the CPU.

    Raises:
        InputError: It does not go with the device.
    """
    wanted = str(device).partition(":")[0]
    if wanted not in ("auto", "cpu", "cuda") or ":" in str(device):
        raise InputError(
            f"on a Ray cluster device must be auto, cpu or cuda, since Ray chooses the card, not {device}"
        )
    if gpus is None:
        return float(wanted == "cuda")
    share = number(gpus, "gpus", 0, _MOST_GPUS)
    if (share > 0) != (wanted == "cuda") and wanted != "auto":
        raise InputError(
            f"gpus must {'be more than 0 on cuda' if not share else 'be 0 on the CPU'}"
        )
    return share


def connect(address: str | None) -> Callable[[], object]:
    """Connect to a cluster, where the program has not; what ends that.

    Args:
        address: Of the cluster, as `ray.init` takes it; None for what RAY_ADDRESS says, or this
            machine.

    Raises:
        StateError: Ray is not installed, or there is no cluster.
    """
    ray = _ray()
    if ray.is_initialized():
        return lambda: None
    try:
        ray.init(address=address, include_dashboard=False if address is None else None,
                 log_to_driver=False, logging_level="ERROR")  # fmt: skip
    except (OSError, RuntimeError, ValueError) as error:
        raise StateError(
            f"no Ray cluster can be reached at {address or 'this machine'} ({error})"
        ) from error
    return ray.shutdown  # type: ignore[no-any-return]


def room(gpus: float) -> int:
    """How many workers the cluster has room for at the moment.

    Raises:
        DeviceError: It has no room for any.
    """
    found = _ray().cluster_resources()
    count = int(found.get("CPU", 0))
    if gpus:
        count = min(count, int(found.get("GPU", 0) / gpus))
    if not count:
        raise DeviceError(
            f"no node of the Ray cluster has room for a worker of 1 CPU and {gpus:g} GPU: it has "
            f"{found.get('CPU', 0):g} CPU and {found.get('GPU', 0):g} GPU"
        )
    logger.info("the Ray cluster has room for %d workers", count)
    return count


def _ray() -> Any:
    """The module.

    Raises:
        InputError: It is not installed.
    """
    try:
        import ray
    except ImportError as error:
        raise InputError("Ray is not installed: pip install 'dragonnx[ray]'") from error
    return ray
