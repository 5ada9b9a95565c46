"""A job on its way to a node that sees no file of ours: all it needs is there, a model fetched once."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support.batches import SMALL, job

from dragonnx import BundleError, StateError
from dragonnx.batch import Job
from dragonnx.batch.making import JobMaker
from dragonnx.batch.parcel import Content, Packer, Parcel, unpacked
from dragonnx.model.bundle import Bundle
from dragonnx.model.facts import MANIFEST_NAME


@pytest.fixture(autouse=True)
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where models are kept on the node."""
    monkeypatch.setenv("DRAGONNX_CACHE", str(tmp_path / "node"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path / "node"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder that the node does not see."""
    shutil.copytree(SMALL, tmp_path / "here" / "model")
    return tmp_path / "here"


def made(here: Path, **fields: Any) -> Job:
    return JobMaker(here).make(job(3) | {"model": str(here / "model")} | fields, "a")


def as_it_is(content: Content) -> Content:
    return content


def kept(node: Path) -> list[str]:
    return [path.name for path in (node / "bundles").iterdir() if path.is_dir()]


def test_a_job_has_all_that_it_needs_with_it(here: Path, tmp_path: Path) -> None:
    Image.new("RGB", (60, 40), "tan").save(here / "photo.png")
    face = [[20, 15], [40, 15], [30, 22], [23, 30], [37, 30]]
    (here / "face.json").write_text(json.dumps(face), "utf-8")
    start: Any = {"seed": None, "photo": "photo.png", "align": "face", "landmarks": "face.json"}
    parcel = Packer(as_it_is).parcel(made(here, **start))
    photo = (here / "photo.png").read_bytes()
    shutil.rmtree(here)
    with unpacked(parcel, as_it_is) as found:
        assert found.photo is not None
        assert found.face is not None
        assert found.face.landmarks is not None
        assert found.photo.read_bytes() == photo
        assert json.loads(found.face.landmarks.read_text("utf-8")) == face
        assert Bundle.open(found.bundle.folder).manifest == parcel.job.bundle.manifest
        # What is told of it is as it was given.
        assert (found.document, found.key) == (parcel.job.document, parcel.job.key)
    assert not found.photo.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["node"]


def test_a_model_is_fetched_once_a_node_whoever_asks(
    here: Path, node: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: Counter[int] = Counter()
    verified: list[Path] = []
    opened = Bundle.open

    def noted(folder: Path) -> Bundle:
        verified.append(folder)
        return opened(folder)

    monkeypatch.setattr(Bundle, "open", noted)

    def slow(content: Content) -> Content:
        fetched[id(content)] += 1
        time.sleep(0.01)  # so that another asks meanwhile
        return content

    def worker(parcel: Parcel) -> Path:
        with unpacked(parcel, slow) as found:
            return found.bundle.folder

    packer = Packer(as_it_is)
    parcels = [packer.parcel(made(here, id=f"j{number}")) for number in range(8)]
    verified.clear()
    with ThreadPoolExecutor(4) as pool:
        folders = set(pool.map(worker, parcels))
    assert len(folders) == len(verified) == 1
    assert set(fetched.values()) == {1}
    assert len(fetched) == len(list(SMALL.iterdir()))
    # Another model is another one; what was fetched for an earlier batch is there.
    manifest = here / "model" / MANIFEST_NAME
    manifest.write_text(f"{manifest.read_text('utf-8')}\n", "utf-8")
    other = Packer(as_it_is).parcel(made(here))
    verified.clear()
    worker(other)
    worker(parcels[0])
    assert (len(verified), len(kept(node))) == (1, 2)


def test_contents_are_put_once(here: Path) -> None:
    Image.new("RGB", (60, 40), "tan").save(here / "photo.png")
    put: list[int] = []
    packer = Packer(lambda content: put.append(len(content)))
    for number in range(3):
        packer.parcel(made(here, id=f"j{number}", seed=None, photo="photo.png"))
    assert len(put) == len(list(SMALL.iterdir())) + 1


def test_a_model_that_arrives_altered_is_refused_and_not_kept(here: Path, node: Path) -> None:
    parcel = Packer(as_it_is).parcel(made(here))
    (altered,) = (name for name in parcel.bundle if name.endswith(".npy"))
    contents = {**parcel.bundle, altered: np.zeros_like(parcel.bundle[altered])}
    with (
        pytest.raises(BundleError, match=altered),
        unpacked(Parcel(parcel.job, parcel.model, contents, {}), as_it_is),
    ):
        raise AssertionError
    assert kept(node) == []


def test_models_that_no_batch_has_used_for_long_go(here: Path, node: Path) -> None:
    old, used, other = (node / "bundles" / name for name in ("0" * 64, "1" * 64, "of-another"))
    for folder in (old, used, other):
        folder.mkdir(parents=True)
    for folder in (old, other):
        os.utime(folder, (0, 0))
    with unpacked(Packer(as_it_is).parcel(made(here)), as_it_is):
        assert [each.exists() for each in (old, used, other)] == [False, True, True]


def test_what_is_not_there_any_more_is_told_of(here: Path, node: Path) -> None:
    Image.new("RGB", (60, 40), "tan").save(here / "photo.png")
    photo = made(here, seed=None, photo="photo.png")
    (here / "photo.png").unlink()
    # Doing the job tells of it, and the others go on.
    with unpacked(Packer(as_it_is).parcel(photo), as_it_is) as found:
        assert found.photo == here / "photo.png"
    shutil.rmtree(here / "model")
    with pytest.raises(BundleError, match="cannot be read any more"):
        Packer(as_it_is).parcel(photo)


def test_a_node_without_room_for_models_is_told_of(here: Path, node: Path) -> None:
    node.touch()
    with (
        pytest.raises(StateError, match="DRAGONNX_CACHE names a folder"),
        unpacked(Packer(as_it_is).parcel(made(here)), as_it_is),
    ):
        raise AssertionError
