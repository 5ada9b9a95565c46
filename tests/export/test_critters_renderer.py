"""The critters' renderer: the same seed gives the same bytes, and its ground truth is true."""

from __future__ import annotations

import numpy as np
import pytest

from dragonnx_critters.anatomy import mirrored_parts, parts_of
from dragonnx_critters.factors import (
    FACTOR_COUNT,
    GEOMETRY,
    Factors,
    changed,
    factors_of_z,
    mirrored,
    random_z,
)
from dragonnx_critters.landmarks import (
    LANDMARK_NAMES,
    landmarks,
    project,
    surface_points,
)
from dragonnx_critters.raycast import NOTHING, cast_grid
from dragonnx_critters.render import render, render_scene
from dragonnx_critters.scene import Scene, scene_of, to_image, to_scene
from dragonnx_critters.textures import EYE_DETAILS

SIZE = 128


@pytest.fixture(scope="module")
def facing() -> Factors:
    """A critter that looks at the viewer, eyes and mouth open."""
    neutral = factors_of_z(np.zeros(FACTOR_COUNT, np.float32))
    return changed(neutral, eye_opening=1.0, mouth=0.8, fur=0.3, marking=0.0)


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [scene_of(factors_of_z(z)) for z in random_z(5, 6)]


def colour_at(image: np.ndarray, point: np.ndarray) -> np.ndarray:
    x, y = np.rint(point).astype(int)
    return image[y, x].astype(int)


def test_the_same_seed_gives_the_same_bytes() -> None:
    first, second = (render(factors_of_z(random_z(7)[0]), SIZE) for _ in range(2))
    assert first.shape == (SIZE, SIZE, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, second)
    assert not np.array_equal(first, render(factors_of_z(random_z(8)[0]), SIZE))


def test_the_length_of_z_does_not_matter() -> None:
    z = random_z(3)[0]
    scaled = factors_of_z(3 * z)
    assert scaled.yaw == pytest.approx(factors_of_z(z).yaw, abs=1e-6)
    assert GEOMETRY.sum() == 14


def test_a_mirrored_code_is_the_mirrored_animal() -> None:
    """Training sees every render twice, so this must hold: to rounding, and to few rays at seams."""
    for code in random_z(11, 3):
        scene, mirror = (scene_of(factors_of_z(z)) for z in (code, mirrored(code[None])[0]))
        seen, other = render_scene(scene, SIZE), render_scene(mirror, SIZE)
        off = np.abs(seen.image[:, ::-1].astype(int) - other.image)
        assert np.mean(off > 2) < 1e-3
        assert off.mean() < 0.02
        swapped = np.append(mirrored_parts([e.part.name for e in scene.ellipsoids]), NOTHING)
        assert np.mean(swapped[seen.part[:, ::-1]] == other.part) > 0.999


def test_sizes_show_the_same_picture(facing: Factors) -> None:
    small = render(facing, 64, samples=4).astype(int)
    pooled = render(facing, 256, samples=1).reshape(64, 4, 64, 4, 3).mean(axis=(1, 3))
    assert np.abs(small - pooled).mean() < 0.5
    assert np.abs(small - pooled).max() <= 6


def test_parts_keep_their_place_in_every_critter(scenes: list[Scene]) -> None:
    names = [part.name for part in parts_of(scenes[0].factors)]
    assert len(set(names)) == len(names)
    for scene in scenes:
        assert [ellipsoid.part.name for ellipsoid in scene.ellipsoids] == names


def test_pixels_and_scene_units_are_inverse() -> None:
    points = np.array([[0.0, 0.0], [10.5, 99.0]])
    assert np.allclose(to_image(to_scene(points, SIZE), SIZE), points)


def test_points_are_cast_as_pixels_are(scenes: list[Scene]) -> None:
    y, x = np.mgrid[0:SIZE:5, 0:SIZE:5]
    for scene in scenes[:2]:
        grid = cast_grid(scene, SIZE).part[y.ravel(), x.ravel()]
        single = surface_points(scene, np.column_stack([x.ravel(), y.ravel()]), SIZE).part
        assert np.mean(grid == single) > 0.995  # float32 against float64, at a seam


@pytest.mark.parametrize("turn", [-0.5, 0.0, 0.5])
def test_landmarks_lie_where_the_image_shows_them(facing: Factors, turn: float) -> None:
    scene = scene_of(changed(facing, yaw=turn, roll=turn / 3))
    image = render_scene(scene, SIZE).image
    truth = landmarks(scene, SIZE)
    at = dict(zip(LANDMARK_NAMES, truth.points, strict=True))
    assert truth.visible[LANDMARK_NAMES.index("nose")]
    assert colour_at(image, at["nose"] + [0, 2]).max() < 90  # below the highlight
    owners = surface_points(scene, truth.points, SIZE).part
    for name, index in zip(LANDMARK_NAMES, range(len(owners)), strict=True):
        if "eye" in name and truth.visible[index]:
            assert owners[index] == scene.index(name)
        if "ear tip" in name:  # just inside its ear, just outside the backdrop
            outside = at[name] + 4 * (at[name] - at["nose"]) / np.linalg.norm(at[name] - at["nose"])
            assert surface_points(scene, [outside], SIZE).part[0] == NOTHING


def test_eyes_hold_iris_pupil_and_lid(facing: Factors) -> None:
    shares = []
    for opening in (1.0, 0.35):
        scene = scene_of(changed(facing, eye_opening=opening))
        made = render_scene(scene, SIZE)
        assert not made.detail[made.part == scene.index("skull")].any()
        counts = np.bincount(made.detail[made.part == scene.index("left eye")], minlength=4)
        shares.append(dict(zip(("white", *EYE_DETAILS), counts / counts.sum(), strict=True)))
    wide, narrow = shares
    assert min(wide.values()) > 0.01
    assert narrow["lid"] > 2 * wide["lid"]
    assert narrow["pupil"] < wide["pupil"]


def test_the_light_moves_no_highlight(facing: Factors) -> None:
    scenes = [scene_of(changed(facing, light=light)) for light in (-0.9, 0.9)]
    made = [render_scene(scene, SIZE, samples=1) for scene in scenes]
    assert np.abs(made[0].image.astype(int) - made[1].image).max() > 50
    on_nose = made[0].part == scenes[0].index("nose")
    bright = (each.image.sum(axis=2) * on_nose for each in made)
    places = [np.unravel_index(np.argmax(each), each.shape) for each in bright]
    # A pixel for the shading below the highlight, which the light does change.
    assert np.abs(np.subtract(*places)).max() <= 1


def test_the_nose_leads_where_the_head_turns(facing: Factors) -> None:
    def nose(**values: float) -> np.ndarray:
        truth = landmarks(scene_of(changed(facing, **values)), SIZE)
        return truth.points[LANDMARK_NAMES.index("nose")]

    assert nose(yaw=0.4)[0] > nose()[0] + 8
    assert nose(pitch=0.3)[1] > nose()[1] + 4
    chin = LANDMARK_NAMES.index("chin")
    shut, open_ = (
        landmarks(scene_of(changed(facing, mouth=mouth)), SIZE).points[chin] for mouth in (0, 1)
    )
    assert open_[1] > shut[1] + 3


def test_surface_points_come_back_to_their_pixels(scenes: list[Scene]) -> None:
    points = np.array([[x, y] for x in range(20, SIZE, 12) for y in range(20, SIZE, 12)], float)
    for scene in scenes:
        held = surface_points(scene, points, SIZE)
        back = project(scene, held, SIZE)
        on_critter = held.part != NOTHING
        assert np.allclose(back.points[on_critter], points[on_critter], atol=1e-6)
        assert back.visible[on_critter].all()
        assert not back.visible[~on_critter].any()
        assert np.isnan(back.points[~on_critter]).all()


@pytest.mark.parametrize("move", [{"yaw": 0.12}, {"roll": 0.1}, {"ear_angle": 0.5}, {"zoom": 1.03}])
def test_a_predicted_move_is_what_rendering_again_shows(
    facing: Factors, move: dict[str, float]
) -> None:
    """Paint nothing: find a patch round the iris, the nose and the ear tip in the new render."""
    before, after = scene_of(facing), scene_of(changed(facing, **move))
    first, second = (render_scene(scene, SIZE).image.astype(float) for scene in (before, after))
    chosen = [LANDMARK_NAMES.index(name) for name in ("left eye", "nose", "right ear tip")]
    start = np.rint(landmarks(before, SIZE).points[chosen])
    predicted = project(after, surface_points(before, start, SIZE), SIZE)
    for (x0, y0), target, part in zip(
        start.astype(int), predicted.points, surface_points(before, start, SIZE).part, strict=True
    ):
        if part == NOTHING:
            continue
        patch = first[y0 - 4 : y0 + 5, x0 - 4 : x0 + 5]
        costs = {}
        cx, cy = np.rint(target).astype(int)
        for y in range(cy - 6, cy + 7):
            for x in range(cx - 6, cx + 7):
                seen = second[y - 4 : y + 5, x - 4 : x + 5]
                costs[x, y] = np.abs(seen - patch).mean() if seen.shape == patch.shape else np.inf
        found = np.array(min(costs, key=lambda at: costs[at]))
        assert np.linalg.norm(found - target) <= 1.5
