"""Drags of the bundled model, from the public interface."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from support.bundled import (
    EYE,
    EYE_TARGET,
    FAR,
    LANDMARKS,
    NOSE,
    NOSE_LANDMARK,
    NOSE_TARGET,
    NUM_WS,
    SEED,
    SIZE,
)

from dragonnx import DragConfig, DragSession, Generator, InputError, Outcome, _core
from dragonnx.drag.config import PRESETS, PresetName
from dragonnx.model.passes import FeaturePass
from dragonnx.runtime import CPU, Device, Graph


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator.open("critters", device="cpu", threads=1)


@pytest.fixture(scope="module")
def w_plus(generator: Generator) -> np.ndarray:
    return generator.w_plus(SEED)


def nose(generator: Generator, w_plus: np.ndarray) -> np.ndarray:
    """Where an estimator that was trained on renders sees the nose: (x, y)."""
    estimator = Graph(LANDMARKS, Device(CPU))
    points, _ = estimator.run({"image": generator.image_layers(w_plus).image})
    return points["points"][0, NOSE_LANDMARK]


def test_a_nose_follows_its_target(generator: Generator, w_plus: np.ndarray) -> None:
    session = DragSession(generator, w_plus, [NOSE], [NOSE_TARGET])
    steps = list(session)
    assert session.outcome is Outcome.REACHED
    assert [step.number for step in steps] == list(range(1, len(steps) + 1))
    assert steps[-1].distances.max() <= session.settings.stop_distance
    # What is seen must have moved as far as what is tracked; the estimator errs by 3 px at most.
    assert np.linalg.norm(nose(generator, w_plus) - NOSE) < 3
    assert np.linalg.norm(nose(generator, session.w_plus) - NOSE_TARGET) < 5
    # The animal is still itself: its colours have hardly changed where it has not moved.
    before, after = (np.asarray(generator.image(w)).astype(float) for w in (w_plus, session.w_plus))
    assert np.abs(after - before)[: SIZE // 5].mean() < 10


@pytest.mark.parametrize("drags", [4, pytest.param(16, marks=pytest.mark.slow)])
def test_released_settings_reach_random_targets(generator: Generator, drags: int) -> None:
    """Wherever they are, on features, fur or backdrop: an eighth of the image away."""
    random = np.random.default_rng(0)
    counts = []
    for seed in range(100, 100 + drags):
        handle = random.uniform(0.31 * SIZE, 0.69 * SIZE, 2).round()
        angle = random.uniform(0, 2 * np.pi)
        target = handle + SIZE / 8 * np.array([np.cos(angle), np.sin(angle)])
        session = DragSession(
            generator,
            generator.w_plus(seed),
            [handle],
            [target],
            config=DragConfig(preset="released"),
        )
        counts.append(len(list(session)))
        assert session.outcome is Outcome.REACHED, seed
    assert np.median(counts) <= 150


def test_a_mask_keeps_the_rest_still(generator: Generator, w_plus: np.ndarray) -> None:
    mask = np.zeros((SIZE, SIZE), bool)
    mask[int(0.4 * SIZE) :] = True
    free = DragSession(generator, w_plus, [NOSE], [NOSE_TARGET], config=DragConfig(max_steps=12))
    held = DragSession(
        generator, w_plus, [NOSE], [NOSE_TARGET], mask=mask,
        config=DragConfig(max_steps=12, lambda_mask=200),
    )  # fmt: skip
    assert all(set(step.losses) == {"motion"} for step in free)
    # Before the first step nothing has moved; from the second the penalty speaks.
    assert [step.losses["mask"] > 0 for step in held] == [False] + [True] * 11
    start = generator.features(w_plus).features

    def change(session: DragSession) -> float:
        moved = np.abs(generator.features(session.w_plus).features - start)
        return float(moved[:, :, : int(0.4 * moved.shape[2])].mean())

    assert change(held) < 0.5 * change(free)


def test_the_weight_of_no_mask_is_refused(generator: Generator, w_plus: np.ndarray) -> None:
    config = DragConfig(lambda_mask=5.0)
    with pytest.raises(InputError, match="lambda_mask is the weight of a mask: give one"):
        DragSession(generator, w_plus, [NOSE], [NOSE_TARGET], config=config)
    everything = np.ones((SIZE, SIZE), bool)
    DragSession(generator, w_plus, [NOSE], [NOSE_TARGET], everything, config)


def test_only_trained_layers_change(generator: Generator, w_plus: np.ndarray) -> None:
    config = DragConfig(trainable_layers=2, max_steps=2)
    session = DragSession(generator, w_plus, [NOSE], [NOSE_TARGET], config=config)
    list(session)
    changed = (session.w_plus != w_plus).any(axis=(0, 2))
    assert changed.tolist() == [True, True] + [False] * (NUM_WS - 2)


def test_the_start_is_not_changed(generator: Generator, w_plus: np.ndarray) -> None:
    before = w_plus.copy()
    session = DragSession(generator, w_plus, [NOSE], [NOSE_TARGET], config=DragConfig(max_steps=1))
    next(session)
    np.testing.assert_array_equal(w_plus, before)
    session.w_plus[:] = 0
    assert session.w_plus.any()


def test_several_points(generator: Generator, w_plus: np.ndarray) -> None:
    session = DragSession(generator, w_plus, [NOSE, EYE], [NOSE_TARGET, EYE_TARGET])
    steps = list(session)
    assert session.outcome is Outcome.REACHED
    assert steps[0].handle_points.shape == (2, 2)
    assert steps[0].distances.shape == (2,)


def test_a_drag_that_is_already_there_takes_no_step(
    generator: Generator, w_plus: np.ndarray
) -> None:
    session = DragSession(generator, w_plus, [NOSE], [(NOSE[0] + 0.5, NOSE[1])])
    assert list(session) == []
    assert session.outcome is Outcome.REACHED


def test_what_a_notebook_shows_of_it(generator: Generator, w_plus: np.ndarray) -> None:
    assert repr(generator) == f"<Generator critters: {SIZE} x {SIZE} px, on cpu in float32>"
    session = DragSession(generator, w_plus, [NOSE], [NOSE_TARGET], config=DragConfig(max_steps=1))
    assert repr(session) == "<DragSession: 0 of at most 1 steps, 40.0 px to go>"
    list(session)
    left = f"{session.distances.max():.1f}"
    assert repr(session) == f"<DragSession: 1 of at most 1 steps, {left} px to go, max_steps>"


@pytest.mark.parametrize(
    ("latent", "mask", "advice"),
    [
        (SEED, None, rf"generator\.w_plus\(seed={SEED}\)"),
        (np.zeros((2, NUM_WS, 192)), None, "these are 2 latents, of which"),
        (None, "mask.png", "load_mask reads one"),
    ],
)
def test_what_is_given_in_place_of_an_array_is_told_what_makes_one(
    generator: Generator, w_plus: np.ndarray, latent: object, mask: object, advice: str
) -> None:
    start = w_plus if latent is None else latent
    with pytest.raises(InputError, match=advice):
        DragSession(generator, start, [NOSE], [NOSE_TARGET], mask=mask)  # type: ignore[arg-type]


def test_the_step_limit(generator: Generator, w_plus: np.ndarray) -> None:
    session = DragSession(generator, w_plus, [NOSE], [FAR], config=DragConfig(max_steps=3))
    assert len(list(session)) == 3
    assert session.outcome is Outcome.MAX_STEPS
    assert "allow more steps" in session.outcome.advice


def test_cancelling_from_another_thread(generator: Generator, w_plus: np.ndarray) -> None:
    session = DragSession(generator, w_plus, [NOSE], [FAR])
    for step in session:
        if step.number == 2:
            thread = threading.Thread(target=session.cancel)
            thread.start()
            thread.join()
    assert session.outcome is Outcome.CANCELLED
    assert step.number == 2


def test_a_drag_goes_on_from_any_latent(generator: Generator, w_plus: np.ndarray) -> None:
    first = DragSession(generator, w_plus, [NOSE], [NOSE_TARGET], config=DragConfig(max_steps=8))
    list(first)
    second = DragSession(generator, first.w_plus, first.handle_points, first.target_points)
    list(second)
    assert second.outcome is Outcome.REACHED


def test_same_drag_same_result(generator: Generator, w_plus: np.ndarray) -> None:
    results = []
    for _ in range(2):
        session = DragSession(
            generator, w_plus, [NOSE], [NOSE_TARGET], config=DragConfig(max_steps=5)
        )
        list(session)
        results.append(session.w_plus)
    np.testing.assert_array_equal(*results)


def test_drags_in_parallel_do_not_disturb_each_other(
    generator: Generator, w_plus: np.ndarray
) -> None:
    def drag(results: dict[int, np.ndarray], key: int) -> None:
        config = DragConfig(max_steps=4)
        session = DragSession(
            generator, w_plus, [NOSE], [(NOSE[0] + 12 + key, NOSE[1] - 5)], config=config
        )
        list(session)
        results[key] = session.w_plus

    alone: dict[int, np.ndarray] = {}
    for key in range(3):
        drag(alone, key)
    together: dict[int, np.ndarray] = {}
    threads = [threading.Thread(target=drag, args=(together, key)) for key in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for key in range(3):
        np.testing.assert_array_equal(together[key], alone[key])


def test_threads_that_the_system_does_not_start(
    generator: Generator, w_plus: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(count: int | None) -> None:
        raise ValueError(f"the system starts no {count} threads")

    monkeypatch.setattr(_core, "Threads", refused)
    with pytest.raises(InputError, match="no threads for the kernels of a drag: the system starts"):
        DragSession(generator, w_plus, [NOSE], [NOSE_TARGET])


@pytest.mark.parametrize("preset", PRESETS)
def test_a_step_size_beyond_reason_is_named(
    generator: Generator, w_plus: np.ndarray, preset: PresetName
) -> None:
    config = DragConfig(preset=preset, step_size=1e38)
    session = DragSession(generator, w_plus, [NOSE], [NOSE_TARGET], config=config)
    with pytest.raises(InputError, match=r"diverged .* smaller step size than 1e\+38"):
        list(session)


@pytest.mark.parametrize("preset", PRESETS)
def test_features_that_are_no_numbers_are_named(
    generator: Generator, w_plus: np.ndarray, preset: PresetName
) -> None:
    with pytest.raises(InputError, match="features of this latent are not finite numbers"):
        list(
            DragSession(
                generator, w_plus * 1e36, [NOSE], [NOSE_TARGET], config=DragConfig(preset=preset)
            )
        )


def test_the_pullback_is_the_gradient_of_the_features(
    generator: Generator, w_plus: np.ndarray
) -> None:
    """Central differences along random directions, so that the bundle itself is what is tested."""
    random = np.random.default_rng(0)
    forward = generator.features(w_plus)
    assert isinstance(forward, FeaturePass)
    cotangent = random.standard_normal(forward.features.shape).astype(np.float32)
    gradient = generator.pullback(forward, cotangent).astype(np.float64)
    for _ in range(5):
        direction = np.zeros(w_plus.shape, np.float32)
        direction[:, :6] = random.standard_normal((1, 6, w_plus.shape[2]))
        ends = [
            (generator.features(w_plus + sign * 2e-3 * direction).features * cotangent)
            .astype(np.float64)
            .sum()
            for sign in (1, -1)
        ]
        slope = (ends[0] - ends[1]) / 4e-3
        expected = (gradient * direction[:, :6]).sum()
        # The features bend: leaky ReLUs change slope within the step. A wrong factor shows at 5 %.
        scale = np.linalg.norm(gradient) * np.linalg.norm(direction)
        assert abs(slope - expected) < 0.05 * scale / np.sqrt(direction.size)
