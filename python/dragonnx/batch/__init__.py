"""Many edits at once: jobs from a file or a program, worker processes, a folder of results.

Names load when first used, so that looking at one part does not load the others.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dragonnx.batch.engine import run
    from dragonnx.batch.fields import schema
    from dragonnx.batch.job import Job
    from dragonnx.batch.job_file import JobFileError, read_jobs
    from dragonnx.batch.results import JobResult

__all__ = ["Job", "JobFileError", "JobResult", "read_jobs", "run", "schema"]

_HOMES = {
    "Job": "job",
    "JobFileError": "job_file",
    "JobResult": "results",
    "read_jobs": "job_file",
    "run": "engine",
    "schema": "fields",
}


if not TYPE_CHECKING:  # a type checker would take any misspelt name for one of these

    def __getattr__(name: str) -> Any:
        if name in _HOMES:
            return getattr(importlib.import_module(f"dragonnx.batch.{_HOMES[name]}"), name)
        raise AttributeError(f"module 'dragonnx.batch' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
