"""Which engine a batch takes, without any cluster."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from dragonnx import InputError
from dragonnx.batch import run
from dragonnx.batch.cluster import checked_share


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"engine": "slurm"}, "engine must be"),
        ({"address": "auto"}, "address and gpus are for the engine ray"),
        ({"gpus": 0.5}, "address and gpus are for the engine ray"),
    ],
)
def test_what_no_engine_can_do_is_refused(
    tmp_path: Path, settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        run([], tmp_path, **settings)


def test_without_ray_a_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"pip install 'dragonnx\[ray\]'"):
        next(run([{"seed": 1}], tmp_path / "out", engine="ray"))


@pytest.mark.parametrize(
    ("device", "gpus", "share"),
    [("auto", None, 0), ("cuda", None, 1), ("cuda", 0.5, 0.5), ("auto", 2, 2)],
)
def test_workers_have_shares_of_cards(device: Any, gpus: float | None, share: float) -> None:
    assert checked_share(device, gpus) == share


@pytest.mark.parametrize(
    ("device", "gpus"), [("cuda:1", None), ("cpu", 1), ("cuda", 0), ("cuda", -1), ("cuda", "all")]
)
def test_shares_that_do_not_go_with_the_device_are_refused(device: Any, gpus: Any) -> None:
    with pytest.raises(InputError):
        checked_share(device, gpus)
