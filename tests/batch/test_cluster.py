"""Jobs on a Ray cluster of two nodes, whose workers and nodes go in the middle: each is done once."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.batches import check_nothing_left, check_results, job

from dragonnx.batch import run

ray = pytest.importorskip("ray")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]
JOBS = 40
AFTER = 5
"""Results, before what is killed is killed."""


@pytest.fixture
def cluster() -> Iterator[Any]:
    """Two nodes of one core, beside one that has none and is never killed."""
    from ray.cluster_utils import Cluster

    found = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    for _ in range(2):
        found.add_node(num_cpus=1)
    found.wait_for_nodes()
    try:
        yield found
    finally:
        ray.shutdown()
        found.shutdown()


def jobs() -> list[dict[str, Any]]:
    return [job(seed, id=f"j{seed}") for seed in range(JOBS)]


@pytest.mark.parametrize("kind", ["worker", "node"])
def test_each_job_is_done_once_whatever_is_lost(
    cluster: Any, kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    results = run(jobs(), tmp_path, engine="ray", address=cluster.address, device="cpu")
    found = []
    for result in results:
        found.append(result)
        if len(found) == AFTER and kind == "worker":
            os.kill(_worker(), signal.SIGKILL)
        if len(found) == AFTER and kind == "node":
            cluster.remove_node(sorted(cluster.worker_nodes, key=id)[-1], allow_graceful=False)
    assert sorted(each.id for each in found) == sorted(each["id"] for each in jobs())
    assert [each.reason for each in found if each.reason] == []
    check_results(tmp_path, [each["id"] for each in jobs()])
    check_nothing_left(tmp_path)
    assert "another takes its place" in caplog.text


def _worker() -> int:
    """An actor's process."""
    return next(
        int(folder.name)
        for folder in Path("/proc").glob("[0-9]*")
        if b"ray::RayBench" in (folder / "cmdline").read_bytes()
    )
