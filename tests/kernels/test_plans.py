"""Plans: what they tell, that nothing changes them, and what they refuse."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dragonnx._core import MaskPlan, WindowPlan

SIZE_LIMIT = "both at most 16384"


def window_plan(**changes: Any) -> WindowPlan:
    arguments = {
        "origins": np.array([[2, 1], [0, 3]]),
        "window_size": (4, 5),
        "feature_size": (8, 8),
        "image_size": (32, 64),
        "window_index": np.array([1, 0, 1]),
    }
    return WindowPlan(**{**arguments, **changes})


def whole_plan(**changes: Any) -> WindowPlan:
    arguments = {"feature_size": (8, 6), "image_size": (32, 24), "points": 3}
    return WindowPlan.whole(**{**arguments, **changes})


def mask_plan(**changes: Any) -> MaskPlan:
    return MaskPlan(**{"mask": np.zeros((16, 12), bool), "feature_size": (8, 6), **changes})


def test_a_window_plan_tells_what_it_was_made_of() -> None:
    plan = window_plan()
    assert plan.origins.tolist() == [[2, 1], [0, 3]]
    assert plan.origins.dtype == np.int64
    assert (plan.window_size, plan.feature_size, plan.image_size) == ((4, 5), (8, 8), (32, 64))
    assert plan.points == 3
    assert repr(plan) == (
        "WindowPlan(windows=2, window_size=(4, 5), feature_size=(8, 8), image_size=(32, 64), "
        "points=3)"
    )


def test_the_whole_map_is_one_window() -> None:
    plan = whole_plan()
    assert plan.origins.tolist() == [[0, 0]]
    assert plan.window_size == plan.feature_size == (8, 6)
    assert plan.points == 3


def test_a_mask_plan_tells_what_it_was_made_of() -> None:
    plan = mask_plan()
    assert (plan.image_size, plan.feature_size) == ((16, 12), (8, 6))
    assert repr(plan) == "MaskPlan(image_size=(16, 12), feature_size=(8, 6))"


def test_a_plan_cannot_be_changed() -> None:
    origins = np.array([[2, 1], [0, 3]])
    plan = window_plan(origins=origins)
    origins[:] = 0
    plan.origins[:] = 0
    assert plan.origins.tolist() == [[2, 1], [0, 3]]
    for made in [plan, mask_plan()]:
        with pytest.raises(AttributeError):
            made.image_size = (1, 1)  # type: ignore[misc]
        with pytest.raises(AttributeError):
            made.extra = 1  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("make", "changes", "message"),
    [
        (
            window_plan,
            {"window_size": (8, 4)},
            "window 0 of (8, 4) cells (height, width) at origin (2, 1) (x, y) "
            "must lie inside the feature map of (8, 8) cells",
        ),
        (
            window_plan,
            {"origins": np.array([[2, 1], [-(2**63), 2**63 - 1]])},
            "window 1 of (4, 5) cells (height, width) at origin (-9223372036854775808, "
            "9223372036854775807) (x, y) must lie inside the feature map of (8, 8) cells",
        ),
        (
            window_plan,
            {"origins": np.zeros((2, 3), np.int64)},
            "origins must have shape [2, 2], got [2, 3]",
        ),
        (
            window_plan,
            {"window_index": np.array([0, -1, 1])},
            "window_index of point 1 must be one of the 2 windows, got -1",
        ),
        (
            window_plan,
            {"origins": np.zeros((0, 2), np.int64)},
            "window_index of point 0 must be one of the 0 windows, got 1",
        ),
        (
            window_plan,
            {"window_size": (0, 4)},
            "window_size must be (height, width), both at least 1, got (0, 4)",
        ),
        (
            window_plan,
            {"image_size": (32, -1)},
            "image_size must be (height, width), both at least 1, got (32, -1)",
        ),
        (
            whole_plan,
            {"feature_size": (2**62, 2**62)},
            f"feature_size must be (height, width), {SIZE_LIMIT}, "
            "got (4611686018427387904, 4611686018427387904)",
        ),
        (whole_plan, {"points": -1}, "points must be at least 0, got -1"),
        (
            mask_plan,
            {"mask": np.zeros((0, 4), bool)},
            "mask.shape must be (height, width), both at least 1, got (0, 4)",
        ),
        (
            mask_plan,
            {"mask": np.zeros((1, 16385), bool)},
            f"mask.shape must be (height, width), {SIZE_LIMIT}, got (1, 16385)",
        ),
        (
            mask_plan,
            {"feature_size": (0, 6)},
            "feature_size must be (height, width), both at least 1, got (0, 6)",
        ),
    ],
)
def test_values_that_do_not_fit(
    make: Callable[..., Any], changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        make(**changes)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("make", "name", "value", "message"),
    [
        (
            window_plan,
            "origins",
            np.zeros((1, 2), np.int32),
            "expected a C-contiguous int64 array of 2 dimensions, got int32 of shape [1, 2]",
        ),
        (
            mask_plan,
            "mask",
            np.zeros((16, 16), np.uint8),
            "expected a C-contiguous bool array of 2 dimensions, got uint8 of shape [16, 16]",
        ),
    ],
)
def test_arrays_of_the_wrong_kind(
    make: Callable[..., Any], name: str, value: Any, message: str
) -> None:
    with pytest.raises(TypeError) as caught:
        make(**{name: value})
    assert str(caught.value) == message
    assert any(f"'{name}'" in note for note in caught.value.__notes__)


def test_more_points_than_memory_are_only_a_number() -> None:
    assert whole_plan(points=2**62).points == 2**62
