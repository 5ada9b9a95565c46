"""Jobs of a small model for tests, and the worker processes that are at them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dragonnx.media import read_recipe

SMALL = Path(__file__).parents[1] / "fixtures" / "bundle-v2"
SIDE = 32
"""Of its pictures, in pixels."""
PAIR = {"handle": [9, 9], "target": [20, 20]}
HAS_PROC = Path("/proc/self/stat").exists()
_PATIENCE = 60
"""Seconds that a busy machine may take for anything here."""


def job(seed: int, **fields: Any) -> dict[str, Any]:
    """A short drag of the small model."""
    return {
        "model": str(SMALL), "seed": seed, "points": [PAIR], "config": {"max_steps": 2}, **fields,
    }  # fmt: skip


def long_job(seed: int, **fields: Any) -> dict[str, Any]:
    """A drag that takes longer than any test."""
    return job(seed, **fields) | {
        "config": {"preset": "paper", "max_steps": 10**6, "step_size": 1e-9}
    }


def write_jobs(path: Path, jobs: Iterable[Mapping[str, Any]]) -> Path:
    """A file of JSON Lines."""
    path.write_text("".join(f"{json.dumps(each)}\n" for each in jobs), "utf-8")
    return path


def check_results(folder: Path, ids: Iterable[str]) -> None:
    """Exactly these jobs are done: a picture that tells how it was made, and a report, of each."""
    ids = set(ids)
    assert {path.stem for path in folder.glob("*.json")} == ids
    assert {path.stem for path in folder.glob("*.png")} - {"contact-sheet"} == ids
    for name in ids:
        report = json.loads((folder / f"{name}.json").read_text("utf-8"))
        assert report["id"] == name
        assert report["outcome"] == "done", report["reason"]
        assert read_recipe(folder / f"{name}.png")["start"]["seed"] == report["job"]["seed"]


def check_nothing_left(folder: Path) -> None:
    """No temporary file of the results, nor of weights that were shared, is there."""
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


def workers_of(parent: int) -> list[int]:
    """The worker processes that a process has started and that run."""
    return [pid for pid, owner in _workers().items() if owner == parent]


def children_of(parent: int) -> list[str]:
    """Every process that a process has started, as the system names them."""
    return [
        pid
        for task in Path(f"/proc/{parent}/task").iterdir()
        for pid in (task / "children").read_text("utf-8").split()
    ]


def threads_of(pid: int) -> int:
    """How many threads a process has."""
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def is_running(pid: int) -> bool:
    """Whether a process runs as a worker."""
    return pid in _workers()


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds."""
    end = time.monotonic() + _PATIENCE
    while not holds():
        assert time.monotonic() < end, f"waited for {what}"
        time.sleep(0.01)


def _workers() -> dict[int, int]:
    """All worker processes of the machine that have not ended, and who started each."""
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            command = (folder / "cmdline").read_bytes()
            fields = (folder / "stat").read_text("utf-8").rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        if b"dragonnx.batch.worker" in command and fields[0] != "Z":
            found[int(folder.name)] = int(fields[1])
    return found


@contextlib.contextmanager
def started(
    command: Sequence[str | Path], temporary: Path, **how: Any
) -> Iterator[subprocess.Popen[str]]:
    """A program that ends with the test, and whose shared weights lie in that folder.

    Args:
        command: It, with its arguments.
        temporary: The folder; made where it is missing.
        how: Of `subprocess.Popen`.
    """
    temporary.mkdir(exist_ok=True)
    env = os.environ | {"TMPDIR": str(temporary)}
    with subprocess.Popen(command, env=env, text=True, **how) as program:
        try:
            yield program
        finally:
            program.kill()  # which does nothing to one that has ended
