"""How many workers the memory of this machine has room for, by what their jobs take.

What they take is estimated from the bundle, with the figures of `benchmarks/batch_throughput.py --memory`
at 512 px: of the published size, which takes more for a pixel than smaller models do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dragonnx.batch.job import Job
from dragonnx.log import logger
from dragonnx.reading.regular_file import MEBIBYTE
from dragonnx.runtime import Sharing

_PROCESS = 100 * MEBIBYTE
"""Of a worker with its libraries."""
_LAYOUTS = 2
"""Times that weights are there: each graph has those that it needs laid out as its kernels want them."""
_DRAG = 600
"""Bytes for a pixel: what a worker has of its own while it drags or makes pictures."""
_TURN = 1200
"""And in the last part of a picture, which half of the workers compute at a time."""
_INVERSION = 10_000
"""And while it inverts a photo, which keeps what all layers gave."""
_GROUPS = Path("/sys/fs/cgroup")
_OWN_GROUPS = Path("/proc/self/cgroup")
_MACHINE = Path("/proc/meminfo")


@dataclass(frozen=True)
class Need:
    """What workers take in memory, about, in bytes.

    Attributes:
        once: What all of them have in common.
        each: What each takes.
        turn: What each that has a turn takes too.
    """

    once: int
    each: int
    turn: int

    @classmethod
    def of(cls, job: Job, *, share_weights: bool = True) -> Need:
        """What workers take that do jobs like this one.

        Args:
            job: The job.
            share_weights: Whether weights are there once for all of them.
        """
        height, width = job.bundle.manifest.image_size
        weights = _LAYOUTS * sum(file.size for file in job.bundle.manifest.files.values())
        own = _PROCESS + height * width * (_DRAG if job.photo is None else _INVERSION)
        turn = height * width * _TURN
        return cls(weights, own, turn) if share_weights else cls(0, own + weights, turn)

    def total(self, workers: int, turns: int) -> int:
        """Of so many workers, of which so many may have a turn at a time."""
        return self.once + workers * self.each + min(workers, turns) * self.turn


class Room:
    """How many workers there may be; the number falls as jobs come that take more.

    Args:
        workers: How many are wanted.
        free: Bytes that they may take; None for any number.
        sharing: What they have in common, if anything.
    """

    def __init__(self, workers: int, free: int | None, sharing: Sharing | None) -> None:
        self.workers = workers
        self._wanted = workers
        self._free = free
        self._sharing = sharing

    def expect(self, job: Job) -> None:
        """Take a job into account, before it is given out. One worker does any."""
        if self._free is None:
            return
        need = Need.of(job, share_weights=self._sharing is not None)
        turns = self._wanted if self._sharing is None else self._sharing.places
        fitting = self.workers
        while fitting > 1 and need.total(fitting, turns) > self._free:
            fitting -= 1
        if fitting < self.workers:
            self.workers = fitting
            logger.info(
                "fewer workers than cores are taken, %d of %d, since so many as cores would take about "
                "%.1f GiB for jobs like %s, and %.1f GiB of memory are free: --workers takes more",
                fitting, self._wanted, need.total(self._wanted, turns) / 2**30, job.id, self._free / 2**30,
            )  # fmt: skip


def free_memory() -> int | None:
    """Bytes that may be taken here, by the machine and by the limits of control groups.

    Returns:
        None where the system does not tell, which Linux alone does.
    """
    found = [*_free_of_machine(), *_free_of_groups()]
    return min(found, default=None)


def _free_of_machine() -> Iterator[int]:
    """What the machine has free, with what its caches would give back."""
    for line in _lines(_MACHINE):
        name, _, words = line.partition(":")
        if name == "MemAvailable" and words.removesuffix("kB").strip().isdigit():
            yield int(words.removesuffix("kB")) * 1024


def _free_of_groups() -> Iterator[int]:
    """What each control group that this process is in has left, of both versions of them."""
    for line in _lines(_OWN_GROUPS):
        _, _, rest = line.partition(":")
        kinds, _, path = rest.partition(":")
        if not kinds:
            root, most, used, cached = _GROUPS, "memory.max", "memory.current", "inactive_file"
        elif "memory" in kinds.split(","):
            root, most = _GROUPS / "memory", "memory.limit_in_bytes"
            used, cached = "memory.usage_in_bytes", "total_inactive_file"
        else:
            continue
        # In a container the path may be one of its host, and its own group be the root.
        inside = PurePosixPath(path.lstrip("/"))
        for folder in [root / inside, *(root / each for each in inside.parents)]:
            limit, taken = _number(folder / most), _number(folder / used)
            if limit is None or taken is None:
                continue
            stat = dict(
                line.split(None, 1) for line in _lines(folder / "memory.stat") if " " in line
            )
            given_back = int(stat.get(cached, "0"))
            yield max(limit - taken + given_back, 0)


def _number(path: Path) -> int | None:
    """The number in a file; None where it holds a word, as for no limit, or is not there."""
    words = "".join(_lines(path)).strip()
    return int(words) if words.isdigit() else None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8").splitlines()
    except OSError:  # the system has no such file
        return []
