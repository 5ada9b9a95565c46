"""Pictures that leave the program."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dragonnx.errors import InputError
from dragonnx.files import atomic_path
from dragonnx.media import PROVENANCE, save_animation, save_image, side_by_side, with_points

GREY = Image.new("RGB", (64, 48), (128, 128, 128))


def colour_at(picture: Image.Image, point: tuple[float, float], scale: float) -> np.ndarray:
    x, y = ((p + 0.5) * scale for p in point)
    return np.array(picture.getpixel((int(x), int(y))))


def test_points_are_drawn_where_they_are() -> None:
    handle, target = (10, 20), (50, 30)
    picture = with_points(GREY, np.array([handle], float), np.array([target], float))
    scale = picture.width / GREY.width
    assert picture.height / GREY.height == scale >= 8
    red, blue = colour_at(picture, handle, scale), colour_at(picture, target, scale)
    assert red[0] > 200
    assert red[2] < 80
    assert blue[2] > 200
    assert blue[0] < 80
    between = colour_at(picture, (30, 25), scale)
    assert between.min() > 200, "the line"
    np.testing.assert_array_equal(colour_at(picture, (10, 40), scale), (128, 128, 128))


def test_a_large_image_is_not_enlarged() -> None:
    large = Image.new("RGB", (512, 512))
    assert with_points(large, np.zeros((1, 2)), np.ones((1, 2))).size == large.size


def test_pictures_in_a_row() -> None:
    row = side_by_side([GREY, GREY])
    assert (row.height, row.width) == (48, 130)


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_animations(tmp_path: Path, suffix: str) -> None:
    frames = [Image.new("RGB", (16, 16), (level, 0, 0)) for level in (0, 100, 200)]
    save_animation(iter(frames), tmp_path / f"a{suffix}")
    with Image.open(tmp_path / f"a{suffix}") as animation:
        assert animation.n_frames == 3


def test_a_gif_is_nearer_to_its_frames_than_pillows_own_choice_of_colours(tmp_path: Path) -> None:
    def shown(frame: Image.Image) -> np.ndarray:
        save_animation(iter([frame] * 2), tmp_path / "a.gif")
        with Image.open(tmp_path / "a.gif") as animation:
            return np.asarray(animation.convert("RGB")).astype(int)

    x, y = np.meshgrid(np.arange(64), np.arange(64))
    frame = Image.fromarray(np.stack([4 * x, 4 * y, 255 - 4 * x], 2).astype(np.uint8))
    ours, pillows = (
        np.abs(colours - np.asarray(frame)).mean()
        for colours in (shown(frame), np.asarray(frame.quantize().convert("RGB")).astype(int))
    )
    assert ours < pillows
    grey = Image.effect_noise((64, 64), 60)
    assert np.array_equal(shown(grey), np.asarray(grey.convert("RGB"))), "which has no more colours"


def test_an_animation_of_an_unknown_kind(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"written as \.gif or \.webp or \.mp4, not \.mov"):
        save_animation(iter([GREY]), tmp_path / "a.mov")


def test_a_video(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    frames = [Image.new("RGB", (385, 384), (level, 0, 0)) for level in (0, 100, 200)]
    save_animation(iter(frames), tmp_path / "a.mp4")
    with av.open(tmp_path / "a.mp4") as video:
        assert video.metadata["comment"] == PROVENANCE
        reds = [int(frame.to_ndarray(format="rgb24")[0, 0, 0]) for frame in video.decode(video=0)]
        stream = video.streams.video[0]
        assert (stream.width, stream.height, stream.pix_fmt) == (384, 384, "yuv420p")
    assert len(reds) > len(frames)
    assert np.abs(np.subtract(reds[:3] + reds[-1:], [0, 100, 200, 200])).max() < 6
    assert list(tmp_path.iterdir()) == [tmp_path / "a.mp4"]


def test_a_video_that_fails_leaves_nothing(tmp_path: Path) -> None:
    pytest.importorskip("av")

    def broken() -> Iterator[Image.Image]:
        yield GREY
        raise MemoryError

    with pytest.raises(MemoryError):
        save_animation(broken(), tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_video_without_its_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(InputError, match=r"pip install 'dragonnx\[video\]'"):
        save_animation(iter([GREY]), tmp_path / "a.mp4")


def test_large_frames_of_a_gif_are_shrunk(tmp_path: Path) -> None:
    save_animation(iter([Image.new("RGB", (1024, 512))] * 2), tmp_path / "a.gif")
    with Image.open(tmp_path / "a.gif") as animation:
        assert animation.size == (512, 256)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        save_image(GREY, tmp_path / "no" / "a.png", {})


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail() -> None:
        with atomic_path(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_written_file_has_the_usual_rights(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    with atomic_path(tmp_path / "new") as temporary:
        temporary.write_text("x")
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "plain").stat().st_mode
