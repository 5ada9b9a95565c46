"""The kernels let other Python threads run, and may run in several at once."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from dragonnx import _core
from dragonnx._core import MaskPlan, Threads, WindowPlan

# One plan and one pool for all Python threads.
THREADS = Threads(2)
PLAN = MaskPlan(np.zeros((256, 256), bool), (64, 64))


def penalty(seed: int) -> tuple[float, bytes]:
    features, reference = (
        np.random.default_rng(seed).normal(size=(2, 32, 64, 64)).astype(np.float32)
    )
    grad = np.zeros_like(features)
    loss = _core.mask_penalty(features, reference, PLAN, 20.0, grad, THREADS)
    return loss, grad.tobytes()


@pytest.fixture
def no_forced_switches() -> Iterator[None]:
    """Makes a thread keep the interpreter until it gives it up by itself."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("no_forced_switches")
def test_another_thread_runs_during_a_call() -> None:
    """A tick between the two reads of the counter happened inside the kernel.

    The main thread gives up the interpreter nowhere else. The operating system may be late to run
    the other thread, so it gets many chances.
    """
    features = np.random.default_rng(0).normal(size=(64, 64, 64)).astype(np.float32)
    reference, grad = np.zeros_like(features), np.zeros_like(features)
    ticks = 0
    stop = threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not stop.is_set():
            ticks += 1
            time.sleep(0)

    ticking = threading.Thread(target=tick)
    ticking.start()
    try:
        ran = False
        for _ in range(200):
            before = ticks
            _core.mask_penalty(features, reference, PLAN, 20.0, grad, THREADS)
            ran = ran or ticks > before
            if ran:
                break
    finally:
        stop.set()
        ticking.join()
    assert ran


def test_many_threads_get_what_one_gets() -> None:
    seeds = range(8)
    expected = [penalty(seed) for seed in seeds]
    with ThreadPoolExecutor(max_workers=8) as pool:
        for _ in range(4):
            assert list(pool.map(penalty, seeds)) == expected


def test_threads_may_share_their_input() -> None:
    features = np.random.default_rng(1).normal(size=(1, 16, 32, 32)).astype(np.float32)
    points = np.array([[40.25, 70.5], [100.0, 3.0]])
    plan = WindowPlan.whole((32, 32), (128, 128), 2)

    def supervise(_: int) -> bytes:
        grad = np.zeros_like(features)
        _core.motion_supervision(features, plan, points, points[::-1].copy(), 3.0, grad, THREADS)
        return grad.tobytes()

    with ThreadPoolExecutor(max_workers=8) as pool:
        assert len(set(pool.map(supervise, range(64)))) == 1


def test_threads_tell_their_number() -> None:
    assert [Threads(count).count for count in (None, 1, 3)] == [None, 1, 3]
    assert repr(Threads(2)) == "Threads(count=2)"
    assert repr(Threads()) == "Threads(count=None)"
    with pytest.raises(AttributeError):
        Threads(1).count = 2  # type: ignore[misc]


def test_more_threads_than_any_kernel_can_use_are_not_started() -> None:
    assert Threads(2**62).count == 256


@pytest.mark.parametrize("count", [0, -1, -(2**63)])
def test_work_needs_a_thread(count: int) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        Threads(count)
    assert str(caught.value) == f"count must be at least 1 thread, got {count}"


@pytest.mark.skipif(
    not Path("/proc/self/task").is_dir(), reason="this system does not list a process's threads"
)
@pytest.mark.parametrize(("threads", "started"), [("1", 0), ("3", 3)])
def test_a_penalty_starts_no_other_threads(threads: str, started: int) -> None:
    """In a process of its own, where nothing else has used the pool of all cores."""
    script = f"""
import os, numpy as np
from dragonnx import _core
before = len(os.listdir("/proc/self/task"))
threads = _core.Threads({threads})
features = np.ones((64, 64, 64), np.float32)
plan = _core.MaskPlan(np.zeros((64, 64), bool), (64, 64))
_core.mask_penalty(features, features * 0, plan, 1.0, np.zeros_like(features), threads)
print(len(os.listdir("/proc/self/task")) - before)
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(run.stdout) == started
