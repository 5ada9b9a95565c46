"""A batch whose results go to an S3 server on this machine, from the command line; killed and gone on with."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from support.batches import check_nothing_left, job, started, write_jobs
from support.buckets import BUCKET, s3_server
from support.pages import DOCS, run_lines, shell_lines

from dragonnx.media import read_recipe

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]
PLACE = f"s3://{BUCKET}/run"
JOBS = 12


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with s3_server(monkeypatch) as found:
        yield found


def names(bucket: Any) -> set[str]:
    return {Path(each).name for each in bucket.find(f"{BUCKET}/run")}


def command(path: Path, *more: str) -> list[str | Path]:
    return [
        sys.executable,
        "-m",
        "dragonnx.cli",
        "batch",
        path,
        "-o",
        PLACE,
        "--device",
        "cpu",
        *more,
    ]


def test_a_killed_batch_into_a_bucket_goes_on(bucket: Any, tmp_path: Path) -> None:
    path = write_jobs(tmp_path / "jobs.jsonl", [job(seed, id=f"j{seed}") for seed in range(JOBS)])
    how = ["--workers", "1", "--format", "webp"]
    temporary = tmp_path / "temporary"
    settings = {"stderr": subprocess.PIPE, "start_new_session": True}
    with started(command(path, *how), temporary, **settings) as program:
        while "j2.json" not in names(bucket):
            assert program.poll() is None, program.communicate()
            time.sleep(0.1)  # the server is asked each time
        os.killpg(program.pid, signal.SIGKILL)
        program.wait(60)
    reports = {name for name in names(bucket) if name.endswith(".json")}
    assert 0 < len(reports) < JOBS
    before = {name: bucket.info(f"{BUCKET}/run/{name}")["LastModified"] for name in reports}
    again = subprocess.run(
        command(path, *how), capture_output=True, text=True, check=False, env=_env(temporary)
    )
    assert again.returncode == 2
    assert "s3://results/run is not empty" in again.stderr
    done = subprocess.run(
        command(path, *how, "--resume"),
        capture_output=True,
        text=True,
        check=False,
        env=_env(temporary),
    )
    assert done.returncode == 0, done.stderr
    assert f"{len(reports)} of them were there" in done.stderr
    assert "wrote s3://results/run/summary.csv, s3://results/run/contact-sheet.png" in done.stderr
    assert names(bucket) == {
        "summary.csv", "contact-sheet.png",
        *(f"j{seed}.{suffix}" for seed in range(JOBS) for suffix in ("webp", "json")),
    }  # fmt: skip
    assert {name: bucket.info(f"{BUCKET}/run/{name}")["LastModified"] for name in reports} == before
    for seed in range(JOBS):
        report = json.loads(bucket.cat_file(f"{BUCKET}/run/j{seed}.json"))
        assert (report["id"], report["outcome"]) == (f"j{seed}", "done")
        assert read_recipe(bucket.cat_file(f"{BUCKET}/run/j{seed}.webp"))["start"]["seed"] == seed
    table = bucket.cat_file(f"{BUCKET}/run/summary.csv").decode()
    assert [row["id"] for row in csv.DictReader(io.StringIO(table))] == [
        f"j{k}" for k in range(JOBS)
    ]
    with Image.open(io.BytesIO(bucket.cat_file(f"{BUCKET}/run/contact-sheet.png"))) as sheet:
        assert sheet.size[0] > 4 * 32
    check_nothing_left(temporary)


def test_a_bucket_that_is_not_there_is_told_of_before_any_work(bucket: Any, tmp_path: Path) -> None:
    path = write_jobs(tmp_path / "jobs.jsonl", [job(1)])
    arguments = command(path)
    arguments[arguments.index(PLACE)] = "s3://other/run"
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "s3://other/run cannot be used" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_the_command_of_the_page_on_batches(bucket: Any, tmp_path: Path) -> None:
    write_jobs(tmp_path / "jobs.jsonl", [job(1, id="one")])
    lines = [line for line in shell_lines(DOCS / "batch.md") if "s3://" in line]
    assert lines
    bucket.mkdir("bucket")
    run_lines(lines, tmp_path)
    assert {"one.png", "one.json"} <= {Path(each).name for each in bucket.find("bucket/turned")}


def _env(temporary: Path) -> dict[str, str]:
    return os.environ | {"TMPDIR": str(temporary)}
