"""Edit directions: files of a w or w_plus and the model's own, added to where pictures start."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.program import dragonnx

from dragonnx import Generator, InputError, load_latent, open_picture
from dragonnx.document import save_document
from dragonnx.document.directions import Direction
from dragonnx.document.latents import current_w_plus
from dragonnx.document.start import Along, LatentStart
from dragonnx.types import Array, Float32

SMALL = Path(__file__).parents[1] / "fixtures" / "bundle-v2"
ONE = ("--model", SMALL, "--device", "cpu", "--threads", "1")
EXACT = 1e-6
"""Sums of numbers of about 1 in float32, in another order."""


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator.open(SMALL, "cpu", threads=1)


@pytest.fixture
def w(generator: Generator) -> Float32:
    """A direction for every layer alike."""
    return np.random.default_rng(0).standard_normal((1, generator.manifest.w_dim), np.float32)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: object) -> None:
    done = dragonnx(arguments[0], *ONE, *arguments[1:])
    assert done.returncode == 0, done.stderr


def pixels(path: Path) -> Array:
    with Image.open(path) as picture:
        return np.asarray(picture)


def test_generate_moves_a_seed_and_its_picture_opens_as_what_was_made(
    folder: Path, generator: Generator, w: Float32
) -> None:
    np.save("smile.npy", w)
    plus = np.random.default_rng(1).standard_normal(generator.w_plus(1).shape, np.float32)
    np.savez("age.npz", boundary=plus)
    run(
        "generate", "--seed", "4", "--truncation-psi", "0.5", "--direction", "smile.npy:1.5",
        "--direction", "age.npz:-2", "-o", "a.png", "--latent-out", "a.npz",
    )  # fmt: skip
    wanted = generator.w_plus(4, truncation_psi=0.5) + (1.5 * w - 2 * plus)
    np.testing.assert_array_equal(load_latent("a.npz"), wanted)
    document = open_picture("a.png")
    np.testing.assert_array_equal(current_w_plus(document, generator), wanted)
    start = document.start
    assert (start.seed, start.truncation_psi, start.w_plus) == (4, 0.5, None)
    assert start.describe() == "seed 4 + smile.npy:1.5 + age.npz:-2"
    run("generate", "--latent", "a.png", "-o", "again.png")
    np.testing.assert_array_equal(pixels(folder / "again.png"), pixels(folder / "a.png"))


def test_a_principal_direction_is_measured_in_its_spread(generator: Generator) -> None:
    found = Direction.of_text("pc1:-2").vector(generator)
    assert found.shape == generator.w_plus(0).shape
    principal = generator.principal_w()
    wanted = principal.spreads[1] * principal.directions[1]
    np.testing.assert_allclose(found[0], np.broadcast_to(wanted, found.shape[1:]), rtol=EXACT)


def test_several_seeds_move_alike(folder: Path, generator: Generator, w: Float32) -> None:
    np.save("d.npy", w[0])
    run("generate", "--seeds", "3,5", "--direction", "d.npy:2", "-o", "out")
    for seed in (3, 5):
        document = open_picture(folder / "out" / f"seed000{seed}.png")
        assert document.start.describe() == f"seed {seed} + d.npy:2"
        np.testing.assert_array_equal(
            current_w_plus(document, generator), generator.w_plus(seed) + 2 * w
        )
    run("generate", "--seeds", "3", "--grid", "1x1", "--direction", "d.npy:2", "-o", "sheet.png")
    alone = pixels(folder / "out" / "seed0003.png")
    side = len(alone)
    np.testing.assert_array_equal(pixels(folder / "sheet.png")[4 : 4 + side, 4 : 4 + side], alone)


def test_a_drag_and_a_walk_start_from_what_was_moved(
    folder: Path, generator: Generator, w: Float32
) -> None:
    np.save("d.npy", w)
    moved = generator.w_plus(3) + w
    run(
        "drag", "--seed", "3", "--direction", "d.npy:1", "--point", "8,8:10,8", "--max-steps", "1",
        "-o", "a.png", "--report", "a.json",
    )  # fmt: skip
    dragged = open_picture("a.png")
    assert dragged.result is not None
    np.testing.assert_array_equal(dragged.result.latents[:1], moved)
    np.testing.assert_array_equal(current_w_plus(dragged.at_start(), generator), moved)
    assert json.loads(Path("a.json").read_text())["seed"] is None, "no seed gives that picture"
    run(
        "walk", "--through", "3", "--through", "4", "--direction", "d.npy:1", "--frames", "2",
        "-o", "w.webp",
    )  # fmt: skip
    with Image.open("w.webp") as animation:
        shown = np.asarray(animation.convert("RGB"), float)
    far = {
        name: np.abs(np.asarray(generator.image(latent).convert("RGB"), float) - shown).mean()
        for name, latent in (("moved", moved), ("seed", generator.w_plus(3)))
    }
    assert far["moved"] < far["seed"] / 2


def test_one_of_several_in_a_file_is_named_by_its_number(
    folder: Path, generator: Generator, w: Float32
) -> None:
    several = np.concatenate([w, 2 * w, 3 * w])
    np.save("several.npy", several)
    np.testing.assert_allclose(
        Direction.of_text("several.npy#2:0.5").vector(generator),
        np.broadcast_to(3 * w, generator.w_plus(0).shape),
        atol=EXACT,
    )
    run("generate", "--direction", "several.npy#1:1", "-o", "a.png")
    assert open_picture("a.png").start.describe() == "seed 0 + several.npy#1:1"
    refused = dragonnx("generate", *ONE, "--direction", "several.npy:1", "-o", "b.png")
    assert "as in several.npy#0" in refused.stderr
    refused = dragonnx("generate", *ONE, "--direction", "several.npy#3:1", "-o", "b.png")
    assert refused.returncode == 2
    assert "there is no number 3" in refused.stderr


@pytest.mark.parametrize("text", ["", ":", "a.npy", ":1", "a.npy:", "a.npy:x", "pc0", "a.npy:1,5"])
def test_what_is_no_direction_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="a direction is given as FILE:AMOUNT"):
        Direction.of_text(text)


@pytest.mark.parametrize("amount", ["nan", "inf", "-1e7"])
def test_an_amount_is_a_number_of_some_size(amount: str) -> None:
    with pytest.raises(InputError, match=r"the amount of a\.npy must be a number from"):
        Direction.of_text(f"a.npy:{amount}")


def test_a_path_may_have_colons() -> None:
    found = Direction.of_text(r"C:\latents\smile.npy:1e-1")
    assert (found.source, found.amount) == (r"C:\latents\smile.npy", 0.1)


@pytest.mark.parametrize(
    ("name", "arrays", "message"),
    [
        ("long.npz", {"d": np.zeros((1, 7777), np.float32)}, "of another model"),
        ("several.npz", {"w": "several"}, "it holds 5 directions, and one is to be taken"),
        ("z.npz", {"z": "one"}, "holds z"),
        ("two.npz", {"a": "one", "b": "one"}, "it holds no latent under a name such as"),
        ("huge.npz", {"d": "huge"}, "lead too far for any number"),
        ("none.npz", None, "cannot be read"),
        ("photo.png", None, "photo.png holds no direction: one comes as .npy"),
    ],
)  # fmt: skip
def test_a_file_that_holds_no_direction_for_the_model_is_told(
    folder: Path, w: Float32, name: str, arrays: dict[str, object] | None, message: str
) -> None:
    shapes = {"one": w, "several": np.repeat(w[None], 5, 0), "huge": np.full_like(w, 1e35)}
    if arrays is not None:
        np.savez(name, **{k: shapes[v] if isinstance(v, str) else v for k, v in arrays.items()})
    Image.new("RGB", (8, 8)).save("photo.png")
    refused = dragonnx("generate", *ONE, "--direction", f"{name}:1e4", "-o", "a.png")
    assert refused.returncode == 2
    assert message in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not Path("a.png").exists()


def test_there_are_so_many_principal_directions(generator: Generator) -> None:
    count = generator.manifest.w_dim
    assert Direction(f"pc{count - 1}", 1.0).vector(generator).any()
    with pytest.raises(InputError, match=f"pc0 to pc{count - 1}, not pc{count}"):
        Direction(f"pc{count}", 1.0).vector(generator)


def test_a_direction_is_not_written_over(folder: Path, w: Float32) -> None:
    np.savez("d.npz", w=w)
    refused = dragonnx(
        "generate", *ONE, "--direction", "d.npz:1", "-o", "a.png", "--latent-out", "d.npz"
    )
    assert "d.npz is read here" in refused.stderr


def test_directions_of_one_name_stay_apart_and_what_is_named_twice_is_one(
    folder: Path, generator: Generator, w: Float32
) -> None:
    for number, place in enumerate(("smile.npy", "b/smile.npy", "a/b/smile.npy"), start=1):
        Path(place).parent.mkdir(parents=True, exist_ok=True)
        np.save(place, number * w)
    run(
        "generate", "--seed", "2", "-o", "a.png",
        *("--direction", "smile.npy:1", "--direction", "b/smile.npy:0.5"),
        *("--direction", "a/b/smile.npy:2", "--direction", "./smile.npy:0.5"),
    )  # fmt: skip
    document = open_picture("a.png")
    ways = [(each.name.replace("\\", "/"), each.amount) for each in document.start.directions]
    assert ways == [("smile.npy", 1.5), ("b/smile.npy", 0.5), ("a/b/smile.npy", 2)]
    wanted = generator.w_plus(2) + (1.5 + 1 + 6) * w
    np.testing.assert_allclose(current_w_plus(document, generator), wanted, atol=10 * EXACT)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([f"pc{number}:1" for number in range(65)], "at most 64 directions are taken, not 65"),
        (["pc0:60000", "pc0:60000"], "the amount of pc0 must be a number from -100000 to 100000"),
    ],
)
def test_directions_that_no_document_could_hold_are_refused(
    folder: Path, texts: list[str], message: str
) -> None:
    options = [word for text in texts for word in ("--direction", text)]
    refused = dragonnx("generate", *ONE, *options, "-o", "a.png")
    assert (refused.returncode, message in refused.stderr) == (2, True), refused.stderr


def test_a_command_writes_what_the_editor_would_have_saved(
    folder: Path, generator: Generator, w: Float32
) -> None:
    np.save("d.npy", w)
    run("generate", "--seed", "3", "--direction", "d.npy:2", "--direction", "pc1:-1", "-o", "a.png")
    document = open_picture("a.png")
    back = document.with_directions(
        tuple(replace(each, amount=0.0) for each in document.start.directions)
    )
    assert back.start.is_seed, "the sliders go back to where the seed was"
    np.testing.assert_array_equal(current_w_plus(back, generator), generator.w_plus(3))
    save_document(document, "a.dragonnx")
    latent = current_w_plus(document, generator)
    for name in ("a.png", "a.dragonnx"):
        np.testing.assert_array_equal(load_latent(name, generator=generator), latent)
    Path("jobs.jsonl").write_text(
        json.dumps({"id": "same", "document": "a.png"})
        + "\n"
        + json.dumps({"id": "other", "document": "a.dragonnx", "seed": 5})
    )
    done = dragonnx("batch", "jobs.jsonl", "-o", "out", "--workers", "1", "--device", "cpu")
    assert done.returncode == 0, done.stderr
    assert open_picture("out/same.png").start.describe() == "seed 3 + d.npy:2 + pc1:-1"
    assert open_picture("out/other.png").start.describe() == "seed 5 + d.npy:2 + pc1:-1"
    np.testing.assert_array_equal(pixels(folder / "out" / "same.png"), pixels(folder / "a.png"))


def test_two_directions_of_one_name_are_no_start(generator: Generator) -> None:
    way = Along("d", 1, np.zeros((1, 2, 3), np.float32))
    with pytest.raises(InputError, match="must each have another name, and two have 'd'"):
        LatentStart(directions=(way, replace(way, amount=2)))
