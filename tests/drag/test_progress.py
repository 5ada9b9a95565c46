"""Drags that are interrupted and go on: to the bit as if they never had been."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.bundled import EYE, EYE_TARGET, FAR, NOSE, NOSE_TARGET, SEED, SIZE
from support.interrupts import interrupted

import dragonnx.drag.session
from dragonnx import DragConfig, DragSession, Generator, InputError, Outcome, StateError
from dragonnx.drag.step import step_for
from dragonnx.model.passes import BoundPass

STEPS = 5
HANG = 60.0
"""Seconds after which a test that waits has failed."""


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator.open("critters", device="cpu", threads=1)


@pytest.fixture(scope="module")
def w_plus(generator: Generator) -> np.ndarray:
    return generator.w_plus(SEED)


def lower_part() -> np.ndarray:
    mask = np.zeros((SIZE, SIZE), bool)
    mask[SIZE // 3 :] = True
    return mask


ONE: dict[str, Any] = {"handle_points": [NOSE], "target_points": [FAR]}
KINDS: dict[str, dict[str, Any]] = {
    "windows": ONE,
    "windows that are planned anew within a step": {**ONE, "config": DragConfig(r1=6, r2=6)},
    "the whole map": {**ONE, "config": DragConfig(windows=False)},
    "a mask": {**ONE, "mask": lower_part()},
    "the space w": {**ONE, "config": DragConfig(space="w")},
    "the released preset": {**ONE, "config": DragConfig(preset="released")},
    "the paper's preset": {**ONE, "config": DragConfig(preset="paper")},
    "two points": {"handle_points": [NOSE, EYE], "target_points": [NOSE_TARGET, EYE_TARGET]},
}


def session_of(
    generator: Generator, w_plus: np.ndarray, given: dict[str, Any] | None = None, **further: Any
) -> DragSession:
    given = ONE if given is None else given
    config = replace(given.get("config", DragConfig()), max_steps=STEPS)
    return DragSession(generator, w_plus, **{**given, "config": config, **further})


def assert_same(found: DragSession, expected: DragSession) -> None:
    """Every bit of what they reached, but for how long it took."""
    np.testing.assert_array_equal(found.w_plus, expected.w_plus)
    np.testing.assert_array_equal(found.trace, expected.trace)
    np.testing.assert_array_equal(found.latents, expected.latents)
    assert [s.losses for s in found.done_steps] == [s.losses for s in expected.done_steps]
    assert [s.number for s in found.done_steps] == list(range(1, found.steps + 1))
    assert found.outcome is expected.outcome


@pytest.mark.parametrize("kind", KINDS)
def test_it_goes_on_from_every_step(
    generator: Generator, w_plus: np.ndarray, tmp_path: Path, kind: str
) -> None:
    whole = session_of(generator, w_plus, KINDS[kind], keep_latents=True)
    whole.save(tmp_path / "0.npz")
    for step in whole:
        whole.save(tmp_path / f"{step.number}.npz")
    assert whole.steps == STEPS
    for done in range(STEPS + 1):
        later = session_of(generator, w_plus, KINDS[kind], keep_latents=True)
        later.resume(tmp_path / f"{done}.npz")
        assert later.steps == done
        np.testing.assert_array_equal(later.trace, whole.trace[: done + 1])
        list(later)
        assert_same(later, whole)


def test_it_goes_on_where_the_map_stays_on_the_device(
    generator: Generator, w_plus: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = functools.partial(step_for, map_on_device=True)
    monkeypatch.setattr(dragonnx.drag.session, "step_for", there)
    test_it_goes_on_from_every_step(generator, w_plus, tmp_path, "a mask")


def test_it_goes_on_in_another_process(
    generator: Generator, w_plus: np.ndarray, tmp_path: Path
) -> None:
    whole = session_of(generator, w_plus)
    next(whole)
    next(whole)
    whole.save(tmp_path / "progress.npz")
    list(whole)
    code = (
        "import sys\n"
        "from dragonnx import DragConfig, DragSession, Generator\n"
        "generator = Generator.open('critters', device='cpu', threads=1)\n"
        f"session = DragSession(generator, generator.w_plus({SEED}), [{NOSE}], [{FAR}],\n"
        f"                      config=DragConfig(max_steps={STEPS}))\n"
        "session.resume('progress.npz')\n"
        "assert len(list(session)) == session.steps - 2\n"
        "sys.stdout.buffer.write(session.w_plus.tobytes() + session.trace.tobytes())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=True
    )
    assert done.stdout == whole.w_plus.tobytes() + whole.trace.tobytes()


def test_a_session_that_has_begun_goes_back(
    generator: Generator, w_plus: np.ndarray, tmp_path: Path
) -> None:
    session, whole = (session_of(generator, w_plus) for _ in range(2))
    next(session)
    session.save(tmp_path / "progress.npz")
    list(session)
    assert session.outcome is Outcome.MAX_STEPS
    session.resume(str(tmp_path / "progress.npz"))
    assert (session.steps, session.outcome) == (1, None)
    list(session)
    list(whole)
    assert_same(session, whole)


def test_a_higher_limit_lets_it_go_on(
    generator: Generator, w_plus: np.ndarray, tmp_path: Path
) -> None:
    whole = DragSession(generator, w_plus, **ONE, config=DragConfig(max_steps=STEPS + 2))
    list(whole)
    short = session_of(generator, w_plus)
    list(short)
    short.save(tmp_path / "progress.npz")
    longer = DragSession(
        generator, w_plus, **ONE, config=DragConfig(max_steps=STEPS + 2, stop_distance=3.0)
    )
    longer.resume(tmp_path / "progress.npz")
    assert len(list(longer)) == 2
    assert_same(longer, whole)


def test_a_cancelled_drag_goes_on(generator: Generator, w_plus: np.ndarray, tmp_path: Path) -> None:
    whole, stopped, later = (session_of(generator, w_plus) for _ in range(3))
    next(stopped)
    stopped.cancel()
    assert next(stopped, None) is None
    stopped.save(tmp_path / "progress.npz")
    later.resume(tmp_path / "progress.npz")
    list(later)
    list(whole)
    assert_same(later, whole)


@pytest.mark.parametrize(
    ("kind", "map_on_device"), [("windows", None), ("a mask", False), ("a mask", True)]
)
def test_an_interrupt_at_any_moment_changes_nothing(
    generator: Generator,
    w_plus: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    map_on_device: bool | None,
) -> None:
    """As Ctrl+C does it: at a line of the step, whichever; the step is then made again."""
    method = functools.partial(step_for, map_on_device=map_on_device)
    monkeypatch.setattr(dragonnx.drag.session, "step_for", method)
    config = replace(KINDS[kind].get("config", DragConfig()), max_steps=20)
    whole, broken = (
        DragSession(generator, w_plus, **{**KINDS[kind], "config": config}) for _ in range(2)
    )
    interrupted(lambda: next(whole), None)  # loads graphs
    lines = interrupted(lambda: next(whole), None)
    random = np.random.default_rng(5)
    list(whole)
    while broken.outcome is None:
        before = broken.steps
        interrupted(lambda: next(broken, None), int(random.integers(1, lines + 1)))
        assert broken.steps - before in (0, 1)
        next(broken, None)
    assert_same(broken, whole)


def other_sessions(generator: Generator, w_plus: np.ndarray) -> Iterator[DragSession]:
    """Each differs in one thing from the session that has one point."""
    yield session_of(generator, w_plus + np.float32(1e-3))
    for name in ("handle_points", "target_points"):
        yield session_of(generator, w_plus, {**ONE, name: [(NOSE[0] + 1, NOSE[1])]})
    yield session_of(generator, w_plus, KINDS["a mask"])
    yield session_of(generator, w_plus, KINDS["two points"])
    for setting in (
        {"step_size": 0.01}, {"r1": 10}, {"r2": 30}, {"space": "w"}, {"trainable_layers": 3},
        {"preset": "released"}, {"windows": False},
    ):  # fmt: skip
        yield session_of(generator, w_plus, {**ONE, "config": DragConfig(**setting)})
    weighed = {**KINDS["a mask"], "config": DragConfig(lambda_mask=5.0)}
    yield session_of(generator, w_plus, weighed)


def test_progress_of_another_drag_is_refused(
    generator: Generator, w_plus: np.ndarray, tmp_path: Path
) -> None:
    session = session_of(generator, w_plus)
    next(session)
    session.save(tmp_path / "progress.npz")
    others = list(other_sessions(generator, w_plus))
    assert len(others) == 13
    for other in others:
        with pytest.raises(InputError, match=r"progress\.npz: it belongs to another drag"):
            other.resume(tmp_path / "progress.npz")
        assert other.steps == 0


def test_files_that_cannot_be_gone_on_from(
    generator: Generator, w_plus: np.ndarray, tmp_path: Path
) -> None:
    path = tmp_path / "progress.npz"
    session = session_of(generator, w_plus)
    next(session)
    session.save(path)
    whole = path.read_bytes()
    with pytest.raises(InputError, match="no latents of the steps that were done"):
        session_of(generator, w_plus, keep_latents=True).resume(path)
    with pytest.raises(InputError, match=r"missing\.npz cannot be read"):
        session.resume(tmp_path / "missing.npz")
    for content in (b"", whole[: len(whole) // 2], b"PK\x03\x04 nothing"):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"progress\.npz"):
            session.resume(path)
    for name, spoil in {
        "w_plus": lambda a: a[:, :-1],
        "mean": lambda a: a.astype(np.float32),
        "square": lambda a: -a,
        "trace": lambda a: a + 1000,
        "losses": lambda a: a * np.nan,
        "seconds": lambda a: a[:0],
        "facts": lambda a: np.array(str(a).replace('"steps": 1', '"steps": 10000000')),
    }.items():
        path.write_bytes(whole)
        with np.load(path) as archive:
            arrays = dict(archive)
        np.savez(path, **{**arrays, name: spoil(arrays[name])})
        with pytest.raises(InputError, match=r"progress\.npz: "):
            session.resume(path)
    assert session.steps == 1


def test_where_it_was_computed_is_told_if_that_is_elsewhere(
    generator: Generator, w_plus: np.ndarray, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "progress.npz"
    session = session_of(generator, w_plus)
    next(session)
    session.save(path)
    with caplog.at_level("INFO", "dragonnx"):
        session.resume(path)
        assert not caplog.records
        elsewhere = Generator.open("critters", device="cpu", threads=2)
        other = session_of(elsewhere, w_plus)
        other.resume(path)
    (record,) = caplog.records
    assert "computed on cpu in float32, 1 threads" in record.getMessage()
    assert other.steps == 1
    with np.load(path) as archive:
        assert json.loads(str(archive["facts"]))["steps"] == 1


def test_two_threads_in_one_session_are_refused(
    generator: Generator, w_plus: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, alone = (session_of(generator, w_plus) for _ in range(2))
    next(session)
    at_work, go_on = threading.Event(), threading.Event()
    pull_back = BoundPass.pull_back

    def held(self: BoundPass) -> np.ndarray:
        at_work.set()
        assert go_on.wait(HANG)
        return pull_back(self)

    monkeypatch.setattr(BoundPass, "pull_back", held)
    thread = threading.Thread(target=next, args=(session,))
    thread.start()
    assert at_work.wait(HANG)
    session.save(tmp_path / "progress.npz")  # what was reached before
    for ask in (lambda: next(session), lambda: session.resume(tmp_path / "progress.npz")):
        with pytest.raises(StateError, match="another thread is at work on this drag"):
            ask()
    assert session.steps == 1
    go_on.set()
    thread.join(HANG)
    assert session.steps == 2
    list(session)
    list(alone)
    assert_same(session, alone)
    session.resume(tmp_path / "progress.npz")
    assert session.steps == 1


def test_what_a_step_tells_cannot_change_the_drag(generator: Generator, w_plus: np.ndarray) -> None:
    session = session_of(generator, w_plus)
    step = next(session)
    for array in (step.handle_points, step.distances):
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 0
    session.trace[:] = 0
    session.handle_points[:] = 0
    assert session.handle_points.any()
