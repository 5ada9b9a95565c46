"""What the kernels refuse, in which words, and that a refusal leaves the gradient alone."""

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dragonnx import _core
from dragonnx._core import Distance, MaskPlan, Threads, WindowPlan

ROOT = Path(__file__).parents[2]
EXPECTED = "expected a C-contiguous float32 array of 4 dimensions"


def plan(points: int = 1) -> WindowPlan:
    """One window of 4 x 4 cells for every point."""
    return WindowPlan(np.array([[2, 1]]), (4, 4), (8, 8), (32, 32), np.zeros(points, np.int64))


def features() -> Any:
    return np.ones((1, 3, 4, 4), np.float32)


def point() -> Any:
    return np.array([[16.0, 12.0]])


def sample(**changes: Any) -> Any:
    arguments = {"features": features(), "plan": plan(), "points": point()}
    return _core.sample(**{**arguments, **changes})


def motion_supervision(**changes: Any) -> Any:
    arguments = {
        "features": features(),
        "plan": plan(),
        "handle_points": point(),
        "target_points": point() + 4,
        "r1": 2.0,
        "grad_features": features(),
        "threads": Threads(1),
    }
    return _core.motion_supervision(**{**arguments, **changes})


def point_tracking(**changes: Any) -> Any:
    arguments = {
        "features": features(),
        "plan": plan(),
        "handle_points": point(),
        "reference_features": np.ones((1, 3), np.float32),
        "r2": 2.0,
        "inclusive": False,
        "distance": Distance.L1,
        "threads": Threads(1),
    }
    return _core.point_tracking(**{**arguments, **changes})


def mask_penalty(**changes: Any) -> Any:
    arguments = {
        "features": features()[0],
        "reference_features": features()[0],
        "plan": MaskPlan(np.zeros((16, 16), bool), (4, 4)),
        "weight": 20.0,
        "grad_features": features()[0],
        "threads": Threads(1),
    }
    return _core.mask_penalty(**{**arguments, **changes})


def read_only(array: Any) -> Any:
    array.flags.writeable = False
    return array


def unaligned(array: Any) -> Any:
    memory = np.zeros(array.nbytes + 1, np.uint8)[1:]
    shifted = memory.view(array.dtype).reshape(array.shape)
    shifted[...] = array
    return shifted


def test_the_unchanged_calls_are_accepted() -> None:
    for call in [sample, motion_supervision, point_tracking, mask_penalty]:
        call()


@pytest.mark.parametrize(
    ("call", "name", "value", "message"),
    [
        (
            sample,
            "features",
            features().astype(float),
            f"{EXPECTED}, got float64 of shape [1, 3, 4, 4]",
        ),
        (
            sample,
            "features",
            features()[0],
            f"{EXPECTED}, got float32 of shape [3, 4, 4]",
        ),
        (
            sample,
            "features",
            features()[..., ::2],
            f"{EXPECTED}, got strides [192, 64, 16, 8] for shape [1, 3, 4, 2]",
        ),
        (
            sample,
            "features",
            unaligned(features()),
            f"{EXPECTED}, got memory that is not aligned",
        ),
        (
            sample,
            "points",
            [[1.0, 2.0]],
            "expected a C-contiguous float64 array of 2 dimensions, got an object of type list",
        ),
        (
            sample,
            "plan",
            MaskPlan(np.zeros((16, 16), bool), (4, 4)),
            "'MaskPlan' object is not an instance of 'WindowPlan'",
        ),
        (
            motion_supervision,
            "grad_features",
            read_only(features()),
            "expected a writeable array, got a read-only one",
        ),
    ],
)
def test_arrays_of_the_wrong_kind(
    call: Callable[..., Any], name: str, value: Any, message: str
) -> None:
    with pytest.raises(TypeError) as caught:
        call(**{name: value})
    assert str(caught.value) == message
    assert any(f"'{name}'" in note for note in caught.value.__notes__)


@pytest.mark.parametrize(
    ("call", "changes", "message"),
    [
        (
            sample,
            {"features": np.ones((1, 3, 8, 4), np.float32)},
            "features must have shape [1, 3, 4, 4], got [1, 3, 8, 4]",
        ),
        (
            sample,
            {"features": np.ones((1, 0, 4, 4), np.float32)},
            "features must have at least one channel, row and column, got shape [1, 0, 4, 4]",
        ),
        (sample, {"points": np.ones((2, 2))}, "points must have shape [1, 2], got [2, 2]"),
        (sample, {"plan": plan(2)}, "points must have shape [2, 2], got [1, 2]"),
        (
            sample,
            {"points": np.array([[0.0, np.inf]])},
            "points must be finite, got (0, inf) at point 0",
        ),
        (
            sample,
            {"points": np.array([[3.0, 12.0]])},
            "point 0 needs feature cells x 0..=1, y 2..=3, but its window has x 2..=5, y 1..=4",
        ),
        (
            motion_supervision,
            {"grad_features": np.ones((1, 3, 4, 3), np.float32)},
            "grad_features must have shape [1, 3, 4, 4], got [1, 3, 4, 3]",
        ),
        (
            motion_supervision,
            {"r1": 0.0},
            "r1 must be a positive, finite number of pixels, got 0",
        ),
        (
            point_tracking,
            {"r2": float("nan")},
            "r2 must be a positive, finite number of pixels, got NaN",
        ),
        (
            point_tracking,
            {"reference_features": np.ones((1, 2), np.float32)},
            "reference_features must have shape [1, 3], got [1, 2]",
        ),
        (
            mask_penalty,
            {"features": np.ones((3, 4, 5), np.float32)},
            "features must have shape [3, 4, 4], got [3, 4, 5]",
        ),
        (
            mask_penalty,
            {"features": np.ones((0, 4, 4), np.float32)},
            "features must have at least one channel, row and column, got shape [0, 4, 4]",
        ),
        (
            mask_penalty,
            {"reference_features": np.ones((3, 4, 5), np.float32)},
            "reference_features must have shape [3, 4, 4], got [3, 4, 5]",
        ),
        (
            mask_penalty,
            {"weight": -1.0},
            "weight must be finite and not negative, got -1",
        ),
    ],
)
def test_values_that_do_not_fit(
    call: Callable[..., Any], changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        call(**changes)
    assert str(caught.value) == message


def test_a_refusal_leaves_the_gradient_alone() -> None:
    """Even where the first point is fine and only the second leaves its window."""
    grad = np.zeros((1, 3, 4, 4), np.float32)
    points = np.array([[16.0, 12.0], [0.0, 0.0]])
    with pytest.raises(ValueError, match="point 1 needs feature cells"):
        motion_supervision(
            plan=plan(2), handle_points=points, target_points=points + 4, grad_features=grad
        )
    assert not grad.any()


def test_a_gradient_needs_memory_of_its_own() -> None:
    shared = features()
    with pytest.raises(TypeError, match="memory of its own"):
        motion_supervision(features=shared, grad_features=shared)


def test_read_only_inputs_are_fine() -> None:
    assert sample(features=read_only(features())).tolist() == [[1.0, 1.0, 1.0]]


def test_distance_is_a_value() -> None:
    """It sits in frozen settings, which are hashed, copied and stored."""
    assert Distance.L1 != Distance.L2
    assert len({Distance.L1, Distance.L2, copy.deepcopy(Distance.L1)}) == 2
    for distance in [Distance.L1, Distance.L2]:
        assert pickle.loads(pickle.dumps(distance)) == distance
    assert repr(Distance.L1) == "Distance.L1"


@pytest.mark.slow
def test_the_stub_says_what_the_module_is() -> None:
    """As `make lint` has it, too."""
    stubtest = [sys.executable, "-m", "mypy.stubtest", "dragonnx._core"]
    report = subprocess.run(stubtest, capture_output=True, text=True, check=False, cwd=ROOT)
    assert report.returncode == 0, report.stdout + report.stderr
