"""How good drags are: cases, measures, and what an evaluation leaves in its folder."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter
from support.bundled import LANDMARKS, SEED
from support.face_models import yunet
from typer.testing import CliRunner

from dragonnx import DragConfig, Generator, InputError
from dragonnx_critters.commands import app
from dragonnx_critters.factors import factors_of_entries, factors_of_z, random_z
from dragonnx_critters.landmarks import LANDMARK_NAMES, landmarks, project, surface_points
from dragonnx_critters.reachable import CritterJudge, Shape
from dragonnx_critters.scene import scene_of
from dragonnx_export.cli import app as export_app
from dragonnx_export.evaluation import critic as criticising
from dragonnx_export.evaluation import evaluate as evaluating
from dragonnx_export.evaluation.cases import Cases
from dragonnx_export.evaluation.correspondences import mutual_nearest
from dragonnx_export.evaluation.critic import Critic
from dragonnx_export.evaluation.drags import dragged
from dragonnx_export.evaluation.entrants import Entrant, ablations
from dragonnx_export.evaluation.judge import Judge
from dragonnx_export.evaluation.measures import change, distance_from_w, sharpness

SIZE = 256
NOSE = np.array([LANDMARK_NAMES.index("nose")])


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator.open("critters", device="cpu", threads=1)


@pytest.fixture(scope="module")
def judge() -> CritterJudge:
    return CritterJudge(LANDMARKS)


@pytest.fixture
def hasty_critic(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that looked at few pictures: what it says is not what is tested."""
    monkeypatch.setattr(criticising, "LEARNED_FROM", 30)
    monkeypatch.setattr(criticising, "LIMIT_FROM", 20)


def asked(folder: Path, *further: str) -> list[str]:
    return [
        "evaluate", "--estimator", str(LANDMARKS), "-o", str(folder), "--drags", "1", "--no-plot",
        "--kind", "1 point", "--entrant", "released max_steps=3", "--entrant", "best max_steps=6",
        *further,
    ]  # fmt: skip


@pytest.mark.usefixtures("hasty_critic")
def test_an_evaluation_goes_on_where_it_was_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = CliRunner().invoke(app, asked(tmp_path))
    assert first.exit_code == 0, first.output
    results = json.loads((tmp_path / "results.json").read_text())
    names = ["released max_steps=3", "best max_steps=6"]
    assert [row["entrant"] for row in results["rows"]] == names
    assert [len(drag["looks"]) for drag in results["drags"]] == [1, 2]
    assert all(drag["strangeness"] > 0 for drag in results["drags"])
    assert all(drag["outcome"] == "max_steps" for drag in results["drags"])
    for row in results["rows"]:
        assert row["off"] < row["before"]
        assert row["entrant"] in (tmp_path / "table.md").read_text()
    Image.open(tmp_path / "sheet.jpg").verify()

    # The last line was cut short; the other drags are not made again.
    lines = (tmp_path / "drags.jsonl").read_text()
    (tmp_path / "drags.jsonl").write_text(lines[:-40])
    made = []
    real = evaluating.dragged
    monkeypatch.setattr(evaluating, "dragged", lambda *a: made.append(a) or real(*a))
    assert CliRunner().invoke(app, asked(tmp_path)).exit_code == 0
    assert [(entrant.name, number) for _, _, _, entrant, _, number, _ in made] == [(names[1], 0)]
    again = json.loads((tmp_path / "results.json").read_text())
    for found, before in zip(again["rows"], results["rows"], strict=True):
        assert {**found, "seconds": 0} == {**before, "seconds": 0}

    other = CliRunner().invoke(app, asked(tmp_path, "--seed", "1"))
    assert isinstance(other.exception, InputError)
    assert "holds the drags of another evaluation" in str(other.exception)


@pytest.mark.usefixtures("hasty_critic")
def test_pictures_of_pairs_come_nearer_to_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = [
        "evaluate", "--estimator", str(LANDMARKS), "-o", str(tmp_path), "--drags", "1", "--no-plot",
        "--kind", "pair", "--entrant", "best max_steps=12",
    ]  # fmt: skip
    first = CliRunner().invoke(app, options)
    assert first.exit_code == 0, first.output
    (row,) = json.loads((tmp_path / "results.json").read_text())["rows"]
    found = row["reconstruction"]
    assert found["error"] < 0.8 * found["error_before"]
    assert row["off"] < 0.5 * row["before"]
    assert (found["perceptual"], row["tracking"]) == (None, None)
    table = (tmp_path / "table.md").read_text()
    assert f"| {found['error_before']:.4f} | {found['error']:.4f} |" in table
    monkeypatch.setattr(evaluating, "dragged", lambda *_: pytest.fail("its score lies there"))
    again = CliRunner().invoke(app, options)
    assert again.exit_code == 0, again.output
    assert (tmp_path / "table.md").read_text() == table


def test_points_that_pictures_have_in_common(generator: Generator, judge: CritterJudge) -> None:
    w_plus = generator.w_plus(SEED)
    places = judge.places(generator.image(w_plus))
    for find in (judge.correspondences, super(CritterJudge, judge).correspondences):
        here, there = find(
            generator, (w_plus, w_plus), (places, places), 20, np.random.default_rng(0)
        )
        assert here.shape == (20, 2)
        # Rays are cast in float64; a cell is its own nearest.
        np.testing.assert_allclose(here, there, atol=1e-6)
    with pytest.raises(InputError, match=r"features in common, and 5000 are wanted"):
        mutual_nearest(generator, w_plus, w_plus, 5000, np.random.default_rng(0))


def test_a_network_calls_the_same_what_the_renderer_does(
    generator: Generator, judge: CritterJudge
) -> None:
    first, second = generator.w_plus(SEED), generator.w_plus(SEED)
    second += 0.5 * (generator.w_plus(SEED + 3) - second)
    rng = np.random.default_rng(0)
    here, there = mutual_nearest(generator, first, second, 200, rng)
    shapes = [Shape.seen(judge.places(generator.image(w)), SIZE) for w in (first, second)]
    scenes = [scene_of(factors_of_entries(shape.entries)) for shape in shapes]
    seen = project(scenes[1], surface_points(scenes[0], here, SIZE), SIZE)
    off, moved = (
        np.median(np.linalg.norm(points - seen.points, axis=1)[seen.visible])
        for points in (there, here)
    )
    assert off < 4  # px, as wide as a cell
    assert moved > 1.5 * off


def test_cases_are_the_same_for_a_seed(generator: Generator, judge: CritterJudge) -> None:
    first, again, other = (
        next(Cases(generator, judge, seed).drawn("1 point, mask", 4)) for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first.handles, again.handles)
    assert first.seed == again.seed != other.seed
    assert 8 <= np.hypot(*(first.targets - first.handles)[0]) <= 40
    assert first.mask is not None
    for x, y in np.concatenate([first.handles, first.targets]).astype(int):
        assert first.mask[y, x]


def test_landmarks_lie_beside_targets_as_they_do_beside_handles(
    generator: Generator, judge: CritterJudge
) -> None:
    """Handles are whole pixels; a drag that brings them to the targets exactly is 0 px off."""
    case = next(Cases(generator, judge, 3).drawn("1 point", 4))
    np.testing.assert_array_equal(case.handles, np.rint(case.handles))
    landmarks_before = case.places[case.landmarks]
    np.testing.assert_array_equal(case.handles, np.rint(landmarks_before))
    np.testing.assert_allclose(case.goals - case.targets, landmarks_before - case.handles)
    # A drag of no steps: its handles are where they were put, and so is what they stand for.
    entrant = Entrant("none", DragConfig(preset="best", max_steps=1, step_size=1e-12))
    score = dragged(generator, judge, None, entrant, case, 0, None)
    assert score.end.tracking == pytest.approx(0, abs=0.02)
    assert score.end.off == pytest.approx(np.hypot(*(case.targets - case.handles)[0]), abs=0.01)


def test_the_critter_that_is_seen_is_that_of_its_landmarks() -> None:
    true = landmarks(scene_of(factors_of_z(random_z(8)[0])), SIZE).points
    shape = Shape.seen(true, SIZE)
    # The nearer to usual critters, the more likely: landmarks are met to within the estimator's error.
    assert np.linalg.norm(shape.places - true, axis=1).max() < 1
    assert shape.can_reach(NOSE, true[NOSE] + [12, 0])
    assert not shape.can_reach(NOSE, np.array([[10.0, 10.0]]))


def test_what_can_be_reached_does_not_depend_on_the_pictures_size(judge: CritterJudge) -> None:
    scene = scene_of(factors_of_z(random_z(8)[0]))
    for size in (SIZE // 2, SIZE):
        places, pixel = landmarks(scene, size).points, size / SIZE
        assert judge.is_feasible(places, NOSE, places[NOSE] + [12 * pixel, 0], size)
        assert not judge.is_feasible(places, NOSE, np.array([[10.0, 10.0]]) * pixel, size)


def test_the_judge_sees_noses_where_they_are(generator: Generator, judge: CritterJudge) -> None:
    picture = generator.image(generator.w_plus(SEED))
    mirrored = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    nose, in_mirror = (judge.places(each)[NOSE[0]] for each in (picture, mirrored))
    np.testing.assert_allclose(in_mirror, [SIZE - 1 - nose[0], nose[1]], atol=1e-3)
    assert len(judge.singly(len(LANDMARK_NAMES))) == 8
    # A picture of another size is resized for the estimator.
    wide = picture.resize((2 * SIZE, SIZE))
    np.testing.assert_allclose(judge.places(wide)[NOSE[0], 0], 2 * nose[0] + 0.5, atol=1)


def test_measures_of_pictures(generator: Generator) -> None:
    picture = generator.image(generator.w_plus(SEED))
    blurred = picture.filter(ImageFilter.GaussianBlur(3))
    middle = np.array([128.0, 150.0])
    assert sharpness(picture, picture, middle, middle) == 1
    assert sharpness(picture, blurred, middle, middle) < 0.7
    mask = np.zeros((SIZE, SIZE), bool)
    mask[50:200, 50:200] = True
    altered = np.asarray(picture.convert("RGB")).copy()
    altered[60:190, 60:190] = 255
    assert change(picture, Image.fromarray(altered), mask) == 0
    altered[0] = 255 - altered[0]
    assert change(picture, Image.fromarray(altered), mask) > 0


def test_distances_from_where_w_lies(generator: Generator) -> None:
    z = np.random.default_rng(0).standard_normal((400, generator.manifest.z_dim))
    w = generator.w_plus(z=z.astype(np.float32), truncation_psi=1.0)[:, 0]
    principal, middle = generator.principal_w(), generator.w_avg
    usual = [distance_from_w(each[None], middle, principal) for each in w]
    # Its definition: 1 for random z, in the root mean square.
    assert np.sqrt(np.mean(np.square(usual))) == pytest.approx(1, abs=0.1)
    assert distance_from_w(middle[None], middle, principal) == 0
    assert distance_from_w(middle[None] + 3 * (w[:1] - middle), middle, principal) == pytest.approx(
        3 * usual[0], rel=1e-4
    )


def test_the_critic_calls_broken_pictures_off_and_random_ones_not(generator: Generator) -> None:
    critic = Critic.of(generator)
    z = np.random.default_rng(101).standard_normal((300, generator.manifest.z_dim))
    w = generator.w_plus(z=z.astype(np.float32), truncation_psi=1.0)

    def share(latents: np.ndarray) -> float:
        return float(np.mean([critic.strangeness(generator, each[None]) > 1 for each in latents]))

    assert share(w) <= 0.03  # 0.01, but for chance
    middle = generator.w_avg
    assert share(middle + 3 * (w[:100] - middle)) >= 0.95
    # A picture of layers that show two critters is still one of a critter.
    mixed = w[:100].copy()
    mixed[:, 4:] = w[100:200, 4:]
    assert share(mixed) <= 0.05


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "begins with a preset"),
        ("mine", r"begins with a preset \(paper, released, best\), not with 'mine'"),
        ("paper r9=1", "NAME=VALUE with one of .*, not 'r9=1'"),
        ("paper r1", "not 'r1'"),
        ("paper r1=far", "r1 must be a positive number"),
        ("paper space=z", "space must be w"),
        ("paper tracking_distance=l3", "tracking_distance must be l1"),
    ],
)
def test_entrants_that_are_none(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Entrant.parse(text)


def test_an_entrant_is_a_preset_with_settings() -> None:
    entrant = Entrant.parse("paper  space=w r1=10 windows=false")
    assert entrant.name == "paper space=w r1=10 windows=false"
    config = entrant.config
    assert (config.preset, config.space, config.r1, config.windows) == ("paper", "w", 10, False)


@pytest.mark.parametrize(
    ("text", "norm"), [("paper", "l1"), ("paper tracking_distance=l2", "l2"), ("best", "l2")]
)
def test_the_norm_of_point_tracking_can_be_changed_alone(text: str, norm: str) -> None:
    found, plain = (
        config.settings(image_height=SIZE, point_count=1, trainable_layers=6, recommended={})
        for config in (Entrant.parse(text).config, DragConfig(preset=text.split(maxsplit=1)[0]))
    )
    assert found.tracking_distance == norm
    assert replace(found, tracking_distance=plain.tracking_distance) == plain


def test_ablations_change_one_setting_each(generator: Generator) -> None:
    """Of the bundled model, whose radii are 20 and 48."""
    changed = [entrant.config for entrant in ablations(generator.manifest)]
    assert [config.r1 for config in changed[:2]] == [10, 40]
    assert [config.r2 for config in changed[2:4]] == [24, 96]
    assert changed[4].tracking_distance == "l2"
    assert [config.trainable_layers for config in changed[5:7]] == [2, 4]
    assert [config.space for config in changed] == 7 * ["w+"] + ["w"]
    assert {config.preset for config in changed} == {"paper"}


def test_what_is_no_landmark_estimator_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"the landmark estimator .*nothing\.onnx cannot be read"):
        Judge(tmp_path / "nothing.onnx")
    faces = tmp_path / "faces.onnx"
    faces.write_bytes(yunet(None))
    with pytest.raises(InputError, match="is no landmark estimator: its input must be image"):
        Judge(faces)
    # Its weights are in another file.
    mapping = Path(LANDMARKS).parents[3] / "python/dragonnx/model/bundled/critters/mapping.onnx"
    with pytest.raises(InputError, match=r"the landmark estimator .*mapping\.onnx cannot be used"):
        Judge(mapping)
    arguments = [
        "evaluate",
        "critters",
        "--landmarks",
        str(LANDMARKS),
        "-o",
        str(tmp_path),
        "--kind",
        "x",
    ]
    refused = CliRunner().invoke(export_app, arguments)
    assert "there is no kind of drags 'x'" in str(refused.exception)
