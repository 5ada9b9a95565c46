"""The command `dragonnx batch`, run as users run it."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from support.batches import (
    HAS_PROC,
    SMALL,
    check_nothing_left,
    check_results,
    is_running,
    job,
    long_job,
    started,
    wait_until,
    workers_of,
    write_jobs,
)
from support.program import dragonnx

from dragonnx.batch import schema
from dragonnx.batch.overview import MOST_PICTURES, evenly


def batch(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return dragonnx("batch", *arguments, "--device", "cpu")


def test_what_a_batch_writes_and_says(tmp_path: Path) -> None:
    wild = job(3, id="wild") | {"config": {"max_steps": 30, "step_size": 1e38}}
    jobs = [job(1, id="b"), {"model": str(SMALL), "seed": 2, "id": "a"}, wild]
    path, out = write_jobs(tmp_path / "jobs.jsonl", jobs), tmp_path / "out"
    first = batch(path, "-o", out, "--workers", "1")
    assert first.returncode == 1, first.stderr
    assert first.stdout == ""
    assert "wild failed: the drag diverged" in first.stderr
    assert "2 of 3 jobs are done" in first.stderr
    with (out / "summary.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["id"], row["outcome"], row["drag"], row["steps"]) for row in rows] == [
        ("b", "done", "max_steps", "2"), ("a", "done", "", ""), ("wild", "failed", "", "")
    ]  # fmt: skip
    assert rows[2]["reason"].startswith("the drag diverged")
    with Image.open(out / "contact-sheet.png") as sheet:
        assert sheet.size[0] > sheet.size[1] > 0
        assert "AI-generated" in sheet.text["Comment"]
    # Without the one that fails, all are there.
    write_jobs(path, jobs[:2])
    again = batch(path, "-o", out, "--resume")
    assert again.returncode == 0, again.stderr
    assert "2 of them were there" in again.stderr


def test_bad_lines_start_nothing(tmp_path: Path) -> None:
    jobs = [job(seed, id=f"../{seed}") if seed % 2 else job(seed) for seed in range(1000)]
    path = write_jobs(tmp_path / "jobs.jsonl", jobs)
    done = batch(path, "-o", tmp_path / "out")
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert len(lines) == 501
    assert [line.partition(": id must be")[0] for line in lines[:500]] == [
        f"{path}:{number}" for number in range(2, 1001, 2)
    ]
    assert lines[500].startswith("dragonnx: 500 of 1000 jobs in ")
    assert not (tmp_path / "out").exists()


def test_the_schema_is_shown() -> None:
    done = dragonnx("batch", "--schema")
    assert done.returncode == 0
    assert json.loads(done.stdout) == schema()


@pytest.mark.skipif(not HAS_PROC, reason="worker processes are looked for in /proc")
def test_an_interrupt_ends_all_soon_and_says_how_to_go_on(tmp_path: Path) -> None:
    path = write_jobs(tmp_path / "jobs.jsonl", [job(0, id="quick"), *map(long_job, range(1, 9))])
    out = tmp_path / "out"
    command = [sys.executable, "-m", "dragonnx.cli", "batch", path, "-o", out, "--device", "cpu"]
    how = {"stderr": subprocess.PIPE, "start_new_session": True}
    with started(command, tmp_path / "temporary", **how) as program:
        wait_until((out / "quick.json").exists, "the first result")
        found = workers_of(program.pid)
        # As Ctrl+C does: to all of them.
        os.killpg(program.pid, signal.SIGINT)
        _, told = program.communicate(timeout=60)
    assert program.returncode == 130, told
    assert "jobs are done; --resume goes on" in told
    assert "Traceback" not in told
    assert found
    assert not any(map(is_running, found))
    check_nothing_left(out)
    check_nothing_left(tmp_path / "temporary")
    check_results(out, ["quick"])


def test_a_contact_sheet_shows_evenly_spaced_ones() -> None:
    paths = [str(k) for k in range(1001)]
    shown = evenly(paths, MOST_PICTURES)
    assert len(shown) == len(set(shown)) == MOST_PICTURES
    assert (shown[0], shown[-1]) == (paths[0], paths[-1])
    assert evenly(paths[:3], MOST_PICTURES) == paths[:3]
    assert evenly([], MOST_PICTURES) == []
