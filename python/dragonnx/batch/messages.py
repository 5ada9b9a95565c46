"""What the processes of a batch tell each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from dragonnx.batch.results import JobResult, Results
from dragonnx.errors import DragonnxError
from dragonnx.runtime import Sharing
from dragonnx.types import DeviceName, Precision

POOLS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")
"""Bounds on threads of libraries that workers load."""


@dataclass(frozen=True)
class Setup:
    """What a worker is told first.

    Attributes:
        results: Where they go.
        run: Of which run their reports tell.
        device: Where to compute.
        precision: In which precision.
        threads: CPU threads, for graphs and kernels.
        sharing: What workers have in common on the CPU; None where there is one.
        starter: The process that started it.
    """

    results: Results
    run: str
    device: DeviceName
    precision: Precision
    threads: int
    sharing: Sharing | None
    starter: int


@dataclass(frozen=True)
class Ready:
    """A worker has started."""


@dataclass(frozen=True)
class Done:
    """A job was done, or failed."""

    result: JobResult


@dataclass(frozen=True)
class Stuck:
    """No further job can be done, either."""

    error: DragonnxError


@dataclass(frozen=True)
class Gone:
    """A worker process has ended."""


Answer: TypeAlias = "Ready | Done | Stuck | Gone"
