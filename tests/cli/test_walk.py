"""Animations from picture to picture: through seeds and files, in the order that they are named in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.program import dragonnx

from dragonnx import Generator, load_latent, save_latent
from dragonnx.media import PROVENANCE
from dragonnx.types import Array, Float32

SMALL = Path(__file__).parents[1] / "fixtures" / "bundle-v2"
ONE = ("--model", SMALL, "--device", "cpu", "--threads", "1")
SHOWN = 80
LAST = 1500
"""Milliseconds of a frame, and of the last one."""


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator.open(SMALL, "cpu", threads=1)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, generator: Generator) -> Path:
    """Where the commands run, with a latent and a picture with its recipe."""
    monkeypatch.chdir(tmp_path)
    save_latent(generator.w_plus(8), tmp_path / "a.npz")
    done = dragonnx("generate", *ONE, "--seed", "9", "-o", "b.png")
    assert done.returncode == 0, done.stderr
    return tmp_path


def shown(path: Path) -> tuple[list[Array], list[int]]:
    """An animation's frames, and how long each stands."""
    frames, durations = [], []
    with Image.open(path) as animation:
        for number in range(animation.n_frames):
            animation.seek(number)
            frames.append(np.asarray(animation.convert("RGB")))
            durations.append(animation.info["duration"])
    return frames, durations


def nearest(frame: Array, generator: Generator, latents: list[Float32]) -> int:
    """Whose picture a frame is; a lossy format leaves it nearest to its own."""
    pictures = [np.asarray(generator.image(each).convert("RGB"), float) for each in latents]
    return int(np.argmin([np.abs(picture - frame).mean() for picture in pictures]))


@pytest.mark.parametrize("loop", [False, True])
def test_a_walk_goes_through_seeds_and_files_in_their_order(
    folder: Path, generator: Generator, loop: bool
) -> None:
    done = dragonnx(
        "walk", *ONE, "--through", "a.npz", "--through", "5", "--through", "b.png",
        "--frames", "7", "-o", "w.webp", *(["--loop"] if loop else []),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith("wrote w.webp\n")
    frames, durations = shown(folder / "w.webp")
    assert durations == [SHOWN] * 6 + [SHOWN if loop else LAST]
    latents = [load_latent("a.npz"), generator.w_plus(5), load_latent("b.png", generator=generator)]
    places = (0, 2, 5) if loop else (0, 3, 6)
    assert [nearest(frames[at], generator, latents) for at in places] == [0, 1, 2]


def test_truncation_is_for_the_seeds(folder: Path, generator: Generator) -> None:
    """With 0 every seed is the average picture, and a file stays what it is."""
    done = dragonnx(
        "walk", *ONE, "--through", "3", "--through", "a.npz", "--frames", "2", "-o", "w.webp",
        "--truncation-psi", "0",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    frames, _ = shown(folder / "w.webp")
    latents = [generator.w_plus(3, truncation_psi=0), generator.w_plus(3), load_latent("a.npz")]
    assert [nearest(frame, generator, latents) for frame in frames] == [0, 2]


def test_a_gif_says_that_it_is_generated(folder: Path) -> None:
    done = dragonnx(
        "walk", *ONE, "--through", "1", "--through", "2", "--frames", "3", "-o", "w.gif"
    )
    assert done.returncode == 0, done.stderr
    with Image.open(folder / "w.gif") as animation:
        assert animation.n_frames == 3
        assert animation.info["comment"] == PROVENANCE.encode()


def test_a_film_has_every_frame(folder: Path) -> None:
    av = pytest.importorskip("av")
    for loop, frames in ((False, 5 + LAST // SHOWN), (True, 5)):
        done = dragonnx(
            "walk", *ONE, "--through", "1", "--through", "2", "--frames", "5", "-o", "w.mp4",
            *(["--loop"] if loop else []),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        with av.open(str(folder / "w.mp4")) as film:
            assert sum(1 for _ in film.decode(video=0)) == frames


def test_an_interrupt_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def image(self: Generator, w_plus: Float32) -> Image.Image:
        made.append(w_plus)
        if len(made) == 2:
            raise KeyboardInterrupt
        return Image.new("RGB", (16, 16))

    monkeypatch.setattr(Generator, "image", image)
    for name in ("w.gif", "w.mp4"):
        made.clear()
        before = sorted(path.name for path in folder.iterdir())
        done = dragonnx("walk", *ONE, "--through", "1", "--through", "2", "-o", name)
        assert done.returncode == 130, done.stderr
        assert sorted(path.name for path in folder.iterdir()) == before


REFUSED = {
    "one waypoint": (["--through", "1", "-o", "w.gif"], "two or more, not 1"),
    "too few frames": (
        ["--through", "1", "--through", "2", "--frames", "1", "-o", "w.gif"], "from 2 to 10000, not 1",
    ),
    "a large seed": (["--through", "1", "--through", "9" * 5000, "-o", "w.gif"], "seed must be"),
    "no file": (["--through", "1", "--through", "none.npz", "-o", "w.gif"], "cannot be read"),
    "a negative seed": (["--through", "1", "--through", "-1", "-o", "w.gif"], "-1"),
    "another ending": (["--through", "1", "--through", "2", "-o", "w.png"], "written as .gif or"),
    "truncation of files": (
        ["--through", "a.npz", "--through", "b.png", "--truncation-psi", "1", "-o", "w.gif"],
        "--truncation-psi is for seeds",
    ),
    "a class of files": (
        ["--through", "a.npz", "--through", "b.png", "--label", "1", "-o", "w.gif"],
        "--label is for seeds",
    ),
    "no classes": (
        ["--through", "1", "--through", "b.png", "--label", "1", "-o", "w.gif"], "has no classes",
    ),
    "what is read": (["--through", "1", "--through", "b.gif", "-o", "b.gif"], "is read here"),
    "another model's": (["--through", "1", "--through", "other.npz", "-o", "w.gif"], "other.npz"),
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_does_not_go_is_told_in_a_sentence(
    folder: Path, arguments: list[str], message: str
) -> None:
    np.savez(folder / "other.npz", w_plus=np.zeros((1, 99, 7), np.float32))
    before = sorted(path.name for path in folder.iterdir())
    refused = dragonnx("walk", *ONE, *arguments)
    assert refused.returncode == 2
    assert message in refused.stderr
    assert len(refused.stderr.splitlines()) == 1, refused.stderr
    assert sorted(path.name for path in folder.iterdir()) == before
