"""The number of workers that memory has room for, where nobody says how many there are to be."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from support.batches import SMALL, check_results, job

from dragonnx.batch import Job, run
from dragonnx.batch.making import JobMaker
from dragonnx.batch.memory import Need, Room, free_memory
from dragonnx.batch.shares import Shares
from dragonnx.runtime import Sharing

GIB = 2**30
SHARING = Sharing(Path("shared"), 4)


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Job]:
    """A drag, the same of a model with large pictures, and a photo for that."""
    folder = tmp_path_factory.mktemp("jobs")
    Image.new("RGB", (64, 64), "tan").save(folder / "photo.png")
    maker = JobMaker(folder)
    drag = maker.make(job(1), "drag")
    large = replace(drag.bundle, manifest=replace(drag.bundle.manifest, image_size=(512, 512)))
    photo = maker.make({"model": str(SMALL), "photo": "photo.png"}, "photo")
    return {
        "small": drag,
        "large": replace(drag, bundle=large),
        "photo": replace(photo, bundle=large),
    }


def test_there_are_fewer_the_more_a_job_takes(
    jobs: dict[str, Job], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "dragonnx")
    room = Room(8, 2 * GIB, SHARING)
    room.expect(jobs["small"])
    assert room.workers == 8
    assert caplog.text == ""
    room.expect(jobs["large"])
    # A process takes 100 MiB, its drags 150, and four of eight have a turn at 300 more: three 1650 MiB.
    assert room.workers == 3
    room.expect(jobs["photo"])  # of which one takes more than all there is
    assert room.workers == 1
    room.expect(jobs["small"])
    assert room.workers == 1
    assert [each.levelname for each in caplog.records] == ["INFO"] * 2
    assert "fewer workers than cores are taken, 3 of 8" in caplog.records[0].getMessage()
    assert "2.0 GiB of memory are free" in caplog.text


@given(st.integers(1, 64), st.integers(0, 2**40))
def test_what_is_taken_fits(jobs: dict[str, Job], wanted: int, free: int) -> None:
    sharing = Sharing(Path("shared"), (wanted + 1) // 2)
    for each in jobs.values():
        room = Room(wanted, free, sharing)
        room.expect(each)
        need = Need.of(each)
        assert room.workers == 1 or need.total(room.workers, sharing.places) <= free
        assert room.workers == wanted or need.total(room.workers + 1, sharing.places) > free


def test_weights_count_for_each_that_does_not_share_them(jobs: dict[str, Job]) -> None:
    alone = Need.of(jobs["large"], share_weights=False)
    assert alone.total(1, 1) == Need.of(jobs["large"]).total(1, 1)
    assert alone.total(2, 2) > Need.of(jobs["large"]).total(2, 2)


def test_any_number_where_the_system_does_not_tell(jobs: dict[str, Job]) -> None:
    room = Room(64, None, SHARING)
    room.expect(jobs["photo"])
    assert room.workers == 64


def of_four(workers: int | None, _device: object, _precision: object) -> Shares:
    """The shares of a machine of four cores."""
    count = workers or 4
    return Shares(("cpu",) * count, 4 // count, count > 1, may_be_fewer=workers is None)


@pytest.mark.parametrize(("workers", "free", "told"), [(None, 1, True), (2, 1, False)])
def test_a_batch_without_memory_has_one_worker_and_still_does_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
    workers: int | None, free: int, told: bool,
) -> None:  # fmt: skip
    started = []
    monkeypatch.setattr("dragonnx.batch.engine.free_memory", lambda: free)
    monkeypatch.setattr("dragonnx.batch.engine.shares", of_four)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    from dragonnx.batch import processes

    start = processes._started

    def counted(threads: int) -> object:
        started.append(threads)
        return start(threads)

    monkeypatch.setattr(processes, "_started", counted)
    caplog.set_level(logging.INFO, "dragonnx")
    todo = [{"model": SMALL, "seed": seed, "id": f"s{seed}"} for seed in range(3)]
    list(run(todo, tmp_path / "out", workers=workers, device="cpu"))
    check_results(tmp_path / "out", ["s0", "s1", "s2"])
    assert started == ([4] if told else [2, 2])
    assert ("fewer workers than cores are taken, 1 of 4" in caplog.text) == told


MEMINFO = "MemTotal: 24684092 kB\nMemFree: 11617220 kB\nMemAvailable:   2097152 kB\n"


@pytest.mark.parametrize(
    ("own", "files", "gib"),
    [
        ("", {}, 2),
        ("0::/\n", {}, 2),
        ("0::/a/b\n", {"a/memory.max": GIB, "a/memory.current": 0}, 1),
        ("0::/a/b\n", {"a/b/memory.max": "max", "a/b/memory.current": GIB}, 2),
        # On a host that the container does not see, so that its own group is the root.
        ("0::/far/away\n", {"memory.max": GIB, "memory.current": GIB // 2}, 0.5),
        (
            "0::/\n",
            {
                "memory.max": GIB, "memory.current": GIB,
                "memory.stat": f"anon 5\ninactive_file {GIB // 4}\n",
            },
            0.25,
        ),
        ("0::/\n", {"memory.max": GIB, "memory.current": 2 * GIB}, 0),
        (
            "4:cpu,memory:/x\n0::/\n",
            {
                "memory/x/memory.limit_in_bytes": GIB, "memory/x/memory.usage_in_bytes": GIB,
                "memory/x/memory.stat": f"total_inactive_file {GIB // 8}\n",
            },
            0.125,
        ),
        (
            "4:memory:/x\n",
            {"memory/memory.limit_in_bytes": 2**63 - 4096, "memory/memory.usage_in_bytes": GIB},
            2,
        ),
    ],
)  # fmt: skip
def test_free_memory_is_the_least_of_the_machine_and_its_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: str, files: dict[str, object], gib: float
) -> None:
    for name, content in {"own": own, "meminfo": MEMINFO, **files}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(content), "utf-8")
    for name, place in (("_GROUPS", "."), ("_OWN_GROUPS", "own"), ("_MACHINE", "meminfo")):
        monkeypatch.setattr(f"dragonnx.batch.memory.{name}", tmp_path / place)
    assert free_memory() == gib * GIB


def test_other_systems_tell_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_OWN_GROUPS", "_MACHINE"):
        monkeypatch.setattr(f"dragonnx.batch.memory.{name}", tmp_path / "missing")
    assert free_memory() is None
