"""Weights that processes share: laid out once, mapped by all, and nothing computed otherwise."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from support.bundled import NOSE, NOSE_TARGET, SEED

from dragonnx import DragConfig, DragSession, Generator
from dragonnx.batch.turns import turn
from dragonnx.model.library import open_bundle
from dragonnx.runtime import choose_device

STEPS = 3


def generator(shared: Path | None) -> Generator:
    return Generator(open_bundle("critters"), choose_device("cpu"), 1, shared)


def dragged(generator: Generator) -> tuple[np.ndarray, np.ndarray]:
    """The latent after a few steps, and its picture."""
    session = DragSession(
        generator, generator.w_plus(SEED), [NOSE], [NOSE_TARGET],
        config=DragConfig(max_steps=STEPS),
    )  # fmt: skip
    list(session)
    return session.w_plus, np.asarray(generator.image(session.w_plus))


def test_shared_weights_give_the_same_bits(tmp_path: Path) -> None:
    alone = dragged(generator(None))
    # The second one finds what the first one laid out.
    for found in (dragged(generator(tmp_path)), dragged(generator(tmp_path))):
        assert np.array_equal(found[0], alone[0])
        assert np.array_equal(found[1], alone[1])


def test_weights_are_laid_out_once_and_mapped(tmp_path: Path) -> None:
    dragged(generator(tmp_path))
    made = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/*")}
    weights = [path for path in made if path.suffix == ".bin"]
    assert {path.parent.name.partition("-")[0] for path in weights} >= {"mapping", "image"}
    again = generator(tmp_path)
    dragged(again)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/*")} == made
    maps = Path("/proc/self/maps")
    if maps.exists():
        mapped = maps.read_text("utf-8")
        assert all(str(path) in mapped for path in weights)
    assert not list(tmp_path.glob("new-*"))


def test_those_who_ask_at_the_same_time_wait_for_one(tmp_path: Path) -> None:
    pictures: list[np.ndarray] = []

    def ask() -> None:
        one = generator(tmp_path)
        pictures.append(np.asarray(one.image(one.w_plus(SEED))))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pictures) == 4
    assert all(np.array_equal(picture, pictures[0]) for picture in pictures)
    assert len(list(tmp_path.glob("image-*/image.bin"))) == 1


def test_where_nothing_can_be_written_each_loads_its_own(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one = generator(tmp_path / "missing")
    with caplog.at_level(logging.INFO, "dragonnx"):
        one.image(one.w_plus(SEED))
    assert "image.onnx is not shared with other processes" in caplog.text


def test_so_many_take_turns(tmp_path: Path) -> None:
    together = most = 0
    counting = threading.Lock()

    def work() -> None:
        nonlocal together, most
        for _ in range(5):
            with turn(tmp_path, 2):
                with counting:
                    together += 1
                    most = max(most, together)
                time.sleep(0.005)
                with counting:
                    together -= 1

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most, together) == (2, 0)
