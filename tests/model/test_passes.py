"""Graphs bound to buffers that stay: the same numbers as graphs run as they come."""

from __future__ import annotations

import gc
import threading
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support.bundled import NOSE, SEED

from dragonnx.drag.windows import Geometry, plan_windows
from dragonnx.errors import DeviceError
from dragonnx.model.bundle import Bundle
from dragonnx.model.generator import Generator
from dragonnx.model.library import find_bundle
from dragonnx.runtime import CPU, Device
from dragonnx.runtime.recording import NOT_RECORDED, Recordings
from dragonnx.runtime.turns import turn


class User:
    """Somebody who drags."""


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator.open(device="cpu", threads=1)


def windows(generator: Generator, count: int, shift: float = 0.0) -> dict[str, Any]:
    points = np.array([NOSE] * count) + 7.0 * np.arange(count)[:, None] + shift
    return dict(plan_windows(points, 24, Geometry.of(generator.manifest), 16).inputs)


@pytest.mark.parametrize("cut", [None, 16])
def test_the_numbers_are_those_of_one_run(generator: Generator, cut: int | None) -> None:
    """To the bit: they are the same graphs. Also after another latent, and other windows."""
    user = User()
    bound = None
    for number in (0, 1, 2):
        w_plus = generator.w_plus(SEED + number)
        given = {} if cut is None else windows(generator, 2, shift=5.0 * number)
        once = generator.features(w_plus, cut=cut, windows=given)
        if bound is None:
            bound = generator.bound_features(user, w_plus, cut, given)
        else:
            bound.run({"w_plus": w_plus, **given})
        np.testing.assert_array_equal(bound.result.read(), once.features)
        grad = np.random.default_rng(number).standard_normal(once.features.shape, np.float32)
        bound.gradient.write(grad)
        np.testing.assert_array_equal(bound.pull_back(), generator.pullback(once, grad))


@pytest.mark.parametrize("preview", [False, True])
def test_images_likewise(generator: Generator, preview: bool) -> None:
    bound = generator.bound_image(generator.w_plus(SEED), preview=preview)
    for number in (0, 1):
        w_plus = generator.w_plus(SEED + number)
        bound.run({"w_plus": w_plus})
        once = generator.image_layers(w_plus, preview=preview)
        np.testing.assert_array_equal(bound.result.read(), once.image)
        bound.gradient.write(once.image)
        gradient = bound.pull_back()
        full = generator.image_pullback(once, once.image)
        np.testing.assert_array_equal(gradient, full[:, : gradient.shape[1]])
        assert not full[:, gradient.shape[1] :].any()


def test_users_have_buffers_of_their_own(generator: Generator) -> None:
    users = [User(), User()]
    latents = [generator.w_plus(seed) for seed in (1, 2)]
    passes = [
        generator.bound_features(user, w_plus, None, {})
        for user, w_plus in zip(users, latents, strict=True)
    ]
    for bound, w_plus in zip(passes, latents, strict=True):
        np.testing.assert_array_equal(bound.result.read(), generator.features(w_plus).features)


def test_threads_do_not_disturb_each_other(generator: Generator) -> None:
    expected = {seed: generator.features(generator.w_plus(seed)).features for seed in range(4)}
    wrong: list[int] = []

    def run(seed: int) -> None:
        user = User()
        w_plus = generator.w_plus(seed)
        bound = generator.bound_features(user, w_plus, None, {})
        for _ in range(10):
            bound.run({"w_plus": w_plus})
            if not np.array_equal(bound.result.read(), expected[seed]):
                wrong.append(seed)

    threads = [threading.Thread(target=run, args=(seed,)) for seed in expected]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_what_is_read_outlives_the_pass(generator: Generator) -> None:
    bound = generator.bound_features(User(), generator.w_plus(SEED), None, {})
    read, lies = bound.result.read(), bound.result.array
    assert lies is not None
    del bound
    gc.collect()
    np.testing.assert_array_equal(lies, read)


# --- which runs are recorded ----------------------------------------------------------------------


class Binding:
    """Whose runs they are."""


def test_only_runs_with_nothing_between_are_replayed() -> None:
    released: list[int] = []
    recordings = Recordings(released.append)
    one, other = Binding(), Binding()
    assert [recordings.number_for(one) for _ in range(4)] == [NOT_RECORDED, 1, 1, 1]
    assert released == []
    assert recordings.number_for(other) == NOT_RECORDED
    assert released == [1]
    assert [recordings.number_for(one) for _ in range(3)] == [NOT_RECORDED, 2, 2]
    assert recordings.number_for(None) == NOT_RECORDED
    assert recordings.number_for(None) == NOT_RECORDED
    assert released == [1, 2]
    assert [recordings.number_for(one) for _ in range(2)] == [NOT_RECORDED, 3]
    # In turns, nothing is ever recorded, and nothing piles up.
    turns = [recordings.number_for(each) for each in (other, one) * 5]
    assert turns == [NOT_RECORDED] * 10
    assert released == [1, 2, 3]


def test_a_binding_that_is_gone_is_not_taken_for_a_new_one() -> None:
    recordings = Recordings(lambda _number: None)
    for _ in range(20):
        binding = Binding()
        assert recordings.number_for(binding) == NOT_RECORDED
        assert recordings.number_for(binding) != NOT_RECORDED
        del binding


def test_a_pass_is_kept_for_the_next_user_where_runs_are_recorded() -> None:
    """Only one of these shapes; of others there are others."""
    device = Device(replace(CPU, replay_options={"recorded": "1"}))
    generator = Generator(Bundle.open(find_bundle("critters")), device, threads=1)
    w_plus = generator.w_plus(SEED)
    for given, cut in (({}, None), (windows(generator, 1), 16), (windows(generator, 2), 16)):
        user = User()
        first = generator.bound_features(user, w_plus, cut, given)
        beside = generator.bound_features(User, w_plus, cut, given)
        assert beside is not first
        del user
        gc.collect()
        other = generator.w_plus(SEED + 1)
        again = generator.bound_features(User, other, cut, given)
        assert again is first
        expected = generator.features(other, cut=cut, windows=given).features
        np.testing.assert_array_equal(again.result.read(), expected)


@pytest.mark.parametrize(
    "words",
    [
        "CUDA failure 2: out of memory ; GPU=0",
        "Failed to allocate memory for requested buffer of 9",
    ],
)
def test_a_full_card_is_told_in_a_sentence(words: str) -> None:
    card = Device(replace(CPU, name="cuda", replay_options={"recorded": "1"}), ordinal=1)
    with (
        pytest.raises(DeviceError, match="the memory of cuda:1 is full: close other programs"),
        turn(card),
    ):
        raise RuntimeError(words)
    with pytest.raises(RuntimeError, match="something else"), turn(card):
        raise RuntimeError("something else")


def test_threads_take_turns_on_a_card() -> None:
    card = Device(replace(CPU, replay_options={"recorded": "1"}))
    inside = most = 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(20):
            with turn(card):
                inside += 1
                most = max(most, inside)
                time.sleep(0.001)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
