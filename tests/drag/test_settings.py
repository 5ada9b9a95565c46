"""What a user may ask of a drag: settings, points, masks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dragonnx import DragConfig
from dragonnx.drag.config import BEST, BEST_WITH_MASK, DragSettings, scaled_radius
from dragonnx.drag.mask import checked_mask, load_mask
from dragonnx.drag.points import checked_pairs, distances
from dragonnx.errors import InputError


def settings(config: DragConfig, **changes: object) -> DragSettings:
    facts = {"image_height": 512, "point_count": 1, "trainable_layers": 6, "recommended": {}}
    return config.settings(**(facts | changes))  # type: ignore[arg-type]


def test_the_papers_defaults() -> None:
    s = settings(DragConfig(preset="paper"))
    assert (s.step_size, s.lambda_mask, s.r1, s.r2, s.max_steps) == (2e-3, 20, 3, 12, 300)
    assert (s.tracking_distance, s.inclusive_window, s.trainable_layers) == ("l1", False, 6)
    assert s.stop_distance == 1
    assert settings(DragConfig(preset="paper"), point_count=6).stop_distance == 2


def test_the_best_preset_is_taken_where_none_is_named() -> None:
    assert settings(DragConfig()) == settings(DragConfig(preset="best"))


def test_the_released_codes_defaults() -> None:
    s = settings(DragConfig(preset="released"))
    assert (s.step_size, s.lambda_mask, s.r1, s.r2) == (1e-3, 20, 3, 12)
    assert (s.tracking_distance, s.inclusive_window) == ("l2", True)
    assert s.stop_distance == 2
    assert settings(DragConfig(preset="released"), image_height=1024).stop_distance == 4


def test_the_best_presets_step_size_is_of_spreads_and_not_of_the_model() -> None:
    s = settings(DragConfig(preset="best"), recommended={"step_size": 0.5, "r1": 9.0})
    assert (s.step_size, s.r1) == (BEST.step_size, 9)
    assert (s.coordinates, s.shared_moment, s.described_tracking) == ("principal", True, True)
    assert settings(DragConfig(preset="best", step_size=0.3)).step_size == 0.3


def test_what_suits_a_model_with_one_preset_alone() -> None:
    recommended = {"r1": 12.0, "best.r1": 5.0, "best.step_size": 0.02}
    best = settings(DragConfig(preset="best"), recommended=recommended)
    assert (best.r1, best.step_size) == (5, 0.02)
    assert settings(DragConfig(preset="best", r1=7), recommended=recommended).r1 == 7
    paper = settings(DragConfig(preset="paper"), recommended=recommended)
    assert (paper.r1, paper.step_size) == (12, 2e-3)


def test_with_a_mask_the_best_preset_takes_other_steps_and_the_others_the_same() -> None:
    config = DragConfig(preset="best")
    recommended = {"step_size": 0.5, "best.step_size": 0.4, "lambda_mask": 8.0}
    s = settings(config, masked=True, recommended=recommended)
    assert (s.coordinates, s.shared_moment) == ("even", False)
    assert (s.step_size, s.lambda_mask) == (BEST_WITH_MASK.step_size, 8)
    assert replace(
        settings(config, masked=True),
        coordinates="principal", shared_moment=True, step_size=BEST.step_size, stop_distance=1,
        stall_steps=BEST.stall_steps,
    ) == settings(config)  # fmt: skip
    for preset in ("paper", "released"):
        assert settings(DragConfig(preset=preset), masked=True) == settings(
            DragConfig(preset=preset)
        )


def test_a_person_goes_before_the_model_and_the_model_before_the_preset() -> None:
    recommended = {"r1": 12.0, "step_size": 0.01}
    s = settings(DragConfig(preset="paper", r1=5), recommended=recommended)
    assert (s.r1, s.step_size, s.r2) == (5, 0.01, 12)


@pytest.mark.parametrize(
    ("radius", "height", "pixels"),
    [(3, 512, 3), (3, 1024, 6), (12, 256, 6), (3, 128, 1), (1, 64, 1)],
)
def test_radii_scale_with_the_image(radius: float, height: int, pixels: int) -> None:
    assert scaled_radius(radius, height) == pixels


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"step_size": 0}, r"step_size must be a positive number, at most 1e\+38, not 0"),
        ({"step_size": float("nan")}, "step_size must be a positive number, .* not nan"),
        ({"step_size": "1"}, "step_size must be a positive number, .* not '1'"),
        ({"r1": -1}, "r1 must be a positive number"),
        ({"r1": 1e308}, r"r1 must be a positive number, at most 1e\+06, not 1e\+308"),
        ({"r2": float("inf")}, "r2 must be a positive number"),
        ({"r2": True}, "r2 must be a positive number"),
        ({"stop_distance": 0}, "stop_distance must be a positive number"),
        ({"lambda_mask": -1}, r"lambda_mask must be a number from 0 to 1e\+06, not -1"),
        ({"max_steps": 0}, "max_steps must be a whole number from 1 to 1000000, not 0"),
        ({"max_steps": 1.5}, "max_steps must be a whole number .* not 1.5"),
        ({"max_steps": 10**5000}, "max_steps must be .* not a number of more than 38 digits"),
        ({"trainable_layers": 0}, "trainable_layers must be a whole number from 1 to 1000"),
        ({"preset": "mine"}, "preset must be paper, released or best, not 'mine'"),
        ({"preset": ["paper"]}, "preset must be paper, released or best"),
        ({"space": "z"}, "space must be w\\+ or w, not 'z'"),
        ({"windows": 1}, "windows must be true or false, not 1"),
    ],
)
def test_settings_out_of_range(values: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        DragConfig(**values)  # type: ignore[arg-type]


def test_numpys_numbers_are_taken_as_plain_ones() -> None:
    config = DragConfig(max_steps=np.int64(7), r1=np.float32(2.5))  # type: ignore[arg-type]
    assert config == DragConfig(max_steps=7, r1=2.5)
    assert type(config.max_steps) is int
    assert type(config.r1) is float


def test_more_layers_than_the_model_can_train() -> None:
    with pytest.raises(InputError, match="at most 5 for this model, not 6"):
        settings(DragConfig(trainable_layers=6), trainable_layers=5)
    assert settings(DragConfig(), trainable_layers=5).trainable_layers == 5


SIZE = (20, 30)


@pytest.mark.parametrize(
    ("handles", "targets", "message"),
    [
        ([], [], "at least one handle point"),
        ([(1, 2)], [], "at least one target point"),
        ([(1, 2), (3, 4)], [(1, 2)], "2 handle points and 1 target points"),
        ([(30, 2)], [(1, 2)], r"handle point \(30, 2\) lies outside .* x must be from 0 to 29, y"),
        ([(1, 2)], [(1, 20)], r"target point \(1, 20\) lies outside .* y from 0 to 19"),
        ([(1, -0.1)], [(1, 2)], "lies outside"),
        ([(1, float("nan"))], [(1, 2)], "lies outside"),
        ([(1, 2, 3)], [(1, 2)], "pair of numbers"),
        ([(1, 2), (3,)], [(1, 2)], "pair of numbers"),
        ([("a", "b")], [(1, 2)], "pair of numbers"),
    ],
)
def test_points_that_do_not_fit(
    handles: list[tuple[float, ...]], targets: list[tuple[float, ...]], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        checked_pairs(handles, targets, SIZE)


def test_points_on_the_border_fit_and_are_x_y() -> None:
    handles, targets = checked_pairs([(29, 19)], [(0, 0)], SIZE)
    assert distances(handles, targets) == pytest.approx([np.hypot(29, 19)])


def test_masks() -> None:
    mask = np.zeros(SIZE, bool)
    mask[3:9] = True
    np.testing.assert_array_equal(checked_mask(mask, SIZE), mask)
    assert checked_mask(None, SIZE) is None
    assert checked_mask(np.ones(SIZE, bool), SIZE) is None, "nothing is fixed"
    with pytest.raises(InputError, match="lets nothing move"):
        checked_mask(np.zeros(SIZE, bool), SIZE)
    with pytest.raises(InputError, match=r"\[20, 30\] \(height, width\), not \[30, 20\]"):
        checked_mask(mask.T, SIZE)
    with pytest.raises(InputError, match="must be boolean"):
        checked_mask(mask.astype(float), SIZE)


def test_white_may_move(tmp_path: Path) -> None:
    picture = Image.new("RGB", (30, 20), "black")
    picture.paste("white", (0, 0, 10, 20))
    picture.save(tmp_path / "mask.png")
    mask = load_mask(tmp_path / "mask.png", SIZE)
    assert mask[:, :10].all()
    assert not mask[:, 10:].any()


def test_mask_files_that_do_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    with pytest.raises(InputError, match="No such file"):
        load_mask(path, SIZE)
    path.write_bytes(b"no picture")
    with pytest.raises(InputError, match="no picture"):
        load_mask(path, SIZE)
    Image.new("L", (20, 30)).save(path)
    with pytest.raises(InputError, match="20 x 30 pixels, but the image is 30 x 20"):
        load_mask(path, SIZE)
