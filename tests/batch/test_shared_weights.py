"""Weights that processes share: laid out once, mapped by all, and nothing computed otherwise."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from support.bundled import NOSE, NOSE_TARGET, SEED

from dragonnx import DragConfig, DragSession, Generator
from dragonnx.model.checking.graph import Run
from dragonnx.model.checking.late_products import late_node
from dragonnx.model.checking.schema import FLOAT
from dragonnx.model.checking.tensor import Tensor
from dragonnx.model.library import open_bundle
from dragonnx.runtime import Sharing, choose_device

STEPS = 3


def generator(shared: Path | None) -> Generator:
    sharing = None if shared is None else Sharing(shared, 1)
    return Generator(open_bundle("critters"), choose_device("cpu"), 1, sharing)


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


def test_the_late_half_of_a_picture_waits_for_its_turn(tmp_path: Path) -> None:
    one = generator(tmp_path)
    w_plus = one.w_plus(SEED)
    before = np.asarray(one.image(w_plus))
    half = dict.fromkeys(name.stem for name in tmp_path.glob("image-*/image-?.onnx"))
    assert sorted(half) == ["image-1", "image-2"]
    found: list[np.ndarray] = []
    thread = threading.Thread(target=lambda: found.append(np.asarray(one.image(w_plus))))
    with Sharing(tmp_path, 1).turn():
        thread.start()
        thread.join(timeout=0.5)  # a picture takes a tenth of that
        assert thread.is_alive()
    thread.join()
    assert np.array_equal(found[0], before)


def test_a_picture_that_cannot_be_cut_is_made_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    alone = generator(None)
    w_plus = alone.w_plus(SEED)
    monkeypatch.setattr("dragonnx.model.halves.late_node", lambda *_: None)
    with caplog.at_level(logging.INFO, "dragonnx"):
        picture = np.asarray(generator(tmp_path).image(w_plus))
    assert np.array_equal(picture, np.asarray(alone.image(w_plus)))
    assert "image.onnx is run as a whole" in caplog.text
    assert not list(tmp_path.glob("image-*/image-?.onnx"))


def test_a_graph_is_cut_where_the_rest_is_a_certain_part_of_the_work() -> None:
    def node(kind: str, name: str, *names: str) -> Run:
        return Run(kind, list(names), [f"{name}_out"], SimpleNamespace(name=name))

    maps = Tensor(FLOAT, (1, 8, 4, 4))
    large = Tensor(FLOAT, (1, 8, 8, 8))
    weights = Tensor(FLOAT, (8, 8, 3, 3), is_constant=True)
    tensors = {
        "x": maps,
        "w": weights,
        "a_out": maps,
        "b_out": large,
        "c_out": large,
        "m_out": maps,
    }
    # Products by pixels: 16 of what "a" makes, 16 of what "b" reads, 64 of what "c" makes.
    nodes = [
        node("Conv", "a", "x", "w"), node("Mul", "m", "a_out", "x"),
        node("ConvTranspose", "b", "m_out", "w"), node("Conv", "c", "b_out", "w"),
    ]  # fmt: skip
    places = {1: "a", 80 / 96: "b", 0.7: "c", 0.5: None}
    assert {most: late_node(nodes, tensors, most) for most in places} == places


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
            with Sharing(tmp_path, 2).turn():
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
