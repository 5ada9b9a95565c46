"""Results in an object store: whole or not there at all, the report last, and gone on with."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from support.batches import SMALL, job

from dragonnx import InputError, OutputError
from dragonnx.batch import JobResult, run
from dragonnx.batch.making import JobMaker
from dragonnx.batch.messages import Setup
from dragonnx.batch.overview import SHEET, SUMMARY, Row, save_sheet, save_summary
from dragonnx.batch.store import ResultStore, results_at
from dragonnx.batch.work import do
from dragonnx.media import read_recipe
from dragonnx.model.generator import Generator

fsspec = pytest.importorskip("fsspec")


@pytest.fixture
def store() -> Iterator[ResultStore]:
    yield ResultStore("memory://bucket/turned/")
    fsspec.filesystem("memory").store.clear()


def made(facts: dict[str, Any], store: ResultStore) -> JobResult:
    """What a worker makes of a job, which has a copy of the store."""
    setup = Setup(pickle.loads(pickle.dumps(store)), "run", "cpu", "auto", 1, None, 0)
    with Generator.open(SMALL, "cpu", 1) as generator:
        return do(JobMaker(Path()).make(facts, ""), generator, setup)


def names(store: ResultStore) -> list[str]:
    return sorted(
        Path(name).name for name in fsspec.filesystem("memory").ls("/bucket/turned", detail=False)
    )


def test_a_result_is_sent_and_found_again(store: ResultStore, tmp_path: Path) -> None:
    nose = job(3, id="nose", video="gif", format="jpeg")
    maker = JobMaker(tmp_path)
    with store.claimed(resume=False):
        assert store.earlier(maker.make(nose, "")) is None
        result = made(nose, store)
        # What is hidden is no result.
        store.check_empty(resume=True)
    assert (result.outcome, result.picture) == ("done", None)
    assert result.address == "memory://bucket/turned/nose.jpg"
    assert names(store) == ["nose.gif", "nose.jpg", "nose.json"]
    (tmp_path / "nose.jpg").write_bytes(store.content("nose.jpg") or b"")
    assert read_recipe(tmp_path / "nose.jpg")["start"]["seed"] == 3
    with pytest.raises(InputError, match=r"turned is not empty \(nose\.gif\).*--resume"):
        store.check_empty(resume=False)
    with store.claimed(resume=True):
        found = store.earlier(maker.make(nose, ""))
        assert found is not None
        assert (found.was_there, found.address) == (True, result.address)
        other = job(4, id="nose")
        assert store.earlier(maker.make(other, "")) is None
        assert made(other, store).outcome == "done"
    assert names(store) == ["nose.json", "nose.png"]


def test_a_job_that_fails_has_a_report_alone(store: ResultStore) -> None:
    wild = job(1, id="wild") | {"config": {"max_steps": 30, "step_size": 1e38}}
    assert "diverged" in made(wild, store).reason
    assert names(store) == ["wild.json"]
    report = store.report("wild")
    assert report is not None
    assert report["outcome"] == "failed"


def test_of_a_job_that_is_given_up_a_report_alone_stays(store: ResultStore, tmp_path: Path) -> None:
    """Also in a run that found the place empty, and so looks for nothing of another one."""
    nose = JobMaker(tmp_path).make(job(3, id="nose"), "")
    with store.claimed(resume=False):
        with store.adding() as folder:
            (folder / "nose.png").touch()  # of a worker that was lost then
        store.save_failure(nose, "it was lost", "run", 0)
    assert names(store) == ["nose.json"]


def test_what_ends_half_way_sends_nothing(store: ResultStore) -> None:
    def half(folder: Path) -> None:
        (folder / "nose.png").write_bytes(b"half")
        raise RuntimeError("lost")

    with pytest.raises(RuntimeError, match="lost"), store.replacing("nose") as folder:
        half(folder)
    assert not store.has("nose.png")


def test_the_report_is_sent_last(store: ResultStore, monkeypatch: pytest.MonkeyPatch) -> None:
    system = type(fsspec.filesystem("memory"))
    sent: list[str] = []
    monkeypatch.setattr(system, "put_file", lambda _self, _from, to: sent.append(Path(to).name))
    with store.adding() as folder:
        for suffix in ("json", "png", "webp"):
            (folder / f"nose.{suffix}").touch()
    assert sent == ["nose.png", "nose.webp", "nose.json"]


def test_the_table_and_the_contact_sheet_are_there_too(store: ResultStore, tmp_path: Path) -> None:
    result = made({"model": str(SMALL), "seed": 1, "id": "a"}, store)
    assert save_summary([Row.of(result)], store) == "memory://bucket/turned/summary.csv"
    assert save_sheet(["gone.png", "a.png"], store) == "memory://bucket/turned/contact-sheet.png"
    assert (store.content(SUMMARY) or b"").splitlines()[1].startswith(b"a,done")
    (tmp_path / SHEET).write_bytes(store.content(SHEET) or b"")
    with Image.open(tmp_path / SHEET) as sheet:
        assert sheet.size[0] == sheet.size[1] >= 32


def test_a_place_that_takes_nothing_is_told_of_before_any_work(
    store: ResultStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoCredentialsError(Exception):
        """As those of a library that knows no OSError."""

    def refuse(*_: object) -> None:
        raise NoCredentialsError("unable to locate\ncredentials")

    monkeypatch.setattr(type(fsspec.filesystem("memory")), "put_file", refuse)
    with (
        pytest.raises(OutputError, match=r"turned cannot be used \(unable to locate credentials\)"),
        store.claimed(resume=True),
    ):
        raise AssertionError


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("nowhere://x", "results cannot go to nowhere://x: .*nowhere"),
        ("memory://x", "the memory of a process"),
        ("file:///x", "results go into a folder by its path"),
        (Path("s3://bucket/run"), "pip install 'dragonnx"),
    ],
)
def test_an_address_that_no_result_can_go_to_is_refused(
    output: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "s3:" in str(output):
        monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(InputError, match=words):
        run([], output)


def test_a_system_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from fsspec.registry import known_implementations

    system = {"class": "not_installed.System", "err": "Install not_installed to reach it"}
    monkeypatch.setitem(known_implementations, "far", system)
    with pytest.raises(InputError, match="results cannot go to far://away: Install not_installed"):
        results_at("far://away")
