"""A step as state in, state out, and the terms of its loss."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from support.bundled import NOSE, NOSE_TARGET, SEED, SIZE

from dragonnx._core import Threads
from dragonnx.drag import terms
from dragonnx.drag.config import DragConfig
from dragonnx.drag.problem import DragProblem
from dragonnx.drag.session import DragSession
from dragonnx.drag.step import HostStep
from dragonnx.model.generator import Generator

HANDLES, TARGETS = np.array([NOSE], np.float64), np.array([NOSE_TARGET], np.float64)


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator.open(device="cpu", threads=1)


def problem(generator: Generator, mask: np.ndarray | None = None) -> DragProblem:
    settings = DragConfig().settings(
        image_height=SIZE,
        point_count=1,
        trainable_layers=generator.manifest.trainable_layers,
        recommended=generator.manifest.drag_settings,
    )
    return DragProblem(settings, TARGETS, mask, Threads(1))


def test_a_state_is_a_value(generator: Generator) -> None:
    """The same state gives the same next state, however often it is asked."""
    method = HostStep(generator, problem(generator))
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
    method = HostStep(generator, problem(generator))
    state = method.init(generator.w_plus(SEED), HANDLES)
    session = DragSession(generator, generator.w_plus(SEED), HANDLES, TARGETS)
    for _ in range(3):
        state, losses = method.step(state)
        step = next(session)
        assert step.losses == losses
        np.testing.assert_array_equal(session.w_plus, state.w_plus)


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
