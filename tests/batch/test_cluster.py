"""Jobs on a Ray cluster of two nodes that see none of our files, and go in the middle: each is done once."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from support.batches import SIDE, SMALL, check_nothing_left, check_results, job
from support.buckets import BUCKET, s3_server

from dragonnx.batch import Job, run
from dragonnx.batch.parcel import Packer, Parcel

ray = pytest.importorskip("ray")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]
JOBS = 40
NODES = ("first", "second")
AFTER = 5
"""Results, before what is killed is killed."""


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with s3_server(monkeypatch) as found:
        yield found


@pytest.fixture
def cluster(bucket: Any, tmp_path: Path) -> Iterator[Any]:
    """Two nodes of one core, each with its own cache, beside one that has no core and is never killed."""
    from ray.cluster_utils import Cluster

    found = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    for name in NODES:
        found.add_node(num_cpus=1, env_vars={"DRAGONNX_CACHE": str(tmp_path / name)})
    found.wait_for_nodes()
    try:
        yield found
    finally:
        ray.shutdown()
        found.shutdown()


@pytest.fixture
def ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model and a photo, which are gone before any node could look for them."""
    folder = tmp_path / "ours"
    shutil.copytree(SMALL, folder / "model")
    Image.new("RGB", (SIDE, SIDE), "tan").save(folder / "photo.png")
    parcel = Packer.parcel

    def hidden(packer: Packer, job: Job) -> Parcel:
        found = parcel(packer, job)
        if job.photo is not None and folder.exists():
            shutil.rmtree(folder)
        return found

    monkeypatch.setattr(Packer, "parcel", hidden)
    return folder


@pytest.mark.parametrize("kind", ["worker", "node"])
def test_each_job_is_done_once_whatever_is_lost(
    cluster: Any,
    bucket: Any,
    ours: Path,
    kind: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    model = str(ours / "model")
    photo = {"id": "photo", "model": model, "photo": str(ours / "photo.png"), "inversion_steps": 1}
    jobs = [photo, *(job(seed, id=f"j{seed}", model=model) for seed in range(JOBS))]
    # A store for those that may lose a node, a folder for the others.
    output = f"s3://{BUCKET}/run" if kind == "node" else str(tmp_path / "out")
    found = []
    for result in run(jobs, output, engine="ray", address=cluster.address, device="cpu"):
        found.append(result)
        if len(found) == AFTER and kind == "worker":
            os.kill(_worker(), signal.SIGKILL)
        if len(found) == AFTER and kind == "node":
            cluster.remove_node(sorted(cluster.worker_nodes, key=id)[-1], allow_graceful=False)
    assert not ours.exists()
    assert sorted(each.id for each in found) == sorted(each["id"] for each in jobs)
    assert [each.reason for each in found if each.reason] == []
    if kind == "node":
        bucket.get(f"{BUCKET}/run/", str(tmp_path / "out"), recursive=True)
    (tmp_path / "out" / "photo.json").unlink()
    (tmp_path / "out" / "photo.png").unlink()
    check_results(tmp_path / "out", [each["id"] for each in jobs[1:]])
    check_nothing_left(tmp_path / "out")
    assert "another takes its place" in caplog.text
    for name in NODES:
        assert len(list((tmp_path / name / "bundles").glob("[0-9a-f]*"))) == 1


def _worker() -> int:
    """An actor's process."""
    return next(
        int(folder.name)
        for folder in Path("/proc").glob("[0-9]*")
        if b"ray::RayBench" in (folder / "cmdline").read_bytes()
    )
