"""Jobs in worker processes: each done once, whatever becomes of processes, and none left running."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support.batches import (
    HAS_PROC,
    PAIR,
    SIDE,
    SMALL,
    check_nothing_left,
    check_results,
    children_of,
    is_running,
    job,
    long_job,
    started,
    threads_of,
    wait_until,
    workers_of,
    write_jobs,
)
from support.face_models import yunet

from dragonnx import DeviceError, DragonnxError, InputError, OutputError, open_picture
from dragonnx.batch import JobResult, read_jobs, run
from dragonnx.batch.backlog import LOOK_AHEAD, Backlog, Waiting
from dragonnx.batch.shares import cores
from dragonnx.document import drag
from dragonnx.document.latents import current_w_plus
from dragonnx.inversion.faces.detector import FaceDetector
from dragonnx.model.generator import Generator

WORKERS = min(2, cores())
needs_proc = pytest.mark.skipif(not HAS_PROC, reason="worker processes are looked for in /proc")


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where shared weights lie."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def done(jobs: Any, output: Path, **settings: Any) -> list[JobResult]:
    settings = {"workers": 1, "device": "cpu"} | settings
    return list(run(jobs, output, **settings))


def test_results_are_those_of_a_drag_and_nothing_is_left(tmp_path: Path, temporary: Path) -> None:
    jobs = [job(seed, id=f"seed-{seed}") for seed in range(5)]
    found = done(jobs, tmp_path / "out", workers=WORKERS)
    assert {each.id for each in found} == {each["id"] for each in jobs}
    assert all(each.picture == tmp_path / "out" / f"{each.id}.png" for each in found)
    check_results(tmp_path / "out", [each["id"] for each in jobs])
    check_nothing_left(tmp_path / "out")
    check_nothing_left(temporary)
    document = open_picture(tmp_path / "out" / "seed-3.png")
    (expected,) = read_jobs(write_jobs(tmp_path / "jobs.jsonl", [jobs[3]]))
    with Generator.open(SMALL, "cpu", max(cores() // WORKERS, 1)) as generator:
        dragged = drag(expected.document, generator)
        assert dragged.result is not None
        assert np.array_equal(current_w_plus(document, generator), dragged.result.w_plus)
        picture = generator.image(dragged.result.w_plus)
    with Image.open(tmp_path / "out" / "seed-3.png") as saved:
        assert np.array_equal(np.asarray(saved), np.asarray(picture))
    report = json.loads((tmp_path / "out" / "seed-3.json").read_text("utf-8"))
    assert report["job"] == jobs[3]
    assert report["drag"]["steps"] == 2
    assert len(report["drag"]["trace"]) == 2


def test_without_a_place_for_shared_weights_each_worker_has_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    jobs = [{"model": SMALL, "seed": seed, "id": f"s{seed}"} for seed in range(2)]
    done(jobs, tmp_path / "out", workers=WORKERS)
    check_results(tmp_path / "out", ["s0", "s1"])
    assert "each worker has a copy of the weights" in caplog.text or WORKERS == 1


def test_photos_videos_and_pictures_alone(tmp_path: Path) -> None:
    Image.effect_noise((64, 64), 90).convert("RGB").save(tmp_path / "photo.png")
    jobs = [
        {"id": "photo", "model": SMALL, "photo": tmp_path / "photo.png", "points": [PAIR],
         "config": {"max_steps": 2}, "video": "gif"},
        {"id": "seed", "model": SMALL, "seed": np.int64(4)},
    ]  # fmt: skip
    found = {each.id: each for each in done(jobs, tmp_path / "out", inversion_steps=3)}
    assert [each.reason for each in found.values()] == ["", ""]
    assert found["photo"].report["inversion"]["steps"] == 3
    assert found["photo"].report["drag"]["steps"] == 2
    assert found["seed"].report["drag"] is None
    with Image.open(tmp_path / "out" / "photo.gif") as video:
        assert video.n_frames == 3
    document = open_picture(tmp_path / "out" / "photo.png")
    assert document.start.name == "photo.png"
    assert document.start.w_plus is not None


def test_pictures_in_other_formats(tmp_path: Path) -> None:
    out = tmp_path / "out"
    jobs = [
        {"id": "a", "model": SMALL, "seed": 1},
        {"id": "b", "model": SMALL, "seed": 1, "quality": 10},
        {"id": "c", "model": SMALL, "seed": 1, "format": "webp", "quality": 100},
    ]
    found = {each.id: each for each in done(jobs, out, format="jpeg")}
    assert [found[name].picture for name in "abc"] == [out / "a.jpg", out / "b.jpg", out / "c.webp"]
    assert found["a"].address == str(out / "a.jpg")
    for each in found.values():
        assert open_picture(each.picture).start.seed == 1
    assert (out / "b.jpg").stat().st_size < (out / "a.jpg").stat().st_size
    assert all(each.was_there for each in done(jobs, out, format="jpeg", resume=True))
    # The one that says its format stays; of the others nothing does.
    again = {each.id: each for each in done(jobs[::2], out, resume=True)}
    assert {name: each.was_changed for name, each in again.items()} == {"a": True, "c": False}
    assert {path.name for path in out.iterdir()} == {
        "a.png", "a.json", "b.jpg", "b.json", "c.webp", "c.json"
    }  # fmt: skip


def test_faces_are_found_and_aligned(tmp_path: Path) -> None:
    photo = Image.new("RGB", (640, 640), "black")
    for left, top in ((320, 160), (96, 400)):  # red spots, which the network takes for faces
        photo.paste((255, 0, 0), (left, top, left + 16, top + 16))
    photo.save(tmp_path / "photo.png")
    Image.new("RGB", (64, 64)).save(tmp_path / "nobody.png")
    (tmp_path / "faces.onnx").write_bytes(yunet())
    start = {"model": SMALL, "align": "face", "face_model": tmp_path / "faces.onnx"}
    jobs = [
        {"id": "first", **start, "photo": tmp_path / "photo.png"},
        {"id": "second", **start, "photo": tmp_path / "photo.png", "face": 2},
        {"id": "nobody", **start, "photo": tmp_path / "nobody.png"},
    ]
    found = {each.id: each for each in done(jobs, tmp_path / "out", inversion_steps=1)}
    faces = FaceDetector.open(tmp_path / "faces.onnx").faces(tmp_path / "photo.png")
    assert len(faces) == 2
    for name, face in zip(("first", "second"), faces, strict=True):
        inversion = found[name].report["inversion"]
        assert inversion["landmarks"] == face.landmarks.tolist()
        assert ("2 faces were found" in inversion.get("note", "")) == (name == "first")
    assert "no face was found" in found["nobody"].reason


def test_a_job_that_fails_stops_no_other_and_is_tried_again(tmp_path: Path) -> None:
    # A step so large that the latent leaves the range of numbers.
    wild = job(1, id="wild") | {"config": {"max_steps": 30, "step_size": 1e38}}
    jobs: list[Any] = [wild, job(2, id="good"), job(3, id="bad", colour="red"), 7]
    found = {each.id: each for each in done(jobs, tmp_path / "out")}
    assert {name: each.outcome for name, each in found.items()} == {
        "wild": "failed", "good": "done", "bad": "failed", "000004": "failed"
    }  # fmt: skip
    assert "smaller step size" in found["wild"].reason
    assert "'colour'" in found["bad"].reason
    report = json.loads((tmp_path / "out" / "wild.json").read_text("utf-8"))
    assert (report["outcome"], report["reason"]) == ("failed", found["wild"].reason)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "wild.json", "good.json", "good.png"
    }  # fmt: skip
    again = {each.id: each for each in done(jobs, tmp_path / "out", resume=True)}
    assert again["good"].was_there
    assert not again["wild"].was_there


def test_going_on_repeats_nothing_but_what_has_changed(tmp_path: Path) -> None:
    out = tmp_path / "out"
    jobs = [job(seed, id=f"j{seed}") for seed in range(4)]
    done(jobs[:3], out)
    with pytest.raises(InputError, match=r"is not empty \(.*--resume"):
        done(jobs, out)
    before = {path.name: path.stat().st_mtime_ns for path in out.glob("j[02].*")}
    jobs[1] = job(9, id="j1")
    (out / "j2.png").rename(out / "j2.bak")  # somebody takes one away
    found = {each.id: each for each in done(jobs, out, resume=True)}
    assert {name for name, each in found.items() if each.was_there} == {"j0"}
    assert {name for name, each in found.items() if each.was_changed} == {"j1"}
    (out / "j2.bak").unlink()
    check_results(out, [each["id"] for each in jobs])
    after = {path.name: path.stat().st_mtime_ns for path in out.glob("j[02].*")}
    assert {name for name in before if before[name] == after[name]} == {"j0.png", "j0.json"}


def test_a_report_that_cannot_be_read_is_made_anew(tmp_path: Path) -> None:
    damages = [b"", b"{", b"[]", b'{"outcome": "done"}', b"\xff"]
    jobs = [{"model": SMALL, "seed": k, "id": f"a{k}"} for k in range(len(damages))]
    done(jobs, tmp_path / "out")
    for each, damage in zip(jobs, damages, strict=True):
        (tmp_path / "out" / f"{each['id']}.json").write_bytes(damage)
    found = done(jobs, tmp_path / "out", resume=True)
    assert not any(each.was_there for each in found)
    check_results(tmp_path / "out", [each["id"] for each in jobs])


def test_a_report_of_a_very_long_drag_is_read(tmp_path: Path) -> None:
    jobs = [{"model": SMALL, "seed": 1, "id": "a"}]
    done(jobs, tmp_path / "out")
    report = json.loads((tmp_path / "out" / "a.json").read_text("utf-8"))
    report["drag"] = {"trace": [[[0.5, 1.5]] * 100] * 1000}
    (tmp_path / "out" / "a.json").write_text(json.dumps(report), "utf-8")
    (found,) = done(jobs, tmp_path / "out", resume=True)
    assert found.was_there


def test_ids_that_clash_in_a_stream_are_refused(tmp_path: Path) -> None:
    jobs = [job(1, id="a"), job(2, id="A"), job(3, id="b")]
    found = done(itertools.chain(jobs, [job(4, id="b")]), tmp_path / "out")
    assert sorted(each.outcome for each in found) == ["done", "done", "failed", "failed"]
    assert all("another job of this batch" in each.reason for each in found if each.reason)
    check_results(tmp_path / "out", ["a", "b"])


def test_a_source_without_end_is_taken_a_bounded_number_ahead(tmp_path: Path) -> None:
    taken = itertools.count()
    most = 0

    def source() -> Iterator[dict[str, Any]]:
        nonlocal most
        for seed in taken:
            most = seed
            yield {"model": SMALL, "seed": seed}

    results = run(source(), tmp_path / "out", workers=WORKERS, device="cpu")
    first = list(itertools.islice(results, 5))
    assert len({each.id for each in first}) == 5
    assert most <= 5 + WORKERS + LOOK_AHEAD
    results.close()
    check_nothing_left(tmp_path / "out")


def test_results_come_while_the_source_waits(tmp_path: Path) -> None:
    goes_on = threading.Event()

    def source() -> Iterator[dict[str, Any]]:
        yield {"model": SMALL, "seed": 1}
        assert goes_on.wait(60)
        yield {"model": SMALL, "seed": 2}

    results = run(source(), tmp_path / "out", workers=1, device="cpu")
    assert next(results).id == "000001"
    goes_on.set()
    assert [each.id for each in results] == ["000002"]


def test_what_a_source_raises_comes_out_when_all_else_is_done(tmp_path: Path) -> None:
    def source() -> Iterator[dict[str, Any]]:
        yield {"model": SMALL, "seed": 1}
        raise KeyError("mine")

    results = run(source(), tmp_path / "out", workers=1, device="cpu")
    assert next(results).outcome == "done"
    with pytest.raises(KeyError, match="mine"):
        next(results)


def test_wrong_arguments(tmp_path: Path) -> None:
    def refused(**settings: Any) -> str:
        with pytest.raises(InputError) as caught:
            run([], tmp_path / "out", **({"device": "cpu"} | settings))
        return str(caught.value)

    assert f"at most {cores()}" in refused(workers=cores() + 1)
    assert "workers must be" in refused(workers=0)
    assert "video must be gif, webp or mp4" in refused(video="avi")
    assert "format must be png, jpeg or webp" in refused(format="gif")
    assert "a quality is for pictures that end in .jpg or .webp" in refused(quality=90)
    assert "inversion_steps" in refused(inversion_steps=0)
    assert "resume must be true or false" in refused(resume=1)
    for jobs in (7, "jobs.jsonl", {"seed": 1}):
        with pytest.raises(InputError, match="must be an iterable of jobs"):
            run(jobs, tmp_path / "out")  # type: ignore[arg-type]
    with pytest.raises(DeviceError, match="the device must be"):
        run([], tmp_path / "out", device="tpu")
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written to"):
        done([], tmp_path / "file")


STRANGE = (None, True, 1.5, -1, 0, 10**30, "x\0y", b"x", float("nan"), object(), [], {}, ["a"])


@pytest.mark.parametrize(
    "name", ["output", "workers", "resume", "device", "precision", "inversion_steps", "format", "quality", "video",
     "folder"]
)  # fmt: skip
def test_whatever_a_program_passes_is_taken_or_refused(tmp_path: Path, name: str) -> None:
    for value in STRANGE:
        given: dict[str, Any] = {"output": tmp_path / "out", "device": "cpu", name: value}
        with contextlib.suppress(DragonnxError):
            run([], **given)  # nothing is done before a result is asked for
        if name == "output":
            with contextlib.suppress(DragonnxError):
                list(run([], value, device="cpu", resume=True))
    for path in STRANGE:
        with pytest.raises(DragonnxError):
            read_jobs(path)  # type: ignore[arg-type]


def test_one_batch_at_a_time_works_in_a_folder(tmp_path: Path) -> None:
    first = run(
        ({"model": SMALL, "seed": seed} for seed in itertools.count()),
        tmp_path / "out", workers=1, device="cpu",
    )  # fmt: skip
    next(first)
    with pytest.raises(InputError, match="another batch is at work"):
        done([job(1)], tmp_path / "out", resume=True)
    first.close()
    assert done([], tmp_path / "out", resume=True) == []


def test_a_full_disk_stops_the_batch(tmp_path: Path) -> None:
    """A folder in the way of a result is what a test can make of it."""
    (tmp_path / "out" / "a.png").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"a\.png cannot be"):
        done([{"model": SMALL, "seed": 1, "id": "a"}], tmp_path / "out", resume=True)
    assert not (tmp_path / "out" / "a.json").exists()


@needs_proc
def test_closing_ends_the_workers(tmp_path: Path) -> None:
    results = run(
        [job(0), *map(long_job, range(1, 9))], tmp_path / "out", workers=WORKERS, device="cpu"
    )
    with contextlib.closing(results):
        next(results)
        found = workers_of(os.getpid())
        assert len(found) == WORKERS
        # Beside the one that computes, one listens and one watches. A worker that has just begun
        # does not compute yet.
        wait_until(
            lambda: [threads_of(pid) - 2 for pid in found] == [cores() // WORKERS] * WORKERS,
            "a core's share of threads in each worker",
        )
    assert workers_of(os.getpid()) == []
    check_nothing_left(tmp_path / "out")


@needs_proc
@pytest.mark.parametrize("kills", [1, 2])
def test_a_worker_that_is_killed_is_replaced(tmp_path: Path, kills: int) -> None:
    """Its job is done again once; what ends two processes is recorded as failed."""
    slow = long_job(2, id="slow") if kills == 2 else job(2, id="slow")
    slow["config"] = long_job(2)["config"] | ({} if kills == 2 else {"max_steps": 300})
    results = run([job(1, id="quick"), slow], tmp_path / "out", workers=1, device="cpu")
    assert next(results).id == "quick"
    killed: set[int] = set()

    def kill() -> None:
        for _ in range(kills):
            wait_until(lambda: bool(set(workers_of(os.getpid())) - killed), "a worker")
            time.sleep(0.2)  # the slow job takes longer
            killed.update(workers_of(os.getpid()))
            for pid in killed:
                with contextlib.suppress(ProcessLookupError):  # that one is dead already
                    os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    (found,) = results
    killer.join()
    assert len(killed) == kills
    report = json.loads((tmp_path / "out" / "slow.json").read_text("utf-8"))
    if kills == 1:
        assert found.outcome == report["outcome"] == "done"
    else:
        assert found.outcome == report["outcome"] == "failed"
        assert "was ended by SIGKILL, and so did another one before it" in found.reason


_PROGRAM = """
import os, sys, threading, time
sys.path[:0] = {path!r}
from support.batches import long_job, workers_of
from dragonnx.batch import run
def fork():
    while len(workers_of(os.getpid())) < {workers}:
        time.sleep(0.01)
    if os.fork() == 0:  # which has all that is open, as a program's own processes may
        time.sleep(20)
        os._exit(0)
if {forks}:
    threading.Thread(target=fork).start()
for result in run([long_job(seed) for seed in range(9)], {output!r}, workers={workers}, device="cpu"):
    pass
"""


@needs_proc
@pytest.mark.parametrize(("number", "forks"), [(signal.SIGKILL, True), (signal.SIGTERM, False)])
def test_no_worker_outlives_who_started_it(
    tmp_path: Path, number: signal.Signals, forks: bool
) -> None:
    path = [str(Path(__file__).parents[1])]
    code = _PROGRAM.format(path=path, output=str(tmp_path / "out"), workers=WORKERS, forks=forks)
    command = [sys.executable, "-c", code]
    with started(command, tmp_path / "temporary", stderr=subprocess.DEVNULL) as program:
        wait_until(lambda: len(workers_of(program.pid)) == WORKERS, "workers")
        found = workers_of(program.pid)
        if forks:
            wait_until(lambda: len(children_of(program.pid)) > WORKERS, "the fork")
        program.send_signal(number)
        program.wait(60)
        wait_until(lambda: not any(map(is_running, found)), "the end of the workers")


def test_jobs_of_a_loaded_model_go_first_but_not_for_ever() -> None:
    class Fake:
        def __init__(self, model: str) -> None:
            self.bundle = type("Bundle", (), {"folder": Path(model)})

    backlog = Backlog()
    for model in "abab":
        backlog.add(Waiting(Fake(model)))  # type: ignore[arg-type]
    order = [backlog.take(Path("b")) for _ in range(2)]
    assert [str(each.job.bundle.folder) for each in order if each] == ["b", "b"]
    for _ in range(2 * LOOK_AHEAD):
        backlog.add(Waiting(Fake("b")))  # type: ignore[arg-type]
    taken = [backlog.take(Path("b")) for _ in range(LOOK_AHEAD)]
    assert "a" in [str(each.job.bundle.folder) for each in taken if each]
    again = Waiting(Fake("c"), tries=1)  # type: ignore[arg-type]
    backlog.add(again)
    assert backlog.take(None) is again


def test_sizes_of_tests_are_those_of_the_model() -> None:
    with Generator.open(SMALL, "cpu", 1) as generator:
        assert generator.manifest.image_size == (SIDE, SIDE)


def test_a_batch_that_is_told_to_stop_ends_its_workers_and_keeps_what_is_done(
    tmp_path: Path,
) -> None:
    told = threading.Event()
    jobs = [job(1, config={"max_steps": 1}), long_job(2)]
    results = run(jobs, tmp_path / "out", workers=1, device="cpu", stop=told.is_set)
    assert next(results).outcome == "done"
    told.set()
    assert list(results) == []
    if HAS_PROC:
        assert workers_of(os.getpid()) == []
    assert len(list((tmp_path / "out").glob("*.png"))) == 1
    with pytest.raises(InputError, match="stop must be a function"):
        run([], tmp_path / "other", stop=True)  # type: ignore[arg-type]
