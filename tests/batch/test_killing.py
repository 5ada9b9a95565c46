"""A batch whose whole process group is killed at random moments: nothing lost, repeated or left over."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from support.batches import (
    check_nothing_left,
    check_results,
    job,
    started,
    wait_until,
    write_jobs,
)
from support.bundled import NOSE, NOSE_NEAR

from dragonnx.media import read_recipe

pytestmark = pytest.mark.skipif(not hasattr(os, "killpg"), reason="no process groups here")


def survive(folder: Path, jobs: Sequence[dict[str, Any]], kills: int, seed: int) -> None:
    """Run jobs, kill all processes at random moments, go on each time; then check all there is.

    A moment is some milliseconds after some number of results, so that as many moments fall between
    two results as within the writing of one, and the first may fall before anything is there.
    """
    rng = random.Random(seed)  # noqa: S311
    path, out = write_jobs(folder / "jobs.jsonl", jobs), folder / "out"
    temporary = folder / "temporary"
    command = [sys.executable, "-m", "dragonnx.cli", "batch", path, "-o", out, "--device", "cpu"]
    known: dict[Path, tuple[int, int]] = {}
    for number in range(kills + 1):
        is_last = number == kills
        resume = ["--resume"] if number else []
        how = {"stderr": subprocess.PIPE, "start_new_session": True}
        with started([*command, *resume], temporary, **how) as program:
            if not is_last:
                more = rng.randrange(2 * len(jobs) // (kills + 1))
                least = min(len(known) + more, len(jobs) - 1)
                wait_until(
                    lambda least=least, program=program: (
                        len(reports(out)) >= least or program.poll() is not None
                    ),
                    "results",
                )
                time.sleep(rng.uniform(0, 0.1) if more else rng.uniform(0, 2))
                os.killpg(program.pid, signal.SIGKILL)
            _, told = program.communicate(timeout=900)
        assert program.returncode == (0 if is_last else -signal.SIGKILL), told
        assert "Traceback" not in told
        now = {each: state(each) for each in reports(out)}
        # What was done is not done again: it is the very same file.
        assert {each: now.get(each) for each in known} == known
        known = now
        for each in known:
            assert json.loads(each.read_text("utf-8"))["outcome"] == "done"
            read_recipe(each.with_suffix(".png"))
    check_results(out, [each["id"] for each in jobs])
    check_nothing_left(out)
    check_nothing_left(temporary)


def reports(out: Path) -> list[Path]:
    return list(out.glob("[!.]*.json"))  # hidden ones are not finished


def state(path: Path) -> tuple[int, int]:
    facts = path.stat()
    return facts.st_ino, facts.st_mtime_ns


def test_a_killed_batch_goes_on(tmp_path: Path) -> None:
    survive(tmp_path, [job(seed, id=f"j{seed}") for seed in range(40)], kills=3, seed=0)


@pytest.mark.slow
def test_a_thousand_jobs_survive_twenty_kills(tmp_path: Path) -> None:
    points = [{"handle": list(NOSE), "target": list(NOSE_NEAR)}]
    jobs = [
        {"id": f"s{seed:04}", "seed": seed, "points": points, "config": {"max_steps": 2}}
        for seed in range(1000)
    ]
    survive(tmp_path, jobs, kills=20, seed=1)
