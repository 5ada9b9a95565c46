"""Generators that are closed, copied, and sent to other processes."""

from __future__ import annotations

import copy
import gc
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support.bundled import FAR, NOSE, NUM_WS, SEED, W_DIM
from support.closing import CLOSED, ends_of_three_threads_on_closing

from dragonnx import DragonnxError, DragSession, Generator, StateError
from dragonnx.model.library import find_bundle
from dragonnx.runtime.ort import onnxruntime

LATENT = np.zeros((1, NUM_WS, W_DIM), np.float32)


def opened() -> Generator:
    return Generator.open("critters", device="cpu", threads=1)


def sessions_of_onnxruntime() -> int:
    """How many graphs this process has in memory."""
    gc.collect()
    return sum(isinstance(each, onnxruntime().InferenceSession) for each in gc.get_objects())


def test_it_is_open_in_a_block_and_gives_its_memory_back() -> None:
    before = sessions_of_onnxruntime()
    with opened() as generator:
        session = DragSession(generator, generator.w_plus(SEED), [NOSE], [FAR])
        next(session)
        generator.image(session.w_plus)
        graphs = "mapping, features, those in windows, pullback, image"
        assert sessions_of_onnxruntime() == before + 5, graphs
    assert sessions_of_onnxruntime() == before, "although the session is still there"
    assert session.steps == 1


@pytest.mark.parametrize(
    "ask",
    [
        lambda g: g.w_plus(SEED),
        lambda g: g.image(LATENT),
        lambda g: g.preview(LATENT),
        lambda g: g.features(LATENT),
        lambda g: g.image_layers(LATENT),
        lambda g: list(g.placements({})),
        lambda g: next(DragSession(g, LATENT, [NOSE], [FAR])),
        lambda g: g.__enter__(),
        pickle.dumps,
        copy.copy,
    ],
)
def test_a_closed_one_says_so(ask: Callable[[Generator], object]) -> None:
    generator = opened()
    generator.close()
    generator.close()
    with pytest.raises(StateError) as refused:
        ask(generator)
    assert str(refused.value) == CLOSED
    assert isinstance(refused.value, DragonnxError)
    # What needs no graph is there still.
    assert generator.manifest.name == "critters"
    assert generator.checked_w_plus(LATENT).shape == LATENT.shape


def test_a_session_keeps_what_it_reached() -> None:
    generator = opened()
    session = DragSession(generator, generator.w_plus(SEED), [NOSE], [FAR])
    next(session)
    reached = session.w_plus, session.handle_points
    generator.close()
    for _ in range(2):
        with pytest.raises(StateError, match="was closed"):
            next(session)
    np.testing.assert_array_equal(session.w_plus, reached[0])
    np.testing.assert_array_equal(session.handle_points, reached[1])
    assert session.steps == 1


def test_closing_while_other_threads_compute() -> None:
    """Whatever they are at then ends well or is refused; nothing crashes and nothing hangs."""
    for _ in range(5):
        assert ends_of_three_threads_on_closing(opened()) == [CLOSED] * 3


def test_another_process_opens_it_again(tmp_path: Path) -> None:
    generator = opened()
    (tmp_path / "generator.pickle").write_bytes(pickle.dumps(generator))
    code = (
        "import pickle, pathlib, sys\n"
        "generator = pickle.loads(pathlib.Path('generator.pickle').read_bytes())\n"
        "assert (generator.device.name, generator.threads) == ('cpu', 1)\n"
        f"sys.stdout.buffer.write(generator.image(generator.w_plus({SEED})).tobytes())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=True
    )
    assert done.stderr == b""
    assert done.stdout == generator.image(generator.w_plus(SEED)).tobytes()


def test_a_relative_folder_is_found_from_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = find_bundle("critters")
    monkeypatch.chdir(folder.parent)
    pickled = pickle.dumps(Generator.open(f"./{folder.name}", device="cpu"))
    monkeypatch.chdir(tmp_path)
    assert pickle.loads(pickled).manifest.name == "critters"


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g))]
)
def test_a_copy_is_another_generator(copied: Callable[[Generator], Generator]) -> None:
    generator = opened()
    expected = generator.w_plus(SEED)
    other = copied(generator)
    generator.close()
    assert other.threads == 1
    np.testing.assert_array_equal(other.w_plus(SEED), expected)
