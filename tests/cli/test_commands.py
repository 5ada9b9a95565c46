"""The command line, run as users run it: what it writes, and what it says of bad input."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.bundled import BEST_STEP_SIZE, NOSE, NOSE_TARGET, R1, SEED, SIZE, point_option
from support.program import dragonnx

from dragonnx import open_picture
from dragonnx.drag.config import DragConfig
from dragonnx.model.library import find_bundle

DRAG = (
    "drag", "--seed", str(SEED), "--point", point_option(NOSE, NOSE_TARGET), "--device", "cpu",
    "--threads", "1",
)  # fmt: skip


@pytest.fixture(scope="module")
def dragged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with everything that a drag writes."""
    folder = tmp_path_factory.mktemp("dragged")
    done = dragonnx(
        *DRAG, "-o", folder / "out.png", "--latent-out", folder / "out.npz",
        "--video", folder / "out.gif", "--comparison", folder / "pair.png",
        "--report", folder / "out.json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Every handle point reached its target point." in done.stderr
    assert done.stdout == ""
    return folder


def test_the_report_tells_the_drag(dragged: Path) -> None:
    report = json.loads((dragged / "out.json").read_text())
    assert list(report) == [
        "outcome", "steps", "seconds", "device", "precision", "model", "seed", "config", "points", "trace", "loss",
    ]  # fmt: skip
    assert (report["outcome"], report["model"], report["seed"]) == ("reached", "critters", SEED)
    assert (report["device"], report["precision"]) == ("cpu", "float32")
    assert report["steps"] == len(report["trace"]) == len(report["loss"]) > 5
    (point,) = report["points"]
    assert (point["handle"], point["target"]) == (list(NOSE), list(NOSE_TARGET))
    assert point["final"] == report["trace"][-1][0]
    assert point["distance"] == pytest.approx(
        np.hypot(*np.subtract(point["final"], NOSE_TARGET)), abs=1e-3
    )
    assert report["config"]["r1"] == R1


def test_a_drag_goes_on_from_its_progress(tmp_path: Path) -> None:
    """To the bit, with the trace and the animation of the whole of it."""

    def run(folder: str, steps: int, *further: object) -> str:
        (tmp_path / folder).mkdir(exist_ok=True)
        done = dragonnx(
            *DRAG, "--preset", "paper", "--max-steps", str(steps), "-o", tmp_path / folder / "out.png",
            "--latent-out", tmp_path / folder / "out.npz", "--video", tmp_path / folder / "out.gif",
            "--report", tmp_path / folder / "out.json", *further,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stderr

    kept = ("--progress", tmp_path / "progress.npz")
    run("whole", 6)
    assert "going on" not in run("parts", 2, *kept)
    assert f"going on after step 2 of {tmp_path / 'progress.npz'}" in run("parts", 6, *kept)
    assert "going on after step 6" in run("parts", 6, *kept), "and nothing is left to do"
    whole, parts = (
        json.loads((tmp_path / folder / "out.json").read_text()) for folder in ("whole", "parts")
    )
    assert {**whole, "seconds": 0} == {**parts, "seconds": 0}
    for name in ("out.gif", "out.npz"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "parts" / name).read_bytes()
    refused = dragonnx(*DRAG, "--preset", "paper", "--r1", "9", "-o", tmp_path / "other.png", *kept)
    assert refused.returncode == 2
    assert "it belongs to another drag" in refused.stderr
    assert not (tmp_path / "other.png").exists()


def test_the_picture_carries_its_recipe(dragged: Path) -> None:
    with Image.open(dragged / "out.png") as picture:
        assert picture.size == (SIZE, SIZE)
        text = picture.text
    assert text["Comment"].startswith("AI-generated")
    recipe = json.loads(text["dragonnx"])
    assert (recipe["model"], recipe["start"]["seed"]) == ("critters", SEED)
    assert recipe["pairs"][0]["target"] == list(NOSE_TARGET)
    assert recipe["config"] == {"preset": "best"}, "nothing else was chosen"
    assert recipe["result"]["settings"]["step_size"] == BEST_STEP_SIZE


def test_a_picture_opens_as_the_document_that_made_it(tmp_path: Path) -> None:
    """Model folder, mask, points, the settings that were chosen and only those, and the result."""
    model = tmp_path / "my model"
    shutil.copytree(find_bundle("critters"), model)
    picture = Image.new("L", (SIZE, SIZE), 255)
    picture.paste(0, (0, 0, SIZE, SIZE // 4))
    picture.save(tmp_path / "mask.png")
    done = dragonnx(
        *DRAG, "--model", model, "--mask", tmp_path / "mask.png", "--max-steps", "2",
        "-o", tmp_path / "a.png", "--latent-out", tmp_path / "a.npz",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    document = open_picture(tmp_path / "a.png")
    assert Path(document.model) == model
    assert document.start.seed == SEED
    assert document.mask is not None
    assert not document.mask[: SIZE // 4].any()
    assert document.mask[SIZE // 4 :].all()
    (pair,) = document.pairs
    assert (pair.first, pair.target) == (NOSE, NOSE_TARGET)
    assert document.config == DragConfig(max_steps=2)
    assert document.result is not None
    assert document.result.steps == 2
    with np.load(tmp_path / "a.npz") as latent:
        np.testing.assert_array_equal(document.result.w_plus, latent["w_plus"])


def test_a_latent_of_another_tool(tmp_path: Path) -> None:
    field = Path(__file__).parents[1] / "fixtures" / "field" / "latents"
    with np.load(field / "combined.npz") as several:
        expected = several["w"]
    for index in (None, 2):
        chosen = () if index is None else ("--index", index)
        done = dragonnx(
            "generate", "--latent", field / "combined.npz", *chosen, "-o", tmp_path / "a.png",
            "--latent-out", tmp_path / "a.npz",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        first, rest = done.stderr.split("\n", 1)
        assert first.startswith("dragonnx: combined.npz holds 3 latents, numbered from 0: number")
        assert rest == f"wrote {tmp_path / 'a.png'}\n"
        with np.load(tmp_path / "a.npz") as latent:
            np.testing.assert_array_equal(latent["w_plus"][0], expected[index or 0])
    refused = dragonnx(
        "generate", "--latent", field / "combined.npz", "--index", "3", "-o", "a.png"
    )
    assert refused.returncode == 2
    assert "it holds 3 latents, numbered from 0 on: there is no number 3" in refused.stderr


def test_the_animation_shows_the_drag(dragged: Path) -> None:
    steps = json.loads((dragged / "out.json").read_text())["steps"]
    with Image.open(dragged / "out.gif") as animation:
        # A GIF merges frames that are equal.
        assert steps // 2 < animation.n_frames <= steps + 1
    with Image.open(dragged / "pair.png") as pair:
        assert pair.width > 2 * pair.height


def test_the_saved_latent_gives_the_same_picture(dragged: Path, tmp_path: Path) -> None:
    done = dragonnx("generate", "--latent", dragged / "out.npz", "-o", tmp_path / "again.png")
    assert done.returncode == 0, done.stderr
    with Image.open(dragged / "out.png") as first, Image.open(tmp_path / "again.png") as again:
        assert first.tobytes() == again.tobytes()


def test_masks_presets_and_spaces(tmp_path: Path) -> None:
    picture = Image.new("L", (SIZE, SIZE), 255)
    picture.paste(0, (0, 0, SIZE, SIZE // 4))
    picture.save(tmp_path / "mask.png")
    done = dragonnx(
        *DRAG, "-o", tmp_path / "out.png", "--mask", tmp_path / "mask.png", "--preset", "released",
        "--space", "w", "--max-steps", "2", "--step-size", "0.005", "--lambda-mask", "5",
        "--r1", "10", "--r2", "30", "--trainable-layers", "4", "--report", tmp_path / "out.json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    config = json.loads((tmp_path / "out.json").read_text())["config"]
    expected = {
        "preset": "released", "space": "w", "max_steps": 2, "step_size": 0.005, "lambda_mask": 5,
        "r1": 10, "r2": 30, "trainable_layers": 4, "tracking_distance": "l2",
    }  # fmt: skip
    assert config.items() >= expected.items()
    assert "The step limit came" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["drag", "--point", "300,5:9,9"], "handle point (300, 5) lies outside the image"),
        (["drag", "--point", "20,5:9,-9"], "target point (9, -9) lies outside the image"),
        (["drag", "--point", "20,5"], "HANDLE:TARGET"),
        (["drag", "--point", "20,5:"], "HANDLE:TARGET"),
        (["drag", "--point", "a,b:c,d"], "HANDLE:TARGET"),
        (["drag"], "Missing option '--point'"),
        (["drag", "--point", "20,5:30,5", "--model", "lions"], "no model 'lions': known are"),
        (
            ["drag", "--point", "20,5:30,5", "--seed", "seven"],
            "'--seed': 'seven' is not a valid int",
        ),
        (["drag", "--point", "20,5:30,5", "--seed", "-1"], "from 0 to 4294967295, not -1"),
        (["generate", "--seed", str(2**40)], "seed must be a whole number from 0 to 4294967295"),
        (["generate", "--truncation-psi", "nan"], "psi must be a number from -100 to 100, not nan"),
        (["drag", "--point", "20,5:30,5", "--r1", "0"], "r1 must be a positive number"),
        (["drag", "--point", "20,5:30,5", "--r1", "1e308"], "at most 1e+06, not 1e+308"),
        (
            ["drag", "--point", "20,5:30,5", "--max-steps", "0"],
            "max_steps must be a whole number from 1 to",
        ),
        (["drag", "--point", "20,5:30,5", "--device", "cuda:99"], "CUDA was asked for, but"),
        (
            ["drag", "--point", "20,5:30,5", "--device", "cpu", "--precision", "tf32"],
            "TF32 was asked for, but the CPU computes in float32 alone",
        ),
        (["generate", "--precision", "float16"], "'float16' is not one of"),
        (["drag", "--point", "20,5:30,5", "--mask", "none.png"], "none.png cannot be read"),
        (["drag", "--point", "20,5:30,5", "--latent", "none.npz"], "none.npz cannot be read"),
        (["drag", "--point", "20,5:30,5", "--preset", "mine"], "'mine' is not one of"),
        (["drag", "--point", "20,5:30,5", "--video", "out.mov"], "out.mov must end in .gif"),
        (["generate", "--label", "3"], "has no classes"),
        (["fly"], "No such command 'fly'"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path: Path, arguments: list[str], message: str) -> None:
    output = ["-o", str(tmp_path / "out.png")] if arguments != ["fly"] else []
    done = dragonnx(*arguments, *output)
    assert done.returncode == 2
    assert done.stdout == ""
    assert message in done.stderr
    assert done.stderr.startswith("dragonnx: ")
    assert done.stderr.count("\n") == 1, done.stderr
    assert list(tmp_path.iterdir()) == [], "nothing is half written"


def test_a_mask_of_the_wrong_size(tmp_path: Path) -> None:
    Image.new("L", (64, 64), 255).save(tmp_path / "mask.png")
    done = dragonnx(*DRAG, "-o", tmp_path / "out.png", "--mask", tmp_path / "mask.png")
    assert done.returncode == 2
    assert f"64 x 64 pixels, but the image is {SIZE} x {SIZE}" in done.stderr


def test_what_a_mask_works_against_is_told_before_the_drag(tmp_path: Path) -> None:
    grey = np.tile(np.linspace(0, 255, SIZE).astype(np.uint8), (SIZE, 1))
    Image.fromarray(grey).save(tmp_path / "grey.png")
    Image.new("L", (SIZE, SIZE), 255).save(tmp_path / "white.png")
    done = dragonnx(
        *DRAG, "-o", tmp_path / "a.png", "--mask", tmp_path / "grey.png", "--max-steps", "1"
    )
    assert done.returncode == 0, done.stderr
    assert "grey.png is more than black and white" in done.stderr
    assert "handle lies on what the mask keeps fixed" in done.stderr.replace("\n", " ")
    done = dragonnx(
        *DRAG, "-o", tmp_path / "a.png", "--mask", tmp_path / "white.png", "--max-steps", "1"
    )
    assert done.returncode == 0, done.stderr
    assert "dragonnx:" not in done.stderr


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    for place, message in (
        (tmp_path / "no" / "out.png", "does not exist"),
        (tmp_path / "out.gif", "must end in .png or .jpg or .jpeg or .webp"),
        (tmp_path, "must end in .png or .jpg or .jpeg or .webp"),
        (Path("/proc/out.png"), str(Path("/proc/out.png"))),
    ):
        done = dragonnx(*DRAG, "-o", place)
        assert done.returncode == 2, place
        assert message in done.stderr
        assert done.stderr.count("\n") <= 2
        assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_pictures_of_other_formats_and_qualities(tmp_path: Path) -> None:
    done = dragonnx(
        *DRAG, "--max-steps", "1", "-o", tmp_path / "out.jpg", "--comparison", tmp_path / "pair.webp",
        "--quality", "30",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for name, kind in (("out.jpg", "JPEG"), ("pair.webp", "WEBP")):
        with Image.open(tmp_path / name) as picture:
            assert picture.format == kind
        assert open_picture(tmp_path / name).result.steps == 1
    for quality, message in (("0", "must be a whole number from 1 to 100"), ("90", "a PNG keeps")):
        refused = dragonnx("generate", "-o", tmp_path / "a.png", "--quality", quality)
        assert (refused.returncode, message in refused.stderr) == (2, True)


def test_one_place_for_two_outputs(tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    done = dragonnx(*DRAG, "-o", out, "--comparison", out)
    assert (done.returncode, "named for two outputs" in done.stderr) == (2, True)


def test_a_failed_run_keeps_the_older_picture(tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    out.write_bytes(b"older picture")
    assert dragonnx(*DRAG, "-o", out, "--step-size", "1e38").returncode == 2
    assert out.read_bytes() == b"older picture"
    assert list(tmp_path.iterdir()) == [out]


def test_finding_out_what_is_there() -> None:
    done = dragonnx("info")
    assert done.returncode == 0
    assert f"critters: {SIZE} x {SIZE} px" in done.stdout
    assert "family: stylegan2" in done.stdout
    assert "feature map: 48 channels of 64 x 64" in done.stdout
    assert "pullback grad_w_plus" in done.stdout
    best, *others = [line for line in done.stdout.splitlines() if line.startswith("a drag with")]
    assert f"--preset best: step_size {BEST_STEP_SIZE:g}, r1 {R1:g}, " in best
    assert len(others) == 2
    for line in (best, *others):
        assert "max_steps 300" in line.partition("; with a mask ")[0]
        assert "lambda_mask 20" in line.partition("; with a mask ")[2]
    assert f"critters: {SIZE} x {SIZE} px" in dragonnx("models").stdout
    doctor = dragonnx("doctor", "--model", "critters", "--device", "cpu")
    assert "graph features_16: CPUExecutionProvider, every node" in doctor.stdout
    assert "graph pullback: CPUExecutionProvider, every node" in doctor.stdout
    assert doctor.returncode == 0
    assert "runtime: onnxruntime" in doctor.stdout
    assert "cpu: yes" in doctor.stdout
    assert "cuda: " in doctor.stdout
    assert "difference" not in doctor.stdout, "there is nothing to compare the CPU with"


def test_own_models_are_listed_even_when_one_is_broken(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "manifest.json").write_text("{")
    env = {"DRAGONNX_MODELS": str(tmp_path)}
    for command in ("models", "doctor"):
        done = dragonnx(command, env=env)
        assert done.returncode == 0
        assert f"critters: {SIZE} x {SIZE} px" in done.stdout
        assert "broken: unusable" in done.stdout


def test_help_and_version() -> None:
    assert "DragGAN without PyTorch" in dragonnx("--help").stdout
    assert dragonnx("--version").stdout.startswith("dragonnx 0.")
