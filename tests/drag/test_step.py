"""A step as state in, state out, and the terms of its loss."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given as given_values
from hypothesis import settings
from hypothesis import strategies as st
from support.bundled import NOSE, NOSE_TARGET, SEED, SIZE

from dragonnx._core import MaskPlan, Threads, mask_penalty
from dragonnx.drag import terms
from dragonnx.drag.config import DragConfig
from dragonnx.drag.graphs import DragGraphName, drag_graph
from dragonnx.drag.problem import DragProblem
from dragonnx.drag.session import DragSession
from dragonnx.drag.step import HostStep, device_features, step_for
from dragonnx.drag.terms import mask as terms_mask
from dragonnx.drag.terms.mask import DeviceMaskPenalty
from dragonnx.model.bundle import Bundle
from dragonnx.model.generator import Generator
from dragonnx.model.library import find_bundle
from dragonnx.runtime import CPU, Buffer, Device, Graph

HANDLES, TARGETS = np.array([NOSE], np.float64), np.array([NOSE_TARGET], np.float64)


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator.open(device="cpu", threads=1)


def problem(
    generator: Generator, mask: np.ndarray | None = None, *, windows: bool = True
) -> DragProblem:
    settings = DragConfig(preset="paper", windows=windows).settings(
        image_height=SIZE,
        point_count=1,
        trainable_layers=generator.manifest.trainable_layers,
        recommended=generator.manifest.drag_settings,
    )
    return DragProblem(settings, TARGETS, mask, Threads(1))


def half_mask() -> np.ndarray:
    mask = np.zeros((SIZE, SIZE), bool)
    mask[:, : SIZE // 2] = True
    return mask


WAYS: dict[str, Callable[[Generator], HostStep]] = {
    "windows": lambda g: step_for(g, problem(g)),
    "whole map": lambda g: step_for(g, problem(g, windows=False)),
    "masked": lambda g: step_for(g, problem(g, half_mask())),
    "map on the device": lambda g: step_for(g, problem(g, windows=False), map_on_device=True),
    "masked on the device": lambda g: step_for(g, problem(g, half_mask()), map_on_device=True),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_state_is_a_value(generator: Generator, way: str) -> None:
    """The same state gives the same next state, however often it is asked."""
    method = WAYS[way](generator)
    first = method.init(generator.w_plus(SEED), HANDLES)
    kept = first.w_plus.copy()
    second, losses = method.step(first)
    method.step(second)
    again, losses_again = method.step(first)
    np.testing.assert_array_equal(first.w_plus, kept)
    np.testing.assert_array_equal(again.w_plus, second.w_plus)
    np.testing.assert_array_equal(again.handle_points, second.handle_points)
    assert losses == losses_again


def test_a_session_makes_the_same_steps(generator: Generator) -> None:
    method = step_for(generator, problem(generator))
    state = method.init(generator.w_plus(SEED), HANDLES)
    config = DragConfig(preset="paper")
    session = DragSession(generator, generator.w_plus(SEED), HANDLES, TARGETS, config=config)
    for _ in range(3):
        state, losses = method.step(state)
        step = next(session)
        assert step.losses == losses
        np.testing.assert_array_equal(session.w_plus, state.w_plus)


@pytest.mark.parametrize("mask", [None, half_mask()], ids=["free", "masked"])
@pytest.mark.parametrize("count", [1, 3])
def test_the_map_may_stay_on_the_device(
    generator: Generator, mask: np.ndarray | None, count: int
) -> None:
    """The same drag, whether the whole map comes to the kernels or only windows of it do."""
    handles = HANDLES + np.array([[0.0, 0.0], [20.0, -30.0], [-40.0, 15.0]])[:count]
    given = replace(
        problem(generator, mask, windows=False),
        target_points=np.repeat(TARGETS, count, axis=0) + 3 * np.arange(count)[:, None],
    )
    ways = [step_for(generator, given, map_on_device=there) for there in (False, True)]
    states = [way.init(generator.w_plus(SEED), handles) for way in ways]
    for _ in range(4):
        (host, on_host), (device, on_device) = (
            way.step(state) for way, state in zip(ways, states, strict=True)
        )
        states = [host, device]
        np.testing.assert_array_equal(device.handle_points, host.handle_points)
        assert set(on_device) == set(on_host) == {"motion", *(["mask"] if mask is not None else [])}
        for name in on_host:
            # The graph and the kernel add the same float32 terms in another order.
            assert on_device[name] == pytest.approx(on_host[name], rel=1e-3, abs=1e-7)
    # A sign within rounding of zero may differ, and Adam's first steps follow signs: compared with
    # how far the latent has come, so little moves it.
    moved = np.linalg.norm(states[0].w_plus - generator.w_plus(SEED))
    assert np.linalg.norm(states[1].w_plus - states[0].w_plus) < 0.01 * moved


@settings(max_examples=40, deadline=None)
@given_values(
    channels=st.integers(1, 9), size=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    times=st.tuples(st.floats(1, 5), st.floats(1, 5)), seed=st.integers(0, 1000),
    together=st.integers(1, 9),
)  # fmt: skip
def test_the_mask_penalty_is_the_same_on_the_device(
    generator: Generator, channels: int, size: tuple[int, int], times: tuple[float, float],
    seed: int, together: int,
) -> None:  # fmt: skip
    random = np.random.default_rng(seed)
    image = tuple(round(cells * factor) for cells, factor in zip(size, times, strict=True))
    mask = random.random(image) < 0.5
    given = replace(problem(generator), mask=mask)
    reference, features, before = random.standard_normal((3, 1, channels, *size), np.float32)
    expected = before.copy()
    plan = MaskPlan(mask, size)
    weight = given.settings.lambda_mask
    loss = mask_penalty(features[0], reference[0], plan, weight, expected[0], Threads(1))

    lies, grad = (Buffer.empty(generator.device, features.shape) for _ in range(2))
    lies.write(reference)
    grad.write(before)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(terms_mask, "_SCRATCH", 12 * together * image[0] * image[1])
        term = DeviceMaskPenalty(given, generator.device, 1, lies, grad)
    lies.write(features)
    # Sums of up to a few thousand float32 terms in another order.
    assert term.add() == pytest.approx(loss, rel=1e-4, abs=1e-6)
    np.testing.assert_allclose(grad.read(), expected, atol=1e-5 * weight)


def test_only_products_that_tf32_keeps_exact_are_in_tf32(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows are picked in float32; signs and taps of the mask penalty lose nothing in TF32."""
    opened: dict[str, str] = {}

    def noted(name: DragGraphName, device: Device, threads: int | None) -> Graph:
        opened[name] = device.precision
        return drag_graph(name, device, threads)

    for module in (device_features, terms_mask):
        monkeypatch.setattr(module, "drag_graph", noted)
    card = Device(CPU, precision="tf32")  # on the CPU it changes nothing
    generator = Generator(Bundle.open(find_bundle("critters")), card, threads=1)
    method = step_for(generator, problem(generator, half_mask()), map_on_device=True)
    method.init(generator.w_plus(SEED), HANDLES)
    assert opened == {"take_windows": "float32", "put_windows": "float32", "mask_penalty": "tf32"}


def test_terms_apply_where_they_are_asked_for(generator: Generator) -> None:
    mask = np.ones((SIZE, SIZE), bool)
    mask[0] = False
    names = [
        [term.name for term in terms.terms_for(problem(generator, each))] for each in (None, mask)
    ]
    assert names == [["motion"], ["motion", "mask"]]


def test_a_new_term_is_one_file(
    generator: Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pull to the start, strong enough that hardly anything else counts."""
    (tmp_path / "pull.py").write_text(
        textwrap.dedent("""
            from dragonnx.drag.terms.base import LatentTerm

            class Pull(LatentTerm):
                name = "pull"

                def __init__(self, problem, w_plus):
                    self.start = w_plus

                def add_to(self, grad_w_plus, w_plus):
                    away = w_plus - self.start
                    grad_w_plus += 1e6 * away[:, : grad_w_plus.shape[1]]
                    return 5e5 * float((away**2).sum())
        """),
        "utf-8",
    )
    monkeypatch.setattr(terms, "__path__", [*terms.__path__, str(tmp_path)])
    start = generator.w_plus(SEED)
    session = DragSession(generator, start, HANDLES, TARGETS)
    steps = [next(session) for _ in range(6)]
    sys.modules.pop("dragonnx.drag.terms.pull")
    assert [set(step.losses) for step in steps] == [{"motion", "pull"}] * 6
    assert steps[0].losses["pull"] == 0
    assert steps[-1].loss == sum(steps[-1].losses.values())
    monkeypatch.undo()
    free = DragSession(generator, start, HANDLES, TARGETS)
    for _ in range(6):
        next(free)
    assert np.abs(session.w_plus - start).max() < np.abs(free.w_plus - start).max()
